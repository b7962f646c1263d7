import type { BesideStatus } from '../../beside/beside.ts';
import type { Next } from '../../http/handler.ts';
import type { Response } from '../../http/response.ts';
import type { Reopened } from '../../log/output.ts';
import { type Family, withSamples } from '../../metrics/family.ts';
import type { Scaled } from '../../site/applications.ts';
import { MAIN } from '../../site/configuration.ts';
import { newOneTimeToken, TRACE_FIELD } from '../../trace/token.ts';
import { USUAL_DETAILS } from '../../trace/trace.ts';
import type { LiveRequest } from '../live-requests.ts';
import type { ServerStatus, WorkerStacks } from '../status.ts';
import { type TraceApiSource, traceApi } from '../trace/trace-api.ts';
import { backendsApi, type ControlledBackends } from './backends-api.ts';
import { type ControlledLogs, followLogs, recentLogs } from './logs-api.ts';
import { failed, json, notAllowed } from './responses.ts';

/** Who a server is. It is sent as JSON, as it is. */
export interface ServerIdentity {
  readonly version: string;
  /** The name of its project. */
  readonly name: string;
  /** Of the process that gets the signals. */
  readonly pid: number;
  /** Where its process ids are valid, as pid_namespaces(7) names it, such as `pid:[4026531836]`; null on a system without /proc. */
  readonly pid_namespace: string | null;
  /** ISO 8601. */
  readonly started_at: string;
  /** Absolute paths: where it was started, and where its project is; with and without symbolic links. */
  readonly directories: readonly string[];
  /** Absolute path of the settings file that the setting `config` names; null if it names none. */
  readonly settings_file: string | null;
}

/** How a reload ended. */
export interface ReloadOutcome {
  /** Why the old configuration stays; null if the new one serves. */
  readonly error: string | null;
  /** The traceback of an application that cannot be imported, or did not answer as it should; null without one. */
  readonly traceback: string | null;
  readonly duration_ms: number;
}

/** The last reload that is over. */
export interface LastReload extends ReloadOutcome {
  /** ISO 8601. */
  readonly ended_at: string;
}

/** What the API shows and changes. */
export interface ControlledServer extends ControlledBackends, ControlledLogs {
  readonly identity: ServerIdentity;
  status(): Promise<ServerStatus>;
  /** Sidecars and schedules. */
  beside(): BesideStatus;
  requests(): Promise<readonly LiveRequest[]>;
  stacks(worker: number | null): Promise<readonly WorkerStacks[]>;
  drain(draining: boolean): Promise<void>;
  scale(application: string, workers: number): Promise<Scaled>;
  /** Opens the files of the logs again, in all server processes. */
  reopenLogs(): Reopened;
  /** Null before the first reload is over. */
  lastReload(): LastReload | null;
  /** Resolves when a reload that started later than this call is over. */
  reload(): Promise<ReloadOutcome>;
  /** All metrics; null if nothing is counted, because the setting `admin` is not set. */
  metrics(): Promise<readonly Family[] | null>;
  /** Its traces, and what its pages show. */
  readonly traces: TraceApiSource;
  /** Starts to stop the server. */
  stop(): void;
}

/** As of the setting `workers`. */
const WORKERS_MAX = 256;

/** The path before those of the resources that the pages have below `api/`. */
const TRACES = '/traces/';

type Answer = (control: ControlledServer, query: URLSearchParams) => Promise<Response>;

/** The resources by path, each with its only method. docs/control-api.yaml describes them. */
const RESOURCES: ReadonlyMap<string, readonly [method: 'GET' | 'POST', answer: Answer]> = new Map([
  ['/server', ['GET', async ({ identity }) => json(200, identity)]],
  ['/status', ['GET', status]],
  ['/workers', ['GET', async (control) => json(200, workersOf(await control.status()))]],
  ['/requests', ['GET', async (control) => json(200, await control.requests())]],
  ['/stacks', ['GET', stacks]],
  ['/metrics', ['GET', metrics]],
  ['/reload', ['POST', reload]],
  ['/drain', ['POST', drain]],
  ['/scale', ['POST', scale]],
  ['/logs', ['GET', recentLogs]],
  ['/logs/follow', ['GET', followLogs]],
  ['/logs/reopen', ['POST', reopenLogs]],
  ['/traces/token', ['POST', traceToken]],
  ['/stop', ['POST', stop]],
]);

/** Answers the requests of the control socket. */
export function controlApi(control: ControlledServer): Next {
  const backends = backendsApi(control);
  return async (request) => {
    const { method, path, query } = request;
    const resource = RESOURCES.get(path);
    if (resource === undefined && path.startsWith(TRACES))
      return traceApi(control.traces, request, path.slice(TRACES.length));
    if (resource === undefined) return backends(request);
    const [allowed, answer] = resource;
    return method === allowed ? answer(control, new URLSearchParams(query)) : notAllowed(allowed);
  };
}

async function status(control: ControlledServer): Promise<Response> {
  const state = await control.status();
  return json(200, { server: control.identity, reload: control.lastReload(), ...state, ...control.beside() });
}

/** The workers of all server processes, each with its process and its application. */
function workersOf({ processes }: ServerStatus): object[] {
  return processes.flatMap(({ pid, applications }) =>
    applications.flatMap(({ name, workers }) =>
      workers.map((worker) => ({ process: pid, application: name, ...worker })),
    ),
  );
}

async function stacks(control: ControlledServer, query: URLSearchParams): Promise<Response> {
  const text = query.get('worker');
  if (text !== null && !/^\d{1,9}$/.test(text)) return failed(400, 'The worker must be a number or a process id');
  const found = await control.stacks(text === null ? null : Number(text));
  return found.length === 0 && text !== null ? failed(404, `There is no worker ${text}`) : json(200, found);
}

/** JSON has no number for infinity and for what is not a number: these are null. */
async function metrics(control: ControlledServer): Promise<Response> {
  const families = await control.metrics();
  if (families === null) return failed(409, 'The server counts nothing: the setting admin is not set');
  const listed = families.map(withSamples);
  return json(
    200,
    listed.map(({ name, type, help, unit, samples }) => ({ name, type, help, unit, samples })),
  );
}

async function reload(control: ControlledServer): Promise<Response> {
  const outcome = await control.reload();
  return json(outcome.error === null ? 200 : 409, outcome);
}

async function drain(control: ControlledServer, query: URLSearchParams): Promise<Response> {
  const state = query.get('state') ?? 'on';
  if (state !== 'on' && state !== 'off') return failed(400, 'The state must be on or off');
  await control.drain(state === 'on');
  return json(200, { draining: state === 'on' });
}

async function scale(control: ControlledServer, query: URLSearchParams): Promise<Response> {
  const text = query.get('workers') ?? '';
  const workers = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (workers < 1 || workers > WORKERS_MAX)
    return failed(400, `The number of workers must be from 1 to ${WORKERS_MAX}`);
  const application = query.get('app') ?? MAIN;
  const scaled = await control.scale(application, workers);
  if (scaled === 'unknown') return failed(404, `There is no Python application "${application}"`);
  if (scaled === 'changing')
    return failed(
      409,
      `The workers of "${application}" are changing: a reload or a restart is running; try again later`,
    );
  return json(200, { application, workers: scaled });
}

async function reopenLogs(control: ControlledServer): Promise<Response> {
  const { files, problems } = control.reopenLogs();
  if (files === 0) return failed(409, 'The server has no log files: access_log_file and error_log_file are not set');
  return problems.length === 0 ? json(200, { files }) : failed(409, problems.join('; '));
}

/** A token that lets one request be recorded. It is a secret for a short time. */
async function traceToken({ traces }: ControlledServer, query: URLSearchParams): Promise<Response> {
  const profile = query.get('profile') ?? 'false';
  if (profile !== 'true' && profile !== 'false') return failed(400, 'The value of profile must be true or false');
  const token = newOneTimeToken();
  await traces.traces.acceptToken(token, { ...USUAL_DETAILS, profile: profile === 'true' });
  return json(200, { field: TRACE_FIELD, token });
}

async function stop(control: ControlledServer): Promise<Response> {
  control.stop();
  return json(202, { stopping: true });
}
