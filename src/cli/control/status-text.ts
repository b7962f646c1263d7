import type { BesideStatus } from '../../beside/beside.ts';
import type { RunStatus } from '../../beside/schedule.ts';
import { escapeControls } from '../../log/escape.ts';
import type { RouteBackends } from '../../proxy/backend-control.ts';
import type { LastReload, ServerIdentity } from '../../server/control/control-api.ts';
import type { LiveRequest } from '../../server/live-requests.ts';
import type { ProcessStatus, ServerStatus, WorkerStacks } from '../../server/status.ts';
import type {
  ApplicationStatus,
  QueueStatus,
  RunningRequest,
  TrialStatus,
  WorkerStatus,
} from '../../workers/application-status.ts';
import type { Palette } from '../output.ts';
import { type Row, table } from '../table.ts';
import { ageText, countText, durationText, memoryText, shareText } from './amounts.ts';
import { findingsOf } from './findings.ts';
import type { ProcessorUse } from './processor-use.ts';

/** How to write for a person. */
export interface TextOptions {
  readonly colours: Palette;
  /** Columns of the terminal. */
  readonly width: number;
  /** `Date.now()`. */
  readonly nowMs: number;
}

/** With what a command has measured. */
export interface MeasuredOptions extends TextOptions {
  readonly use: ProcessorUse;
}

/** What `GET /status` answers. */
export type FullStatus = ServerStatus &
  BesideStatus & { readonly server: ServerIdentity; readonly reload: LastReload | null };

/** A worker in the answer to `GET /workers`. */
export type ListedWorker = WorkerStatus & { readonly process: number; readonly application: string };

/** What a server does, and before that, what is wrong. */
export function statusText(status: FullStatus, options: MeasuredOptions): string {
  const { colours, width, nowMs, use } = options;
  const { server, urls, processes, backends } = status;
  const findings = findingsOf(status, nowMs, use).map(
    (finding) => `  ${colours.yellow('!')} ${escapeControls(finding)}\n`,
  );
  const age = ageText(server.started_at, nowMs);
  const title = `${colours.bold(escapeControls(server.name))} on ${urls.join(' and ')}, Viaduct ${server.version}, process ${server.pid}, for ${age}`;
  const several = processes.length > 1;
  const sections = processes.flatMap((one, index) => [
    several ? colours.bold(`server process ${index + 1}`) : '',
    table(processRows(one, options), width),
    ...one.applications.map((application) => applicationText(application, options)),
  ]);
  const rest = [
    besideText(status, options),
    certificatesText(status, options),
    backends.length === 0 ? '' : backendsText(backends, options),
  ];
  const blocks = [`${title}\n`, findings.join(''), ...sections, ...rest].filter((block) => block !== '');
  return blocks.map((block) => (block.endsWith('\n') ? block : `${block}\n`)).join('\n');
}

export function workersText(workers: readonly ListedWorker[], options: MeasuredOptions): string {
  if (workers.length === 0) return 'No Python worker runs.\n';
  const several = new Set(workers.map(({ process }) => process)).size > 1;
  const rows = workers.map((worker) => [
    ...(several ? [`${worker.process}`] : []),
    worker.application,
    ...workerRow(worker, options),
  ]);
  const head = [...(several ? ['PROCESS'] : []), 'APPLICATION', ...WORKER_HEAD];
  return table([dimmed(head, options.colours), ...rows], options.width);
}

export function requestsText(requests: readonly LiveRequest[], { colours, width }: TextOptions): string {
  if (requests.length === 0) return 'No request is open.\n';
  const isPlain = requests.every(({ priority }) => priority === 'normal');
  const head = [...(isPlain ? [] : ['PRIORITY']), 'AGE', 'WHERE', 'CLIENT', 'REQUEST'];
  const rows = requests.map(({ method, host, path, client, priority, age_ms, where, worker, backend }) => [
    ...(isPlain ? [] : [priority]),
    age_ms === null ? '?' : durationText(age_ms),
    placeText(where, worker, backend),
    client === '' ? 'unix' : client,
    escapeControls(`${method} ${host}${path}`),
  ]);
  return table([dimmed(head, colours), ...rows], width);
}

function placeText(where: LiveRequest['where'], worker: number | null, backend: string | null): string {
  if (worker !== null) return where === 'worker' ? `worker ${worker}` : `${where} (worker ${worker})`;
  return backend === null ? where : `${where} ${backend}`;
}

export function backendsText(routes: readonly RouteBackends[], { colours, width }: TextOptions): string {
  if (routes.length === 0) return 'No route forwards requests to backends.\n';
  const rows = routes.flatMap(({ route, waiting, backends: states }): Row[] => [
    [colours.bold(route), '', '', '', waiting === 0 ? '' : `${waiting} requests waiting`],
    ...states.map(({ name, state, weight, backup, active }) => [
      `  ${name}`,
      state,
      `weight ${weight}`,
      `${active} active`,
      backup ? 'backup' : '',
    ]),
  ]);
  return table(rows, width);
}

/** Where the threads of workers are, with the innermost call last. */
export function stacksText(workers: readonly WorkerStacks[], { colours }: TextOptions): string {
  if (workers.length === 0) return 'No Python worker runs.\n';
  return workers
    .map(({ application, worker, pid, threads }) => {
      const title = colours.bold(`worker ${worker} of ${application}, process ${pid}`);
      if (threads === null)
        return `${title}\n  It did not answer within 2 s: C code holds its interpreter lock, or it is stopped.\n`;
      const parts = threads.map(({ name, lane, request, running_ms, stack }) => {
        const own = lane === null ? stack : applicationStack(stack);
        const idle = lane === null ? '' : ' waits for a request';
        const does = request === null ? idle : ` runs ${request} for ${durationText(running_ms ?? 0)}`;
        return `  ${escapeControls(`${name}${does}`)}\n${escapeControls(own).replace(/^(?=.)/gm, '  ')}`;
      });
      return [`${title}\n`, ...parts].join('');
    })
    .join('\n');
}

/** The calls of a stack behind those of this program, which are the same for every request. */
function applicationStack(stack: string): string {
  const calls = stack.split(/^(?= {2}File )/m);
  return calls.slice(calls.findLastIndex((call) => call.includes('/viaduct_worker/')) + 1).join('');
}

function processRows(one: ProcessStatus, { colours, use }: MeasuredOptions): Row[] {
  const { pid, state, ready, reasons, connections, rss_bytes } = one;
  const machine = use.machine === null ? '' : `; the machine: ${shareText(use.machine)} of ${use.processors}`;
  return [
    ['  state', state],
    ['  ready', ready ? 'yes' : colours.red(`no: ${reasons.join(', ')}`)],
    ['  connections', `${connections}`],
    ['  memory', `${memoryText(rss_bytes)} (the server process)`],
    ['  processor', `${useText(use, pid)} (the server process)${machine}`],
  ];
}

function useText({ processes }: ProcessorUse, pid: number): string {
  const one = processes.get(pid);
  return one === undefined ? '?' : shareText(one.used);
}

function applicationText(
  { name, release, trial, queue, workers }: ApplicationStatus,
  options: MeasuredOptions,
): string {
  const { colours, width, nowMs } = options;
  const { waiting, oldest_ms, expected_wait_ms } = queue;
  const since =
    release === null ? 'no release serves' : `release ${release.number}, for ${ageText(release.started_at, nowMs)}`;
  const busy = workers.filter(({ threads_busy }) => threads_busy > 0).length;
  const waits =
    waiting === 0
      ? 'nothing waits'
      : colours.red(
          `${countText(waiting, 'request')} waiting${prioritiesText(queue)}, the oldest for ${durationText(oldest_ms)}, expected wait ${durationText(expected_wait_ms)}`,
        );
  const facts: Row[] = [
    [`  application`, `${escapeControls(name)}, ${since}`],
    ...(trial === null ? [] : [['  on trial', trialText(trial, nowMs)]]),
    ['  queue', waits],
    ...pastRows(queue),
    ['  workers', `${busy} of ${workers.length} busy`],
  ];
  const rows = workers.map((worker) => [`  ${worker.number}`, ...workerRow(worker, options).slice(1)]);
  const [first, ...head] = WORKER_HEAD;
  return `${table(facts, width)}\n${table([dimmed([`  ${first}`, ...head], colours), ...rows], width)}`;
}

const PRIORITIES = ['high', 'normal', 'low'] as const;

/** The number of requests by priority, unless all have the same one: ` (2 high, 151 normal)`. */
function prioritiesText({ waiting_by_priority: counts }: QueueStatus): string {
  const present = PRIORITIES.filter((priority) => counts[priority] > 0);
  if (present.length < 2 && counts.normal > 0) return '';
  return ` (${present.map((priority) => `${counts[priority]} ${priority}`).join(', ')})`;
}

/** What became of requests that waited, if some got no worker. */
function pastRows({ entered, left, refused }: QueueStatus): Row[] {
  const reasons = Object.entries(refused).filter(([, count]) => count > 0);
  const total = reasons.reduce((sum, [, count]) => sum + count, 0);
  if (total === 0 && left === 0) return [];
  const why = total === 0 ? '' : ` (${reasons.map(([reason, count]) => `${count} ${reason}`).join(', ')})`;
  return [
    ['  since start', `${countText(entered, 'request')} waited, ${total} refused${why}, ${left} left by their clients`],
  ];
}

function trialText({ number, started_at, requests, failures, p95_ms, crashes }: TrialStatus, nowMs: number): string {
  const died = crashes === 0 ? '' : `, ${countText(crashes, 'worker')} died`;
  const figures = `${countText(requests, 'request')}, ${failures} failed, p95 ${durationText(p95_ms)}${died}`;
  return `release ${number}, for ${ageText(started_at, nowMs)}: ${figures}`;
}

const WORKER_HEAD = ['WORKER', 'PID', 'STATE', 'BUSY', 'CPU', 'DONE', 'RSS', 'UP', 'RUNS'] as const;

function workerRow(worker: WorkerStatus, { colours, nowMs, use }: MeasuredOptions): string[] {
  const { number, pid, state, threads, threads_busy, requests_done, rss_bytes, started_at, requests } = worker;
  const busy = `${threads_busy}/${threads}`;
  return [
    `${number}`,
    `${pid}`,
    state,
    threads_busy === threads ? colours.red(busy) : busy,
    useText(use, pid),
    `${requests_done}`,
    memoryText(rss_bytes),
    ageText(started_at, nowMs),
    requests[0] === undefined ? '' : runningText(requests[0]),
  ];
}

export function runningText({ method, path, running_ms, waits_for_client }: RunningRequest): string {
  const held = waits_for_client ? ' (waits for its client)' : '';
  return escapeControls(`${durationText(running_ms)} ${method} ${path}${held}`);
}

/** Sidecars and schedules. */
function besideText({ sidecars, schedules }: BesideStatus, { colours, width, nowMs }: TextOptions): string {
  const processes = sidecars.map(({ name, pid, state, restarts, started_at, last_end }) => [
    `  ${name}`,
    pid === null ? '' : `${pid}`,
    state === 'running' ? state : colours.yellow(state),
    `${restarts}`,
    started_at === null ? '' : ageText(started_at, nowMs),
    last_end === null ? '' : `ended ${escapeControls(last_end)}`,
  ]);
  const commands = schedules.map(({ name, when, state, pid, next_at, last_run }) => [
    `  ${name}`,
    escapeControls(when),
    next_at === null ? '' : `in ${durationText(Math.max(0, Date.parse(next_at) - nowMs))}`,
    state === 'running' ? `running (pid ${pid ?? '?'})` : runText(last_run, nowMs, colours),
  ]);
  const head = ['  SIDECAR', 'PID', 'STATE', 'RESTARTS', 'UP', 'LAST END'];
  return [
    processes.length === 0 ? '' : table([dimmed(head, colours), ...processes], width),
    commands.length === 0
      ? ''
      : table([dimmed(['  SCHEDULE', 'WHEN', 'NEXT', 'LAST RUN'], colours), ...commands], width),
  ]
    .filter((text) => text !== '')
    .join('\n');
}

function runText(run: RunStatus | null, nowMs: number, colours: Palette): string {
  if (run === null) return 'none so far';
  const { result, started_at, duration_ms, end } = run;
  const text = `${result}, ${ageText(started_at, nowMs)} ago, took ${durationText(duration_ms ?? 0)}`;
  return result === 'success' ? text : colours.red(`${text}, ended ${escapeControls(end ?? '')}`);
}

function certificatesText({ certificates }: ServerStatus, { colours, width, nowMs }: TextOptions): string {
  if (certificates.length === 0) return '';
  const rows = certificates.map(({ file, names, expires_at }) => {
    const leftMs = expires_at === null ? null : Date.parse(expires_at) - nowMs;
    const left = leftMs === null ? '?' : leftMs < 0 ? colours.red('expired') : `expires in ${durationText(leftMs)}`;
    return [`  ${names.join(', ') || file}`, expires_at?.slice(0, 10) ?? '', left];
  });
  return `  ${colours.dim('CERTIFICATES')}\n${table(rows, width)}`;
}

function dimmed(row: Row, colours: Palette): string[] {
  return row.map((cell) => colours.dim(cell));
}
