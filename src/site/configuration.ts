import type { MiddlewareEntry } from '../config/middleware.ts';
import type { Settings } from '../config/settings.ts';
import { type SourceLocation, sourceLocationOf } from '../config/site-entries.ts';
import type { Project } from '../project/project.ts';
import type { HookPaths } from '../workers/hooks.ts';
import type { ModuleExport } from './modules.ts';
import type { Site } from './schema/site.ts';

/** Everything that a server needs, found and validated. It is plain data, so that it can be sent to other processes. */
export interface Configuration {
  readonly settings: Settings;
  /** The Python application that Viaduct finds without configuration; null if there is none and routes answer everything. */
  readonly project: Project | null;
  /** Routes, handlers, applications and TLS; null if the configuration has none of them. */
  readonly site: Site | null;
  /** The absolute path of the directory where relative paths of a key start, by key. */
  readonly bases: Readonly<Record<string, string>>;
  /** The origin of `listen`, for messages: `viaduct.toml:1`; '' for the default. */
  readonly listenOrigin: string;
  /** Whether all clients are front-end proxies, which follow fields such as X-Accel-Redirect. False when absent. */
  readonly passesControls?: boolean;
  /** Whether somebody wrote the setting `preload`. False when absent: then an application that forks would harm is not preloaded. */
  readonly preloadIsWritten?: boolean;
  /** Python applications that routes name. */
  readonly applications: Readonly<Record<string, NamedApplication>>;
  /** Applications in TypeScript by name. `MAIN` is the application for requests that match no route. */
  readonly modules: Readonly<Record<string, ModuleApplication>>;
}

/** The name of the main application, which needs no configuration. */
export const MAIN = 'main';

/** Names of the applications in a configuration. */
export function applicationNames({
  project,
  applications,
  modules,
}: Pick<Configuration, 'project' | 'applications' | 'modules'>): ReadonlySet<string> {
  return new Set([...Object.keys(applications), ...Object.keys(modules), ...(project === null ? [] : [MAIN])]);
}

/** Whether somebody gets metrics: then the server counts. */
export function countsMetrics({ admin, otlpUrl, dev, devPages }: Settings): boolean {
  return admin.length > 0 || otlpUrl !== null || (dev && devPages !== 'off');
}

export interface NamedApplication {
  readonly project: Project;
  /** The most workers. */
  readonly workers: number;
  /** The fewest workers; 0 for as many as `workers`. */
  readonly workersMin: number;
  readonly threads: number;
  /** The middleware around the application, the outermost first. For the main application it is a setting. */
  readonly middleware: readonly MiddlewareEntry[];
  /** None when absent. For the main application they are those of the site. */
  readonly hooks?: HookPaths | undefined;
}

export interface ModuleApplication extends ModuleExport {
  readonly middleware: readonly MiddlewareEntry[];
}

/** For a configuration that was validated before, so that no error needs a location. */
export const NOWHERE: SourceLocation = sourceLocationOf(new Map());
