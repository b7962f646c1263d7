import type { MiddlewareEntry } from '../config/middleware.ts';
import type { Settings } from '../config/settings.ts';
import type { Place } from '../config/site/keys.ts';
import type { Site } from '../config/site/schema.ts';
import type { Project } from '../project/project.ts';
import type { ModuleExport } from './modules.ts';

/** Everything that a server is made of, found and validated. Plain data: it travels between processes. */
export interface Configuration {
  readonly settings: Settings;
  /** The application that needs no configuration; null when there is none and routes answer everything. */
  readonly project: Project | null;
  /** Routes and the like; null when there are none. */
  readonly site: Site | null;
  /** Where relative paths of a key start. Absolute. */
  readonly bases: Readonly<Record<string, string>>;
  /** Where `listen` comes from, for messages: `viaduct.toml:1`; '' for the default. */
  readonly listenOrigin: string;
  /** Python applications that routes name. */
  readonly applications: Readonly<Record<string, NamedApplication>>;
  /** Applications in TypeScript by name; `MAIN` is the one that is served where no route says otherwise. */
  readonly modules: Readonly<Record<string, ModuleApplication>>;
}

/** The name of the application that needs no configuration. */
export const MAIN = 'main';

/** Names of the applications that a configuration has. */
export function applicationNames({
  project,
  applications,
  modules,
}: Pick<Configuration, 'project' | 'applications' | 'modules'>): ReadonlySet<string> {
  return new Set([...Object.keys(applications), ...Object.keys(modules), ...(project === null ? [] : [MAIN])]);
}

export interface NamedApplication {
  readonly project: Project;
  readonly workers: number;
  readonly threads: number;
  /** Around the application, the outermost first; that of the main application is a setting. */
  readonly middleware: readonly MiddlewareEntry[];
}

export interface ModuleApplication extends ModuleExport {
  readonly middleware: readonly MiddlewareEntry[];
}

/** For a configuration that was validated before: there are no mistakes to tell the place of. */
export const NOWHERE: Place = () => '';
