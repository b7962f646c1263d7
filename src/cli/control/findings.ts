import type { BesideStatus } from '../../beside/beside.ts';
import type { LastReload } from '../../server/control/control-api.ts';
import type { ServerStatus } from '../../server/status.ts';
import type { ApplicationStatus } from '../../workers/application-status.ts';
import { ageText, countText, durationText } from './amounts.ts';

/** Requests that wait for less are not what makes a site slow. */
const LONG_WAIT_MS = 100;
const LONG_REQUEST_MS = 10_000;
const EXPIRY_MS = 14 * 24 * 3_600_000;

type Findings = ServerStatus & BesideStatus & { readonly reload: LastReload | null };

/** What an operator should look at, as sentences: why a site is slow, what is down, what expires. */
export function findingsOf(
  { processes, backends, certificates, reload, sidecars, schedules }: Findings,
  nowMs: number,
): string[] {
  const findings = processes.flatMap(({ pid, state, ready, reasons, applications }) => [
    ...(state === 'silent'
      ? [`Server process ${pid} does not answer: its event loop is blocked, or it is stopped.`]
      : []),
    ...(ready || state === 'silent' ? [] : [`Load balancers send it no requests (/-/ready): ${reasons.join(', ')}.`]),
    ...applications.flatMap(applicationFindings),
  ]);
  if (reload !== null && reload.error !== null)
    findings.push(
      `The last reload failed ${ageText(reload.ended_at, nowMs)} ago, the old configuration stays: ${reload.error}.`,
    );
  for (const { route, waiting, backends: states } of backends) {
    const down = states.filter(({ state }) => state !== 'up').map(({ name, state }) => `${name} (${state})`);
    if (down.length > 0) findings.push(`Backends of ${route} get no new requests: ${down.join(', ')}.`);
    if (waiting > 0) findings.push(`All backends of ${route} are busy: ${countText(waiting, 'request')} waiting.`);
  }
  for (const { name, state, last_end } of sidecars) {
    if (state === 'waiting') findings.push(`The sidecar ${name} does not stay up: it ended ${last_end ?? ''}.`);
  }
  for (const { name, last_run } of schedules) {
    const isBad = last_run?.result === 'failure' || last_run?.result === 'timeout';
    if (isBad) findings.push(`The last run of the schedule ${name} failed: it ended ${last_run.end ?? ''}.`);
  }
  for (const { file, names, expires_at } of certificates) {
    const leftMs = expires_at === null ? Number.POSITIVE_INFINITY : Date.parse(expires_at) - nowMs;
    if (leftMs > EXPIRY_MS) continue;
    const when = leftMs < 0 ? 'has expired' : `expires in ${durationText(leftMs)}`;
    findings.push(`The certificate for ${names.join(', ') || file} ${when}.`);
  }
  return findings;
}

function applicationFindings({ name, queue, workers }: ApplicationStatus): string[] {
  const ready = workers.filter(({ state }) => state === 'ready');
  if (ready.length === 0) return [`No worker of ${name} is ready: requests wait.`];
  const threads = ready.reduce((sum, worker) => sum + worker.threads, 0);
  const busy = ready.reduce((sum, worker) => sum + worker.threads_busy, 0);
  const running = workers.flatMap(({ number, requests }) => requests.map((one) => ({ ...one, worker: number })));
  const [longest] = running.toSorted((a, b) => b.running_ms - a.running_ms);
  const isLong = longest !== undefined && longest.running_ms >= LONG_REQUEST_MS;
  const runs =
    longest === undefined
      ? ''
      : `The longest has run for ${durationText(longest.running_ms)}: ${longest.method} ${longest.path} in worker ${longest.worker}.`;
  if (queue.waiting > 0 && queue.oldest_ms >= LONG_WAIT_MS) {
    const all = busy === threads ? `All ${countText(threads, 'thread')} of ${name} are busy` : `${name} is busy`;
    const waits = `${countText(queue.waiting, 'request')} waiting, the oldest for ${durationText(queue.oldest_ms)}`;
    return [`${all}: ${waits}. ${runs}`.trimEnd()];
  }
  return isLong ? [`A request runs for long. ${runs}`] : [];
}
