import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type MiddlewareEntry, middlewareName, parseMiddleware } from '../config/middleware.ts';
import { sourceLocationOf } from '../config/site-entries.ts';
import { ViaductError } from '../errors.ts';
import { discoverProject } from '../project/discover.ts';
import type { RunAs } from '../project/interpreter.ts';
import type { Finding, Project } from '../project/project.ts';
import type { WaitingInterpreter } from '../project/waiting-interpreter.ts';
import { type Configuration, MAIN, type ModuleApplication, type NamedApplication } from './configuration.ts';
import type { LoadedConfiguration } from './load-configuration.ts';
import { type ModuleExport, moduleTarget } from './modules.ts';
import type { ApplicationConfig } from './schema/site.ts';

export type FoundApplications = Pick<Configuration, 'project' | 'applications' | 'modules' | 'bases'>;

export interface FindOptions {
  /** The user that runs the projects' own code; null for the user of this process. */
  readonly runAs: RunAs | null;
  /** Whether to search for a main application that no setting names. */
  readonly searches: boolean;
  /** The interpreter to ask for the main application. */
  readonly waiting?: WaitingInterpreter | undefined;
}

/**
 * Finds the applications that the configuration names, in Python and in TypeScript.
 *
 * @throws ViaductError as `discoverProject` does
 */
export async function findApplications(
  loaded: LoadedConfiguration,
  cwd: string,
  { runAs, searches, waiting }: FindOptions,
): Promise<FoundApplications> {
  const { site, siteEntries } = loaded;
  const bases = Object.fromEntries([...siteEntries].map(([key, { base }]) => [key, base]));
  const applications: Record<string, NamedApplication> = {};
  const modules: Record<string, ModuleApplication> = {};
  const main = searches || loaded.settings.target !== null ? await findMain(loaded, cwd, runAs, waiting) : null;
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
      if (config.hooks !== undefined)
        throw noHooks(name, sourceLocationOf(siteEntries).describe(['apps', name, 'hooks']));
      const where = sourceLocationOf(siteEntries).position(['apps', name, 'middleware']);
      modules[name] = { ...module, middleware: aroundModule(middlewareOf(config, base), module, where) };
    }
    if (module === null) applications[name] = await findNamed(name, config, loaded, base, directory, runAs);
  }
  return { project: main !== null && 'module' in main ? null : main, applications, modules, bases };
}

/** What discovery found about the applications that routes name. */
export function namedFindings({ applications }: FoundApplications): Finding[] {
  return Object.entries(applications).flatMap(([name, { project }]) =>
    project.findings
      .filter(({ subject }) => ['application', 'python', 'static'].includes(subject))
      .map((finding) => ({ ...finding, subject: name })),
  );
}

/** If there are routes, the main application may be missing: routes can answer everything. */
async function findMain(
  { settings, site }: LoadedConfiguration,
  cwd: string,
  runAs: RunAs | null,
  waiting: WaitingInterpreter | undefined,
): Promise<Project | ModuleExport | null> {
  const { target, chdir, python, dev, static: staticMounts } = settings;
  const module = target === null ? null : moduleTarget(target, chdir ?? cwd);
  if (module !== null) return module;
  try {
    return await discoverProject({ target, chdir: chdir ?? cwd, python, dev, staticMounts, runAs, waiting });
  } catch (error) {
    const isNeeded = target !== null || site === null || site.route.length === 0;
    if (isNeeded || !(error instanceof ViaductError) || error.code !== 'APPLICATION_MISSING') throw error;
    return null;
  }
}

async function findNamed(
  name: string,
  config: ApplicationConfig,
  { settings, siteEntries }: LoadedConfiguration,
  base: string,
  directory: string,
  runAs: RunAs | null,
): Promise<NamedApplication> {
  const { target, python, threads, hooks } = config;
  const path = resolve(directory, target);
  try {
    const project = await discoverProject({
      target: statSync(path, { throwIfNoEntry: false }) === undefined ? target : path,
      chdir: directory,
      python: python === undefined ? settings.python : resolve(base, python),
      dev: settings.dev,
      staticMounts: [],
      runAs,
    });
    const middleware = middlewareOf(config, base);
    return { project, ...workersOf(config), threads: threads ?? settings.threads, middleware, hooks };
  } catch (error) {
    if (!(error instanceof ViaductError)) throw error;
    const where = sourceLocationOf(siteEntries).position(['apps', name, 'target']);
    throw new ViaductError(error.code, `application ${name} (${where}): ${error.message}`, { advice: error.advice });
  }
}

function workersOf({ workers = 1 }: ApplicationConfig): Pick<NamedApplication, 'workers' | 'workersMin'> {
  if (typeof workers === 'number') return { workers, workersMin: 0 };
  return { workers: workers.max ?? 1, workersMin: workers.min ?? 0 };
}

/** Hooks run in workers, and an application in TypeScript has no workers. */
function noHooks(name: string, where: string): ViaductError {
  return new ViaductError('SETTINGS', `Cannot use ${where}: hooks are in Python, and application ${name} is not`);
}

/** Python middleware runs in workers, and an application in TypeScript has no workers. */
function aroundModule(
  entries: readonly MiddlewareEntry[],
  { module }: ModuleExport,
  where: string,
): readonly MiddlewareEntry[] {
  const python = entries.find(({ language }) => language === 'python');
  if (python === undefined) return entries;
  throw new ViaductError(
    'SETTINGS',
    `Cannot use middleware ${middlewareName(python)} (${where}): it is in Python, and ${module} is not`,
  );
}

/** The middleware of an application. The schema has checked its form. */
function middlewareOf({ middleware }: ApplicationConfig, base: string): MiddlewareEntry[] {
  return middleware.flatMap((item) => {
    const parsed = parseMiddleware(item, base);
    return 'value' in parsed ? [parsed.value] : [];
  });
}
