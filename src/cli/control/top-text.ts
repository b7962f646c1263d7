import { escapeControls } from '../../log/escape.ts';
import type { LiveRequest } from '../../server/live-requests.ts';
import type { Overview, OverviewWorker } from '../../trace/overview.ts';
import { type Row, table } from '../table.ts';
import { ageText, countText, durationText, memoryText } from './amounts.ts';
import type { TextOptions } from './status-text.ts';
import { timeText } from './time-text.ts';

/** What is shown at one moment. */
export interface TopState {
  readonly overview: Overview;
  readonly requests: readonly LiveRequest[];
}

/** So many live requests are listed: the oldest. */
const REQUESTS_MAX = 30;

/** What `viaduct top` shows: the server as a whole, its workers, and the requests that it has not answered. */
export function topText({ overview, requests }: TopState, options: TextOptions): string {
  const { colours, width } = options;
  const blocks = [
    table(headRows(overview, options), width),
    overview.workers.length === 0 ? '' : table(workerRows(overview.workers, options), width),
    requests.length === 0 ? `${colours.dim('No request is running.')}\n` : table(requestRows(requests, options), width),
  ];
  return blocks.filter((block) => block !== '').join('\n');
}

function headRows(overview: Overview, { colours, nowMs }: TextOptions): Row[] {
  const { server, rates, latency, queue, eventLoop, counted, trace, ownShare } = overview;
  const urls = escapeControls(server.urls.join(' and '));
  const title = `${colours.bold(`Viaduct ${server.version}`)} on ${urls}, for ${ageText(server.startedAt, nowMs)}`;
  const connections = countText(server.connections, 'connection');
  const traffic = counted
    ? [
        `${rates.requests.toFixed(1)} requests/s`,
        errorsText(rates.errors, colours),
        ...(latency.counts.every((count) => count === 0)
          ? ['none in the last minute']
          : [`p50 ${timeText(1000 * latency.p50Ms)}`, `p99 ${timeText(1000 * latency.p99Ms)}`]),
      ]
    : ['requests are not counted: the setting admin is not set'];
  const waits = [
    `${queue.waiting} in the queue`,
    ...(counted ? [`event loop ${timeText(1000 * eventLoop.meanMs)}`] : []),
  ];
  const own = ownShare === null ? [] : [`${Math.round(100 * ownShare)} % of the time is Viaduct's`];
  const traces = trace.bytesMax === 0 ? [] : [`${countText(trace.traces, 'trace')} in ${memoryText(trace.bytes)}`];
  return [[title], [[...traffic, connections].join(', ')], [[...waits, ...own, ...traces].join(', ')]];
}

function errorsText(rate: number, { red }: TextOptions['colours']): string {
  const text = `${rate.toFixed(1)} errors/s`;
  return rate > 0 ? red(text) : text;
}

function workerRows(workers: readonly OverviewWorker[], { colours }: TextOptions): Row[] {
  const head = ['worker', 'pid', 'application', 'state', 'done', 'memory', 'GIL wait', 'age', 'request'].map(
    colours.dim,
  );
  return [
    head,
    ...workers.map(({ number, pid, application, state, done, rssBytes, gilWaitMs, ageMs, request }) => [
      `${number}`,
      `${pid}`,
      escapeControls(application),
      state === 'ready' ? state : colours.yellow(state),
      `${done}`,
      memoryText(rssBytes),
      gilWaitMs === null ? '' : timeText(1000 * gilWaitMs),
      ageMs === null ? '' : durationText(ageMs),
      request === null ? colours.dim('idle') : escapeControls(request),
    ]),
  ];
}

function requestRows(requests: readonly LiveRequest[], { colours }: TextOptions): Row[] {
  const head = ['age', 'where', 'client', 'request'].map(colours.dim);
  const rows = requests
    .slice(0, REQUESTS_MAX)
    .map(({ age_ms, where, worker, backend, client, method, host, path }) => [
      age_ms === null ? '?' : durationText(age_ms),
      escapeControls(`${where}${worker === null ? '' : ` ${worker}`}${backend === null ? '' : ` ${backend}`}`),
      client,
      escapeControls(`${method} ${host}${path}`),
    ]);
  const more = requests.length - rows.length;
  return [head, ...rows, ...(more > 0 ? [[colours.dim(`and ${more} more`)]] : [])];
}
