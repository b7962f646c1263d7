import { ViaductError } from '../errors.ts';
import type { ApplicationOptions } from '../gateway/application-options.ts';
import { compose } from '../gateway/compose.ts';
import type { Application } from '../gateway/contract.ts';
import { applicationOf } from '../gateway/direct.ts';
import { serveApplication } from '../gateway/serve-application.ts';
import type { Next } from '../http/handler.ts';
import { applicationNames, type Configuration } from './configuration.ts';
import { ModuleLoader } from './modules.ts';

export interface ApplicationParts {
  /** Answers with the Python application of that name. */
  readonly python: (name: string) => Next;
  /** Applications that whoever starts the server has made, by name. */
  readonly given: ReadonlyMap<string, Application>;
  readonly server: ApplicationOptions;
}

/** The applications of a configuration, each behind its middleware. */
export interface ComposedApplications {
  readonly names: ReadonlySet<string>;
  /** Answers requests with the application of that name, which is among `names`. */
  readonly next: (name: string) => Next;
  /** Brings them up. */
  start(): Promise<void>;
  /** Ends what was made for this configuration; what was given lives on. */
  close(): Promise<void>;
}

/**
 * Imports the applications and the middleware that are written in TypeScript, and puts the middleware around them and around the Python
 * applications.
 *
 * @throws ViaductError `APPLICATION_BROKEN` or `APPLICATION_MISSING`
 */
export async function composeApplications(
  configuration: Configuration,
  { python, given, server }: ApplicationParts,
): Promise<ComposedApplications> {
  const loader = new ModuleLoader();
  const own: Application[] = [];
  const nexts = new Map<string, Next>();
  const names = new Set([...applicationNames(configuration), ...given.keys()]);
  for (const name of names) {
    const module = configuration.modules[name];
    let application = given.get(name);
    if (application === undefined && module !== undefined) {
      application = await loader.application(module);
      own.push(application);
    }
    application ??= applicationOf(python(name));
    const wrapped = compose()(application);
    nexts.set(name, serveApplication(wrapped, server));
  }
  return {
    names,
    next: (name) => nexts.get(name) ?? missing(name),
    async start() {
      await Promise.all([...own, ...given.values()].map((application) => application.start?.()));
    },
    async close() {
      await Promise.all(own.map((application) => application.close?.()));
    },
  };
}

function missing(name: string): never {
  throw new ViaductError('USAGE', `Cannot serve application "${name}": it does not run`);
}
