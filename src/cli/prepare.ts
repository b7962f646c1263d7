import { statSync } from 'node:fs';
import type { Mount } from '../config/value.ts';
import { findIdentity, type Identity, isRoot } from '../os/process-user.ts';
import type { Finding, Project } from '../project/project.ts';
import type { WaitingInterpreter } from '../project/waiting-interpreter.ts';
import { applicationNames, type Configuration, MAIN } from '../site/configuration.ts';
import { findApplications, namedFindings } from '../site/find-applications.ts';
import { type LoadedConfiguration, loadConfiguration } from '../site/load-configuration.ts';
import type { ReloadConfig } from '../site/schema/site.ts';
import type { Arguments } from './arguments.ts';
import { checkTemporaryDirectory } from './check-temporary-directory.ts';
import { forRole, roleOf, searchesApplication } from './role.ts';
import { workingDirectory } from './working-directory.ts';

export interface Prepared {
  readonly configuration: Configuration;
  readonly loaded: LoadedConfiguration;
  /** What discovery found. */
  readonly findings: readonly Finding[];
  /** The user to become once all addresses are bound; null to stay the same user. */
  readonly identity: Identity | null;
}

/** What a start or a reload serves. */
export interface Configured extends Prepared {
  /** The settings as they are configured, before `listen` is resolved. */
  readonly configured: Prepared['configuration']['settings'];
}

/**
 * Loads the settings, then finds the projects as the user that will run them. The interpreter of the main application is then `waiting`, if it
 * is given and the application runs in this process's own workers.
 *
 * @throws ViaductError as `loadConfiguration`, `findIdentity` and `discoverProject` do.
 */
export async function prepare({ command, flags, errors }: Arguments, waiting?: WaitingInterpreter): Promise<Prepared> {
  const cwd = workingDirectory();
  checkTemporaryDirectory(process.env);
  const { loaded, hints } = await forRole(
    roleOf(command),
    await loadConfiguration({ flags, errors, environment: process.env, cwd }),
  );
  const { settings, site } = loaded;
  const { dev, static: staticMounts, middleware, user, group } = settings;
  const identity = findIdentity(user, group);
  const found = await findApplications(loaded, cwd, {
    runAs: identity,
    searches: searchesApplication(command, loaded),
    waiting: settings.processes === 1 && settings.wrap === null ? waiting : undefined,
  });
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
    ...(site?.hooks !== undefined && project === null ? [UNUSED_HOOKS] : []),
    ...(site?.reload !== undefined ? reloadFindings(site.reload, runsPython) : []),
    ...(runsPython ? rootFindings(identity, dev) : []),
    ...hints,
  ];
  const listenOrigin = loaded.origins.get('listen') ?? '';
  const passesControls = command === 'app';
  const preloadIsWritten = loaded.origins.has('preload');
  const configuration = { settings, site, listenOrigin, passesControls, preloadIsWritten, ...found, project };
  return { configuration, loaded, findings, identity };
}

/** The project without its files, which the web server serves. */
function withoutFiles(project: Project | null): Project | null {
  if (project === null) return null;
  const findings = project.findings.filter(({ subject }) => subject !== 'static' && subject !== 'media');
  return { ...project, staticMounts: [], findings };
}

const UNUSED_MIDDLEWARE: Finding = {
  level: 'hint',
  subject: 'middleware',
  text: 'there is no main application that could use it; middleware of another application belongs in its [apps] table',
};

const UNUSED_HOOKS: Finding = {
  level: 'hint',
  subject: 'hooks',
  text: 'there is no main application in Python that could use them; hooks of another application belong in its [apps] table',
};

/** Keys of [reload] that do nothing. */
function reloadFindings({ probe, watch_ms, share }: ReloadConfig, runsPython: boolean): Finding[] {
  const hint = (text: string): Finding => ({ level: 'hint', subject: 'reload', text });
  return [
    ...(watch_ms > 0 && !runsPython
      ? [hint('watch_ms has no effect, because no application in Python is watched')]
      : []),
    ...(watch_ms === 0 && share < 1 ? [hint('share has no effect without watch_ms')] : []),
    ...(probe.some((path) => /^\/-\/(?:live|ready)$/.test(path))
      ? [hint('/-/live and /-/ready say nothing about a new release: name a path that the application answers')]
      : []),
  ];
}

/** A missing directory is not an error, because a build may create it later. */
function missingDirectories({ directories }: Mount): Finding[] {
  const missing = directories.filter((path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true);
  return missing.map((path) => ({ level: 'hint', subject: 'static', text: `${path} is not a directory (yet)` }));
}

/** Warns about root: a hole in the application would then be a hole in the machine. */
function rootFindings(identity: Identity | null, dev: boolean): Finding[] {
  if (dev || !isRoot() || (identity !== null && identity.uid !== 0)) return [];
  return [{ level: 'hint', subject: 'user', text: 'the workers run as root; --user NAME drops its privileges' }];
}
