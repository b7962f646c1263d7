import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { LoadedSettings } from '../config/load.ts';
import { type MiddlewareEntry, middlewareName, parseMiddleware } from '../config/middleware.ts';
import { placeOf } from '../config/site/keys.ts';
import type { ApplicationConfig } from '../config/site/schema.ts';
import { ViaductError } from '../errors.ts';
import { discoverProject } from '../project/discover.ts';
import type { RunAs } from '../project/interpreter.ts';
import type { Finding, Project } from '../project/project.ts';
import { type Configuration, MAIN, type ModuleApplication, type NamedApplication } from './configuration.ts';
import { type ModuleExport, moduleTarget } from './modules.ts';

export type FoundApplications = Pick<Configuration, 'project' | 'applications' | 'modules' | 'bases'>;

export interface FindOptions {
  /** As whom the projects' own code runs; null for this process's user. */
  readonly runAs: RunAs | null;
  /** Whether a main application that nothing names is looked for where frameworks put them. */
  readonly searches: boolean;
}

/**
 * Finds the applications that settings name, in Python and in TypeScript.
 *
 * @throws ViaductError as `discoverProject` does
 */
export function findApplications(
  loaded: LoadedSettings,
  cwd: string,
  { runAs, searches }: FindOptions,
): FoundApplications {
  const { site, siteEntries } = loaded;
  const bases = Object.fromEntries([...siteEntries].map(([key, { base }]) => [key, base]));
  const applications: Record<string, NamedApplication> = {};
  const modules: Record<string, ModuleApplication> = {};
  const main = searches || loaded.settings.target !== null ? findMain(loaded, cwd, runAs) : null;
  if (main !== null && 'module' in main)
    modules[MAIN] = {
      ...main,
      middleware: aroundModule(loaded.settings.middleware, main, loaded.origins.get('middleware') ?? ''),
    };
  for (const [name, config] of Object.entries(site?.apps ?? {})) {
    const base = bases.apps ?? cwd;
    const directory = config.chdir === undefined ? base : resolve(base, config.chdir);
    const module = moduleTarget(config.target, directory);
    if (module !== null) {
      const where = placeOf(siteEntries)(['apps', name, 'middleware']);
      modules[name] = { ...module, middleware: aroundModule(middlewareOf(config, base), module, where) };
    }
    if (module === null) applications[name] = findNamed(name, config, loaded, base, directory, runAs);
  }
  return { project: main !== null && 'module' in main ? null : main, applications, modules, bases };
}

/** What was found out about the applications that routes name, for people. */
export function namedFindings({ applications }: FoundApplications): Finding[] {
  return Object.entries(applications).flatMap(([name, { project }]) =>
    project.findings
      .filter(({ subject }) => subject === 'application' || subject === 'python')
      .map((finding) => ({ ...finding, subject: name })),
  );
}

/** With routes there need not be an application: they may answer everything. */
function findMain({ settings, site }: LoadedSettings, cwd: string, runAs: RunAs | null): Project | ModuleExport | null {
  const { target, chdir, python, dev, static: staticMounts } = settings;
  const module = target === null ? null : moduleTarget(target, chdir ?? cwd);
  if (module !== null) return module;
  try {
    return discoverProject({ target, chdir: chdir ?? cwd, python, dev, staticMounts, runAs });
  } catch (error) {
    const isNeeded = target !== null || site === null || site.route.length === 0;
    if (isNeeded || !(error instanceof ViaductError) || error.code !== 'APPLICATION_MISSING') throw error;
    return null;
  }
}

function findNamed(
  name: string,
  config: ApplicationConfig,
  { settings, siteEntries }: LoadedSettings,
  base: string,
  directory: string,
  runAs: RunAs | null,
): NamedApplication {
  const { target, python, workers, threads } = config;
  const path = resolve(directory, target);
  try {
    const project = discoverProject({
      target: statSync(path, { throwIfNoEntry: false }) === undefined ? target : path,
      chdir: directory,
      python: python === undefined ? settings.python : resolve(base, python),
      dev: settings.dev,
      staticMounts: [],
      runAs,
    });
    const middleware = middlewareOf(config, base);
    return { project, workers: workers ?? 1, threads: threads ?? settings.threads, middleware };
  } catch (error) {
    if (!(error instanceof ViaductError)) throw error;
    const where = placeOf(siteEntries)(['apps', name, 'target']);
    throw new ViaductError(error.code, `application ${name} (${where}): ${error.message}`, { advice: error.advice });
  }
}

/** Python middleware runs in workers, and an application in TypeScript has none. */
function aroundModule(
  entries: readonly MiddlewareEntry[],
  { module }: ModuleExport,
  where: string,
): readonly MiddlewareEntry[] {
  const python = entries.find(({ language }) => language === 'python');
  if (python === undefined) return entries;
  throw new ViaductError(
    'SETTINGS',
    `Cannot use middleware ${middlewareName(python)} (${where}): it is written in Python, and ${module} is not`,
  );
}

/** Its form was checked with the rest of the file. */
function middlewareOf({ middleware }: ApplicationConfig, base: string): MiddlewareEntry[] {
  return middleware.flatMap((item) => {
    const parsed = parseMiddleware(item, base);
    return 'value' in parsed ? [parsed.value] : [];
  });
}
