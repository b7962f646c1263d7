import { statSync } from 'node:fs';
import { discoverProject } from '../app/discover/discover.ts';
import type { Finding, Project } from '../app/project.ts';
import { type LoadedSettings, loadSettings } from '../config/load.ts';
import type { Mount } from '../config/value.ts';
import { findIdentity, type Identity, isRoot } from '../service/identity.ts';
import type { Arguments } from './arguments.ts';

export interface Prepared extends LoadedSettings {
  readonly project: Project;
  /** Who to become once all addresses are bound; null to stay who one is. */
  readonly identity: Identity | null;
}

/**
 * Loads the settings, then finds the project, as the user that it is to run as.
 *
 * @throws ViaductError as `loadSettings`, `findIdentity` and `discoverProject` do.
 */
export async function prepare({ flags, mistakes }: Arguments): Promise<Prepared> {
  const cwd = process.cwd();
  const loaded = await loadSettings({ flags, mistakes, environment: process.env, cwd });
  const { target, chdir, python, dev, static: staticMounts, user, group } = loaded.settings;
  const identity = findIdentity(user, group);
  const project = discoverProject({ target, chdir: chdir ?? cwd, python, dev, staticMounts, runAs: identity });
  const findings = [...project.findings, ...staticMounts.flatMap(missingDirectories), ...rootFindings(identity, dev)];
  return { ...loaded, project: { ...project, findings }, identity };
}

/** Not an error: a build may make them later. */
function missingDirectories({ directories }: Mount): Finding[] {
  const missing = directories.filter((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true);
  return missing.map((path) => ({ level: 'hint', subject: 'static', text: `${path} is no directory (yet)` }));
}

/** In a container root is usual; elsewhere a hole in the application then is one in the machine. */
function rootFindings(identity: Identity | null, dev: boolean): Finding[] {
  if (dev || !isRoot() || (identity !== null && identity.uid !== 0)) return [];
  return [{ level: 'hint', subject: 'user', text: 'the workers run as root; --user NAME gives its rights up' }];
}
