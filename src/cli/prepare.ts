import { statSync } from 'node:fs';
import { discoverProject } from '../app/discover/discover.ts';
import type { Finding, Project } from '../app/project.ts';
import { type LoadedSettings, loadSettings } from '../config/load.ts';
import type { Mount } from '../config/value.ts';
import type { Arguments } from './arguments.ts';

export interface Prepared extends LoadedSettings {
  readonly project: Project;
}

/**
 * Loads the settings, then finds the project.
 *
 * @throws ViaductError as `loadSettings` and `discoverProject` do.
 */
export async function prepare({ flags, mistakes }: Arguments): Promise<Prepared> {
  const cwd = process.cwd();
  const loaded = await loadSettings({ flags, mistakes, environment: process.env, cwd });
  const { target, chdir, python, dev, static: staticMounts } = loaded.settings;
  const project = discoverProject({ target, chdir: chdir ?? cwd, python, dev, staticMounts });
  const findings = [...project.findings, ...staticMounts.flatMap(missingDirectories)];
  return { ...loaded, project: { ...project, findings } };
}

/** Not an error: a build may make them later. */
function missingDirectories({ directories }: Mount): Finding[] {
  const missing = directories.filter((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true);
  return missing.map((path) => ({ level: 'hint', subject: 'static', text: `${path} is no directory (yet)` }));
}
