import type { MiddlewareEntry, PythonMiddleware } from '../config/middleware.ts';
import { ViaductError } from '../errors.ts';
import type { Handler, Next } from '../http/handler.ts';
import { addsTraceParent, composeTraced } from '../routing/traced-chain.ts';
import type { ApplicationOptions } from '../wsgi/application-options.ts';
import { compose } from '../wsgi/compose.ts';
import type { Application, Middleware } from '../wsgi/contract.ts';
import { applicationOf, isNative } from '../wsgi/native-application.ts';
import { serveApplication } from '../wsgi/serve-application.ts';
import { applicationNames, type Configuration, MAIN } from './configuration.ts';
import { ModuleLoader } from './modules.ts';
import { unlessAborted } from './unless-aborted.ts';

export interface ApplicationParts {
  /** The function that answers with the Python application of this name. */
  readonly python: (name: string) => Next;
  /** Applications that the program which starts the server passes, by name. The program closes them. */
  readonly callerApplications: ReadonlyMap<string, Application>;
  readonly server: ApplicationOptions;
  /** Goes around each application; null or absent for nothing. */
  readonly around?: Handler | null;
  /** Lets an import or a start that never ends fail. */
  readonly signal: AbortSignal;
}

/** The applications of a configuration, each with its middleware around it. */
export interface ComposedApplications {
  readonly names: ReadonlySet<string>;
  /** The function that answers with the application of this name, which must be among `names`. */
  readonly next: (name: string) => Next;
  /** Closes the applications and middleware of this configuration, but not those of the caller. */
  close(): Promise<void>;
}

/**
 * Imports the applications and the middleware in TypeScript, starts them, and puts the middleware around them and around the Python
 * applications. All of this must end within `startTimeoutMs`.
 *
 * @throws ViaductError `APPLICATION_BROKEN` or `APPLICATION_MISSING`, `WORKER` after that time
 */
export async function composeApplications(
  configuration: Configuration,
  { python, callerApplications, server, around = null, signal }: ApplicationParts,
): Promise<ComposedApplications> {
  const loader = new ModuleLoader();
  const started: Application[] = [];
  const nexts = new Map<string, Next>();
  const names = new Set([...applicationNames(configuration), ...callerApplications.keys()]);
  const close = async (): Promise<void> => {
    await Promise.all(started.map((application) => application.close?.()));
  };
  const late = new AbortController();
  let starting = '';
  const { startTimeoutMs } = configuration.settings;
  const timer = setTimeout(() => late.abort(timedOut(starting, startTimeoutMs)), startTimeoutMs);
  const inTime = AbortSignal.any([signal, late.signal]);
  const start = (application: Application): Promise<void> =>
    unlessAborted(inTime, Promise.resolve(application.start?.(server.listeners)));
  try {
    for (const name of names) {
      starting = name;
      const callerApplication = callerApplications.get(name);
      const module = configuration.modules[name];
      if (callerApplication !== undefined) await start(callerApplication);
      const application =
        callerApplication ??
        (module === undefined ? applicationOf(python(name)) : await unlessAborted(inTime, loader.application(module)));
      const middleware = await unlessAborted(
        inTime,
        Promise.all(middlewareOf(configuration, name).map((entry) => loadMiddleware(entry, loader))),
      );
      const chain = configuration.settings.dev ? await validated(middleware, application) : middleware;
      const composed = compose(...chain)(
        callerApplication !== undefined && chain.length > 0 ? callOnly(callerApplication) : application,
      );
      if (composed !== callerApplication) {
        started.push(composed);
        await start(composed);
      }
      const served = serveApplication(composed, server);
      // A worker adds fields to the environ. Middleware and applications in TypeScript read those of the request.
      const isPython = callerApplication === undefined && module === undefined && chain.length === 0;
      const next = isPython ? addsTraceParent(served) : served;
      nexts.set(name, around === null ? next : composeTraced([around], { name, next, recordsSteps: true }));
    }
  } catch (error) {
    await unlessAborted(signal, close());
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return { names, next: (name) => nexts.get(name) ?? missing(name), close };
}

/** The middleware that runs in this process. Python middleware runs in the workers. */
function middlewareOf({ settings, applications, modules }: Configuration, name: string): LocalMiddleware[] {
  const entries = name === MAIN ? settings.middleware : (applications[name] ?? modules[name])?.middleware;
  return (entries ?? []).filter((entry) => entry.language !== 'python');
}

/** The caller owns its application, so closing the middleware must not close the application. */
function callOnly(application: Application): Application {
  return (environ, startResponse) => application(environ, startResponse);
}

/** `middleware` with a validator on each side. A Python application without middleware is called directly, because its workers validate it. */
async function validated(middleware: readonly Middleware[], application: Application): Promise<readonly Middleware[]> {
  if (middleware.length === 0 && isNative(application)) return [];
  const { validator } = await import('../wsgi/validator/validator.ts');
  const check = validator();
  return [...middleware.flatMap((inner) => [check, inner]), check];
}

type LocalMiddleware = Exclude<MiddlewareEntry, PythonMiddleware>;

async function loadMiddleware(entry: LocalMiddleware, loader: ModuleLoader): Promise<Middleware> {
  if (entry.language === 'typescript') return loader.middleware(entry, entry.options);
  const { builtinMiddleware } = await import('../wsgi/middleware/builtin.ts');
  return builtinMiddleware(entry.name, entry.options);
}

function timedOut(name: string, startTimeoutMs: number): ViaductError {
  const seconds = startTimeoutMs / 1000;
  return new ViaductError('WORKER', `Cannot start application "${name}": it was not ready after ${seconds} s`, {
    advice: 'An await of its import or of its middleware, or its function start, does not end.',
  });
}

function missing(name: string): never {
  throw new ViaductError('USAGE', `Cannot serve application "${name}": it is not running`);
}
