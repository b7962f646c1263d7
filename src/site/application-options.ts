import type { ApplicationServerOptions } from '../app/application-server.ts';
import type { ListenerEnviron } from '../app/release.ts';
import { pythonMiddleware } from '../config/middleware.ts';
import type { Log } from '../observe/log.ts';
import { VERSION } from '../version.ts';
import { plainError, tracebackPage } from '../web/error-page.ts';
import { type ApplicationTable, MAIN } from './applications.ts';
import type { Configuration, NamedApplication } from './configuration.ts';

/** What each application of `configuration` is started with. */
export function applicationTable(
  configuration: Configuration,
  listeners: readonly ListenerEnviron[],
  log: Log,
): ApplicationTable {
  const { settings, project, applications } = configuration;
  const { workers, threads, middleware, preload, dev, responseBufferBytesMax, startTimeoutMs } = settings;
  const options = (application: NamedApplication): ApplicationServerOptions => ({
    release: {
      ...application,
      middleware: pythonMiddleware(application.middleware),
      shared: settings.fronts > 1,
      preload,
      software: `viaduct/${VERSION}`,
      listeners,
    },
    pool: settings,
    responseBufferBytesMax,
    startTimeoutMs,
    errorResponse: (traceback) =>
      dev ? tracebackPage('The application raised an exception', traceback) : plainError(),
    log,
  });
  const table = new Map<string, ApplicationServerOptions>();
  if (project !== null) table.set(MAIN, options({ project, workers, threads, middleware }));
  for (const [name, application] of Object.entries(applications)) table.set(name, options(application));
  return table;
}
