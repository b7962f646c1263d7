import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { discoverProject } from '../app/discover/discover.ts';
import type { Finding, Project } from '../app/project.ts';
import { type LoadedSettings, loadSettings } from '../config/load.ts';
import { type MiddlewareEntry, parseMiddleware } from '../config/middleware.ts';
import { placeOf } from '../config/site/keys.ts';
import type { ApplicationConfig } from '../config/site/schema.ts';
import type { Mount } from '../config/value.ts';
import { ViaductError } from '../errors.ts';
import { findIdentity, type Identity, isRoot } from '../service/identity.ts';
import type { Configuration, NamedApplication } from '../site/configuration.ts';
import type { Arguments } from './arguments.ts';

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
export async function prepare({ flags, mistakes }: Arguments): Promise<Prepared> {
  const cwd = process.cwd();
  const loaded = await loadSettings({ flags, mistakes, environment: process.env, cwd });
  const { settings, site, siteEntries } = loaded;
  const { dev, static: staticMounts, middleware, user, group } = settings;
  const identity = findIdentity(user, group);
  const project = findMain(loaded, cwd, identity);
  const bases = Object.fromEntries([...siteEntries].map(([key, { base }]) => [key, base]));
  const applications = Object.fromEntries(
    Object.entries(site?.apps ?? {}).map(([name, config]) => [
      name,
      findNamed(name, config, loaded, bases.apps ?? cwd, identity),
    ]),
  );
  const findings = [
    ...(project?.findings ?? []),
    ...Object.entries(applications).flatMap(([name, application]) => namedFindings(name, application)),
    ...staticMounts.flatMap(missingDirectories),
    ...(project === null && middleware.length > 0 ? [UNUSED_MIDDLEWARE] : []),
    ...(project === null && Object.keys(applications).length === 0 ? [] : rootFindings(identity, dev)),
  ];
  const listenOrigin = loaded.origins.get('listen') ?? '';
  return {
    configuration: { settings, project, site, bases, listenOrigin, applications, modules: {} },
    loaded,
    findings,
    identity,
  };
}

/** With routes there need not be an application: they may answer everything. */
function findMain({ settings, site }: LoadedSettings, cwd: string, identity: Identity | null): Project | null {
  const { target, chdir, python, dev, static: staticMounts } = settings;
  try {
    return discoverProject({ target, chdir: chdir ?? cwd, python, dev, staticMounts, runAs: identity });
  } catch (error) {
    const isNeeded = target !== null || site === null || site.route.length === 0;
    if (isNeeded || !(error instanceof ViaductError) || error.code !== 'APPLICATION_MISSING') throw error;
    return null;
  }
}

function findNamed(
  name: string,
  { target, chdir, python, workers, threads, middleware }: ApplicationConfig,
  { settings, siteEntries }: LoadedSettings,
  base: string,
  identity: Identity | null,
): NamedApplication {
  const directory = chdir === undefined ? base : resolve(base, chdir);
  const path = resolve(directory, target);
  try {
    const project = discoverProject({
      target: statSync(path, { throwIfNoEntry: false }) === undefined ? target : path,
      chdir: directory,
      python: python === undefined ? settings.python : resolve(base, python),
      dev: settings.dev,
      staticMounts: [],
      runAs: identity,
    });
    return {
      project,
      workers: workers ?? 1,
      threads: threads ?? settings.threads,
      middleware: middleware.flatMap((item): MiddlewareEntry[] => {
        const parsed = parseMiddleware(item, base);
        return 'value' in parsed ? [parsed.value] : [];
      }),
    };
  } catch (error) {
    if (!(error instanceof ViaductError)) throw error;
    const where = placeOf(siteEntries)(['apps', name, 'target']);
    throw new ViaductError(error.code, `application ${name} (${where}): ${error.message}`, { advice: error.advice });
  }
}

function namedFindings(name: string, { project }: NamedApplication): Finding[] {
  return project.findings
    .filter(({ subject }) => subject === 'application' || subject === 'python')
    .map((finding) => ({ ...finding, subject: name }));
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
