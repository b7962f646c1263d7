import type { BesideStatus } from '../../beside/beside.ts';
import type { SidecarStatus } from '../../beside/sidecar.ts';
import type { LastReload } from '../../server/control/control-api.ts';
import type { ProcessStatus, ServerStatus } from '../../server/status.ts';
import { ageText, countText, durationText, shareText } from './amounts.ts';
import { applicationFindings } from './application-findings.ts';
import type { ProcessorUse } from './processor-use.ts';

/** A sidecar that runs for so long stays up. */
const STEADY_MS = 5000;
/** A server process that uses more of a processor answers late. */
const SERVER_USED_UP = 0.9;
const EXPIRY_MS = 14 * 24 * 3_600_000;

type Findings = ServerStatus & BesideStatus & { readonly reload: LastReload | null };

/** What an operator should look at, as sentences: why a site is slow, what is down, what expires. */
export function findingsOf(
  { processes, backends, certificates, reload, sidecars, schedules }: Findings,
  nowMs: number,
  use: ProcessorUse,
): string[] {
  const findings = processes.flatMap((one, index) => {
    const own = [...readyFindings(one), ...one.applications.flatMap((app) => applicationFindings(app, use))];
    const which = processes.length > 1 ? `Server process ${index + 1}: ` : '';
    return [...serverFindings(one, use), ...own.map((finding) => `${which}${finding}`)];
  });
  if (reload !== null && reload.error !== null)
    findings.push(
      `The last reload failed ${ageText(reload.ended_at, nowMs)} ago, the old configuration stays: ${reload.error}.`,
    );
  for (const { route, waiting, backends: states } of backends) {
    const down = states.filter(({ state }) => state !== 'up').map(({ name, state }) => `${name} (${state})`);
    if (down.length > 0) findings.push(`Backends of ${route} get no new requests: ${down.join(', ')}.`);
    if (waiting > 0) findings.push(`All backends of ${route} are busy: ${countText(waiting, 'request')} waiting.`);
  }
  for (const sidecar of sidecars) {
    const { name, last_end } = sidecar;
    if (isUnsteady(sidecar, nowMs)) findings.push(`The sidecar ${name} does not stay up: it ended ${last_end ?? ''}.`);
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

/** Why load balancers keep requests away. */
function readyFindings({ state, ready, reasons }: ProcessStatus): string[] {
  if (ready || state === 'silent') return [];
  const help = state === 'drained' ? ' viaduct drain off ends this.' : '';
  return [`Load balancers send it no requests (/-/ready): ${reasons.join(', ')}.${help}`];
}

function serverFindings({ pid, state }: ProcessStatus, { processes }: ProcessorUse): string[] {
  if (state === 'silent')
    return [`Server process ${pid} does not answer: its event loop is blocked, or it is stopped.`];
  const used = processes.get(pid)?.used ?? 0;
  if (used < SERVER_USED_UP) return [];
  return [
    `Server process ${pid} uses ${shareText(used)} of a processor, and a process cannot use more than one: all requests wait for it. Start more with processes.`,
  ];
}

/** Whether a sidecar ends again and again: it waits for its next start, or has ended by itself and runs for a short time. */
function isUnsteady({ state, restarts, started_at }: SidecarStatus, nowMs: number): boolean {
  const isNew = started_at !== null && nowMs - Date.parse(started_at) < STEADY_MS;
  return state === 'waiting' || (state === 'running' && restarts > 0 && isNew);
}
