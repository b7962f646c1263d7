import { type PythonMiddleware, pythonMiddleware } from '../config/middleware.ts';
import type { Settings } from '../config/settings.ts';
import { describeThrown } from '../errors.ts';
import type { Request } from '../http/message.ts';
import { requestFields } from '../http/request-id.ts';
import type { Log } from '../log/log.ts';
import { programFile } from '../program-files.ts';
import type { WaitingInterpreter } from '../project/waiting-interpreter.ts';
import { recordThrown } from '../trace/record-thrown.ts';
import { VERSION } from '../version.ts';
import { preloadOf } from '../workers/preload.ts';
import type { ReleaseOptions } from '../workers/release-options.ts';
import type { SupervisorOptions } from '../workers/supervisor-options.ts';
import type { ApplicationOptions } from '../wsgi/application-options.ts';
import { errorStream } from '../wsgi/error-stream.ts';
import { onceEach } from '../wsgi/notices.ts';
import type { ListenerEnviron } from '../wsgi/variables.ts';
import type { ApplicationTable } from './applications.ts';
import { type Configuration, countsMetrics, MAIN, type NamedApplication } from './configuration.ts';
import { raisedPage } from './raised-page.ts';
import { reloadPolicy } from './reload-policy.ts';
import { isTracing } from './trace-options.ts';

const RAISED = 'The application raised an exception';

/** The frames of this program are not the project's. */
const PROGRAM = programFile('');

/** Python's log records have the id of the request. */
const NOTES_REQUEST_ID: PythonMiddleware = {
  language: 'python',
  path: 'viaduct_worker.request_id:noting',
  options: {},
};

/** The options that each Python application of `configuration` starts with, by name. */
export function applicationTable(
  configuration: Configuration,
  listeners: readonly ListenerEnviron[],
  log: Log,
  waiting?: WaitingInterpreter,
): ApplicationTable {
  const { settings, project, applications } = configuration;
  const { workers, workersMin, threads, middleware, preload, wrap, dev, responseBufferBytesMax } = settings;
  const { environVariables, startTimeoutMs, workerTimeoutMs, captureOutput, gracefulTimeoutMs } = settings;
  const { probe, watch_ms: watchMs } = reloadPolicy(configuration);
  const options = (application: NamedApplication): SupervisorOptions => ({
    release: {
      ...application,
      ...scalingOf(application, settings),
      limits: settings,
      middleware: [...(settings.requestId ? [NOTES_REQUEST_ID] : []), ...pythonMiddleware(application.middleware)],
      applicationMetrics: settings.applicationMetrics && countsMetrics(settings),
      tracing: isTracing(configuration),
      describesFailures: dev,
      shared: settings.processes > 1,
      wrap,
      preload: preloadOf(preload, configuration.preloadIsWritten === true),
      software: `viaduct/${VERSION}`,
      listeners,
      environVariables,
      captureOutput,
      startTimeoutMs,
      workerTimeoutMs,
      gracefulTimeoutMs,
      hasTrial: probe.length > 0 || watchMs > 0,
      watchMs,
    },
    pool: dev ? { ...settings, requestTimeoutMs: 0, streamTimeoutMs: 0 } : settings, // a debugger may hold a request
    responseBufferBytesMax,
    errorResponse: (traceback, request) => raisedPage(settings, RAISED, traceback, request),
    log,
  });
  const table = new Map<string, SupervisorOptions>();
  if (project !== null) {
    const main = options({ project, workers, workersMin, threads, middleware, hooks: configuration.site?.hooks });
    table.set(MAIN, { ...main, release: { ...main.release, waiting } });
  }
  for (const [name, application] of Object.entries(applications)) table.set(name, options(application));
  return table;
}

function scalingOf(
  { workers, workersMin }: NamedApplication,
  { workersIdleMs }: Settings,
): Pick<ReleaseOptions, 'scaling'> {
  return workersMin === 0 || workersMin >= workers ? {} : { scaling: { workersMin, workersIdleMs } };
}

/** The options that applications in TypeScript are served with. */
export function applicationOptions(
  { settings }: Configuration,
  listeners: readonly ListenerEnviron[],
  log: Log,
): ApplicationOptions {
  const { processes, requestId } = settings;
  return {
    listeners,
    software: `viaduct/${VERSION}`,
    multiprocess: processes > 1,
    requestId,
    errors: errorStream((line) => log.info(line)),
    onError: (error, request) => {
      const { trace } = request.record;
      if (trace !== null) trace.thrown = recordThrown(error, PROGRAM);
      log.error(describeThrown(error), requestFields(request));
    },
    onNotice: onceEach((text, request: Request) => log.warn(text, requestFields(request))),
    errorResponse: (error, request) => raisedPage(settings, RAISED, describeThrown(error), request),
  };
}
