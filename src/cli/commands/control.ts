import { setTimeout as sleep } from 'node:timers/promises';
import { type ErrorCode, ViaductError } from '../../errors.ts';
import { escapeControls } from '../../log/escape.ts';
import type { MetricFamily } from '../../metrics/family.ts';
import { metricsText } from '../../metrics/text.ts';
import { pidNamespace } from '../../os/pid-namespace.ts';
import type { RouteBackends } from '../../proxy/backend-control.ts';
import type { ReloadOutcome, ServerIdentity } from '../../server/control/control-api.ts';
import type { LiveRequest } from '../../server/live-requests.ts';
import type { WorkerStacks } from '../../server/status.ts';
import { type Arguments, NO_LOG_FLAGS } from '../arguments.ts';
import type { ControlCommand } from '../command-names.ts';
import { isGone, resultOf, send } from '../control/client.ts';
import { findControl } from '../control/find-server.ts';
import { logs } from '../control/logs.ts';
import { measureUse, NOTHING_MEASURED, type ProcessorUse } from '../control/processor-use.ts';
import { scale } from '../control/scale.ts';
import * as text from '../control/status-text.ts';
import { palette } from '../output.ts';
import { widthOf } from '../table.ts';

/** A server that does not answer a question in this time hangs. */
const ANSWER_MS = 15_000;
/** How often a stopping server is asked whether it has stopped. */
const STOP_CHECK_MS = 100;
/** More than drain_delay_ms and graceful_timeout_ms can be together. */
const STOP_MS_MAX = 2 * 3_600_000;

/** A command for a running server. */
interface Call {
  readonly method: 'GET' | 'POST';
  /** Path and query of the request. */
  readonly target: string;
  /** What is done, for errors: `Cannot ...`. */
  readonly what: string;
  /** The code of the error if the server refuses; `USAGE` without it. */
  readonly refusal?: ErrorCode;
  /** The answer for a person; absent if there is nothing to say. */
  readonly show?: (value: unknown, options: text.MeasuredOptions) => string;
  /** The processes in the answer whose use of the processor the text has; absent if it has none. */
  readonly measured?: (value: unknown) => readonly number[];
}

/** Runs a command that talks to a running server by its control socket. Resolves to the exit code. */
export async function control(command: ControlCommand, parsed: Arguments): Promise<number> {
  const call = callOf(command, parsed);
  const socket = await findControl(parsed);
  if (command === 'reload') return await reload(socket, parsed.json);
  if (command === 'logs' && parsed.words.length === 0) return await logs(socket, parsed.logs, parsed.json);
  if (command === 'scale') return await scale(socket, call.target, parsed.json);
  const value = resultOf(await send(socket, call.method, call.target, ANSWER_MS), call.what, call.refusal);
  if (command === 'stop') await stopped(socket);
  if (parsed.json) {
    process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
    return 0;
  }
  const nowMs = Date.now();
  const use = call.measured === undefined ? NOTHING_MEASURED : await useOf(socket, call.measured(value));
  const options = { colours: palette(process.stdout), width: widthOf(process.stdout), nowMs, use };
  process.stdout.write(call.show?.(value, options) ?? '');
  return 0;
}

/** The use of processors. In a container, the ids of the server's processes are valid only there: here they are other processes. */
async function useOf(socket: string, pids: readonly number[]): Promise<ProcessorUse> {
  const what = 'show the use of processors';
  const server = resultOf(await send(socket, 'GET', '/server', ANSWER_MS), what) as ServerIdentity;
  return await measureUse(server.pid_namespace === pidNamespace() ? pids : []);
}

/** @throws ViaductError `USAGE` for words that the command does not take */
function callOf(command: ControlCommand, { words, app, logs }: Arguments): Call {
  const [first, ...others] = words;
  const none = (call: Call): Call => (words.length === 0 ? call : wrong(command, words));
  switch (command) {
    case 'status':
      return none({
        ...get('/status', 'show the status', (value, options) => text.statusText(value as text.FullStatus, options)),
        measured: (value) => processesOf(value as text.FullStatus),
      });
    case 'workers':
      return none({
        ...get('/workers', 'list the workers', (value, options) =>
          text.workersText(value as text.ListedWorker[], options),
        ),
        measured: (value) => (value as text.ListedWorker[]).map(({ pid }) => pid),
      });
    case 'requests':
      return none(
        get('/requests', 'list the requests', (value, options) => text.requestsText(value as LiveRequest[], options)),
      );
    case 'metrics':
      return none(
        get('/metrics', 'print the metrics', (value) =>
          metricsText(listed(value as readonly JsonFamily[]), 'openmetrics'),
        ),
      );
    case 'stack': {
      const query = first === undefined ? '' : `?worker=${encodeURIComponent(first)}`;
      const call = get(`/stacks${query}`, 'print the stacks', (value, options) =>
        text.stacksText(value as WorkerStacks[], options),
      );
      return others.length === 0 ? call : wrong(command, words);
    }
    case 'drain': {
      const state = first ?? 'on';
      if (others.length > 0 || (state !== 'on' && state !== 'off')) return wrong(command, words);
      return { method: 'POST', target: `/drain?state=${state}`, what: 'drain the server' };
    }
    case 'scale': {
      if (first === undefined || !/^\d+$/.test(first) || others.length > 0) return wrong(command, words);
      const query = `workers=${first}${app === null ? '' : `&app=${encodeURIComponent(app)}`}`;
      return { method: 'POST', target: `/scale?${query}`, what: 'change the number of workers' };
    }
    case 'logs':
      if (first === undefined) return { method: 'GET', target: '/logs', what: 'print the logs' };
      if (first !== 'reopen' || others.length > 0 || logs !== NO_LOG_FLAGS) return wrong(command, words);
      return { method: 'POST', target: '/logs/reopen', what: 'open the log files again', refusal: 'WORKER' };
    case 'reload':
    case 'stop':
      return none({ method: 'POST', target: `/${command}`, what: `${command} the server` });
    case 'backends':
      return backendsCall(words);
  }
}

/** A family as JSON has it: infinity and what is not a number are null. */
type JsonFamily = Omit<MetricFamily, 'samples'> & {
  readonly samples: readonly (Omit<MetricFamily['samples'][number], 'value'> & { readonly value: number | null })[];
};

function listed(families: readonly JsonFamily[]): MetricFamily[] {
  return families.map(({ samples, ...head }) => ({
    ...head,
    samples: samples.map((sample) => ({ ...sample, value: sample.value ?? Number.NaN })),
  }));
}

/** The server processes and all workers. */
function processesOf({ processes }: text.FullStatus): readonly number[] {
  return processes.flatMap(({ pid, applications }) => [
    pid,
    ...applications.flatMap(({ workers }) => workers.map((worker) => worker.pid)),
  ]);
}

function get(target: string, what: string, show: NonNullable<Call['show']>): Call {
  return { method: 'GET', target, what, show };
}

function backendsCall(words: readonly string[]): Call {
  const [verb = 'list', name, weight, ...more] = words;
  if (verb === 'list' && name === undefined)
    return get('/backends', 'list the backends', (value, options) =>
      text.backendsText(value as RouteBackends[], options),
    );
  const query = `?name=${encodeURIComponent(name ?? '')}`;
  const change = (target: string): Call => ({ method: 'POST', target, what: 'change the backend' });
  const isState = (verb === 'drain' || verb === 'enable') && weight === undefined;
  if (isState && name !== undefined) return change(`/backends/${verb}${query}`);
  if (verb === 'weight' && weight !== undefined && more.length === 0)
    return change(`/backends/weight${query}&weight=${encodeURIComponent(weight)}`);
  return wrong('backends', words);
}

const FORMS: Readonly<Record<ControlCommand, string>> = {
  status: 'viaduct status',
  workers: 'viaduct workers',
  requests: 'viaduct requests',
  metrics: 'viaduct metrics',
  stack: 'viaduct stack, or viaduct stack with the number or process id of one worker',
  reload: 'viaduct reload',
  drain: 'viaduct drain or viaduct drain off',
  scale: 'viaduct scale with a number, and --app with the name of one of several applications',
  logs: 'viaduct logs with --follow, --lines N, --errors, --request ID, --route NAME, --status STATUS, --path PART or --min-ms N, or viaduct logs reopen',
  stop: 'viaduct stop',
  backends: 'viaduct backends [list], drain NAME, enable NAME, weight NAME N or weight NAME configured',
};

function wrong(command: ControlCommand, words: readonly string[]): never {
  throw new ViaductError('USAGE', `Cannot use "${[command, ...words].join(' ')}": unknown arguments`, {
    advice: `Write ${FORMS[command]}.`,
  });
}

/** Waits until the reload is over, however long an import takes. A release that cannot be used fails the command. */
async function reload(socket: string, isJson: boolean): Promise<number> {
  const { status, value } = await send(socket, 'POST', '/reload', 0);
  if (status !== 200 && status !== 409) resultOf({ status, value }, 'reload the server');
  const outcome = value as ReloadOutcome;
  if (isJson) process.stdout.write(`${JSON.stringify(outcome, null, 2)}\n`);
  else if (outcome.error === null) process.stdout.write(`Reloaded in ${outcome.duration_ms} ms\n`);
  if (outcome.error === null) return 0;
  if (isJson) return 1;
  throw new ViaductError('WORKER', `Cannot reload, the old configuration stays: ${escapeControls(outcome.error)}`, {
    ...(outcome.traceback === null ? {} : { cause: escapeControls(outcome.traceback) }),
  });
}

/** Resolves when nobody listens at `socket` any more. How long running requests may take is known to the server alone. */
async function stopped(socket: string): Promise<void> {
  const lastMs = performance.now() + STOP_MS_MAX;
  while (performance.now() < lastMs) {
    if (await isGone(socket)) return;
    await sleep(STOP_CHECK_MS);
  }
  throw new ViaductError('WORKER', 'Cannot stop the server: its requests still run', {
    advice: 'End it at once with SIGKILL, or wait.',
  });
}
