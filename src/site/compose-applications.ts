import type { MiddlewareEntry, PythonMiddleware } from '../config/middleware.ts';
import { ViaductError } from '../errors.ts';
import type { Next } from '../http/handler.ts';
import type { ApplicationOptions } from '../wsgi/application-options.ts';
import { compose } from '../wsgi/compose.ts';
import type { Application, Middleware } from '../wsgi/contract.ts';
import { builtinMiddleware } from '../wsgi/middleware/builtin.ts';
import { applicationOf, isDirect } from '../wsgi/native-application.ts';
import { serveApplication } from '../wsgi/serve-application.ts';
import { validator } from '../wsgi/validator/validator.ts';
import { applicationNames, type Configuration, MAIN } from './configuration.ts';
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
  /** Ends what was made for this configuration; what was given lives on. */
  close(): Promise<void>;
}

/**
 * Imports the applications and the middleware that are written in TypeScript, starts them, and puts the middleware around them and around the
 * Python applications.
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
  const close = async (): Promise<void> => {
    await Promise.all(own.map((application) => application.close?.()));
  };
  try {
    for (const name of names) {
      const lent = given.get(name);
      const module = configuration.modules[name];
      await lent?.start?.(server.listeners);
      const application =
        lent ?? (module === undefined ? applicationOf(python(name)) : await loader.application(module));
      const middleware = await Promise.all(
        middlewareOf(configuration, name).map((entry) => loadMiddleware(entry, loader)),
      );
      const chain = configuration.settings.dev ? checked(middleware, application) : middleware;
      const composed = compose(...chain)(lent !== undefined && chain.length > 0 ? withoutLife(lent) : application);
      if (composed !== lent) {
        own.push(composed);
        await composed.start?.(server.listeners);
      }
      nexts.set(name, serveApplication(composed, server));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { names, next: (name) => nexts.get(name) ?? missing(name), close };
}

/** What is around an application here; Python middleware is around it in the workers. */
function middlewareOf({ settings, applications, modules }: Configuration, name: string): HereMiddleware[] {
  const entries = name === MAIN ? settings.middleware : (applications[name] ?? modules[name])?.middleware;
  return (entries ?? []).filter((entry) => entry.language !== 'python');
}

/** What is lent is not to be closed with what is around it. */
function withoutLife(application: Application): Application {
  return (environ, startResponse) => application(environ, startResponse);
}

/** `middleware` with a validator on each side. A Python application that stands alone is checked by its workers, and keeps its direct way. */
function checked(middleware: readonly Middleware[], application: Application): readonly Middleware[] {
  if (middleware.length === 0 && isDirect(application)) return [];
  const check = validator();
  return [...middleware.flatMap((one) => [check, one]), check];
}

type HereMiddleware = Exclude<MiddlewareEntry, PythonMiddleware>;

async function loadMiddleware(entry: HereMiddleware, loader: ModuleLoader): Promise<Middleware> {
  if (entry.language === 'typescript') return loader.middleware(entry, entry.options);
  return builtinMiddleware(entry.name, entry.options);
}

function missing(name: string): never {
  throw new ViaductError('USAGE', `Cannot serve application "${name}": it does not run`);
}
