import { statSync } from 'node:fs';
import { type LoadedSettings, loadSettings } from '../config/load.ts';
import type { Mount } from '../config/value.ts';
import { findIdentity, type Identity, isRoot } from '../os/process-user.ts';
import type { Finding, Project } from '../project/project.ts';
import { applicationNames, type Configuration, MAIN } from '../site/configuration.ts';
import { findApplications, namedFindings } from '../site/find-applications.ts';
import type { Arguments } from './arguments.ts';
import { forRole, roleOf, searchesApplication } from './role.ts';

export interface Prepared {
  readonly configuration: Configuration;
  readonly loaded: LoadedSettings;
  /** What was found out on the way. */
  readonly findings: readonly Finding[];
  /** Who to become once all addresses are bound; null to stay who one is. */
  readonly identity: Identity | null;
}

/**
 * Loads the settings, then finds the projects, as the user that they are to run as.
 *
 * @throws ViaductError as `loadSettings`, `findIdentity` and `discoverProject` do.
 */
export async function prepare({ command, flags, mistakes }: Arguments): Promise<Prepared> {
  const cwd = process.cwd();
  const { loaded, hints } = await forRole(
    roleOf(command),
    await loadSettings({ flags, mistakes, environment: process.env, cwd }),
  );
  const { settings, site } = loaded;
  const { dev, static: staticMounts, middleware, user, group } = settings;
  const identity = findIdentity(user, group);
  const found = findApplications(loaded, cwd, { runAs: identity, searches: searchesApplication(command, loaded) });
  const { applications, modules } = found;
  const project = command === 'app' ? withoutFiles(found.project) : found.project;
  const runsPython = project !== null || Object.keys(applications).length > 0;
  const findings = [
    ...(project?.findings ?? []),
    ...Object.entries(modules).map(
      ([name, { module }]): Finding => ({
        level: 'found',
        subject: name === MAIN ? 'application' : name,
        text: module,
      }),
    ),
    ...namedFindings(found),
    ...staticMounts.flatMap(missingDirectories),
    ...(!applicationNames({ project, applications, modules }).has(MAIN) && middleware.length > 0
      ? [UNUSED_MIDDLEWARE]
      : []),
    ...(runsPython ? rootFindings(identity, dev) : []),
    ...hints,
  ];
  const listenOrigin = loaded.origins.get('listen') ?? '';
  return { configuration: { settings, site, listenOrigin, ...found, project }, loaded, findings, identity };
}

/** Files are the web server's. */
function withoutFiles(project: Project | null): Project | null {
  if (project === null) return null;
  const findings = project.findings.filter(({ subject }) => subject !== 'static' && subject !== 'media');
  return { ...project, staticMounts: [], findings };
}

const UNUSED_MIDDLEWARE: Finding = {
  level: 'hint',
  subject: 'middleware',
  text: 'there is no main application for it; that of another one stands in its [apps] table',
};

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
