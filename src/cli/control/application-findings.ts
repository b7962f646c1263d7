import type { ApplicationStatus, RunningRequest, WorkerStatus } from '../../workers/application-status.ts';
import { countText, durationText, shareText } from './amounts.ts';
import type { ProcessorUse, ProcessUse } from './processor-use.ts';

/** Requests that wait for less are not what makes a site slow. */
const LONG_WAIT_MS = 100;
const LONG_REQUEST_MS = 10_000;
/** From here on, a processor counts as used up. The rest is what a short measurement misses. */
const USED_UP = 0.8;
/** Workers that could use less of a processor wait for something else. */
const WAITING = 0.3;
/** A process that waits for longer for a processor has too many others beside it. */
const CROWDED = 0.2;

/** Why requests of an application are slow, as sentences. */
export function applicationFindings({ name, queue, workers }: ApplicationStatus, use: ProcessorUse): string[] {
  const ready = workers.filter(({ state }) => state === 'ready');
  if (ready.length === 0) return [`No worker of ${name} is ready: requests wait.`];
  const threads = ready.reduce((sum, worker) => sum + worker.threads, 0);
  const busy = ready.reduce((sum, worker) => sum + worker.threads_busy, 0);
  const [longest] = workers
    .flatMap(({ number, pid, requests }) => requests.map((one) => ({ ...one, worker: number, pid })))
    .toSorted((a, b) => b.running_ms - a.running_ms);
  const runs =
    longest === undefined
      ? ''
      : `The longest has run for ${durationText(longest.running_ms)}: ${longest.method} ${longest.path} in worker ${longest.worker}.`;
  if (queue.waiting > 0 && queue.oldest_ms >= LONG_WAIT_MS) {
    const every = threads === 1 ? `The only thread of ${name} is busy` : `All ${threads} threads of ${name} are busy`;
    const all = busy === threads ? every : `${name} is busy`;
    const waits = `${countText(queue.waiting, 'request')} waiting, the oldest for ${durationText(queue.oldest_ms)}`;
    return [[`${all}: ${waits}.`, reasonOf(ready, use), runs].filter((part) => part !== '').join(' ')];
  }
  const sharing = ready.filter((worker) => shares(worker, use)).map((worker) => sharingText(worker));
  const isLong = longest !== undefined && longest.running_ms >= LONG_REQUEST_MS;
  return isLong ? [`A request runs for long. ${runs}${useText(longest.pid, use)}`, ...sharing] : sharing;
}

function useText(pid: number, { processes }: ProcessorUse): string {
  const one = processes.get(pid);
  return one === undefined ? '' : ` The worker uses ${shareText(one.used)} of a processor.`;
}

/** What all busy threads do, and what would help. */
function reasonOf(workers: readonly WorkerStatus[], use: ProcessorUse): string {
  const running = workers.flatMap(({ requests }) => requests);
  const held = running.filter(({ waits_for_client }) => waits_for_client).length;
  if (held * 2 > running.length) return heldText(held, running);
  const uses = workers.flatMap(({ pid }) => use.processes.get(pid) ?? []);
  if (uses.length < workers.length) return '';
  const mean = (of: (one: ProcessUse) => number) => uses.reduce((sum, one) => sum + of(one), 0) / uses.length;
  const [used, waited] = [mean((one) => one.used), mean((one) => one.waited)];
  const each = `${uses.length === 1 ? 'the worker uses' : 'each worker uses'} ${shareText(used)} of a processor`;
  if (used + waited <= WAITING)
    return `The views wait for something else, such as a database: ${each}. viaduct stack shows for what; with more threads, more requests can wait at a time.`;
  if (used + waited < USED_UP) return '';
  const isCrowded = waited >= CROWDED || (use.machine ?? 0) >= USED_UP;
  return `The views compute: ${each}. ${isCrowded ? 'The machine has no free processor: only faster views help.' : 'Processors of the machine are free for more workers.'}`;
}

function heldText(held: number, running: readonly RunningRequest[]): string {
  const who = held === running.length ? 'All wait' : `${held} of ${running.length} wait`;
  return `${who} for clients that read long responses slowly: a larger response_buffer_bytes_max frees the threads.`;
}

/** Whether several requests of a worker use up the one processor that its threads can use at a time. */
function shares({ pid, threads_busy }: WorkerStatus, { processes }: ProcessorUse): boolean {
  const { used, waited } = processes.get(pid) ?? { used: 0, waited: 0 };
  return threads_busy > 1 && used + waited >= USED_UP;
}

function sharingText({ number, threads_busy }: WorkerStatus): string {
  return `The ${threads_busy} requests of worker ${number} compute in turns on one processor, because of the interpreter lock: more workers with fewer threads are faster.`;
}
