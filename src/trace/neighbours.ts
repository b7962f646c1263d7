/** Fields by which a front-end proxy speaks of the request that it got. Clients send none of them. */
const FRONT_FIELDS = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via', 'x-request-start'];
/** Proxies write the time in seconds, milliseconds or microseconds: its digits say which. */
const MS_OF: Readonly<Record<number, number>> = { 10: 1000, 13: 1, 16: 0.001 };
/** Longer ago is the mistake of a clock. */
const WAIT_MS_MAX = 3_600_000;

/**
 * What another server in front or behind keeps to itself, as sentences. `headers` is `[name, value, …]` as received, `startedAt` the time of the
 * first byte in milliseconds since 1970.
 */
export function neighbourNotes(headers: readonly string[], startedAt: number, hasBackend: boolean): readonly string[] {
  const notes: string[] = [];
  const front = headers.findIndex((name, index) => index % 2 === 0 && FRONT_FIELDS.includes(name.toLowerCase()));
  if (front >= 0)
    notes.push(
      `A server in front sent this request, as the field ${headers[front]} says. ${waitText(headers, startedAt)}What its client sent, and how long the response took from there, is not known.`,
    );
  if (hasBackend)
    notes.push('What happened within the backend is not known: its queue, its worker, its middleware and its view.');
  return notes;
}

/** `X-Request-Start: t=1700000000.123`: when the server in front got the request. */
function waitText(headers: readonly string[], startedAt: number): string {
  const at = headers.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'x-request-start');
  const [, whole = '', fraction = ''] = /^(?:t=)?(\d{10,16})(\.\d{1,9})?$/.exec(headers[at + 1] ?? '') ?? [];
  const unit = at < 0 ? undefined : MS_OF[whole.length];
  if (unit === undefined) return '';
  const waitedMs = startedAt - Number(`${whole}${fraction}`) * unit;
  if (waitedMs < 0 || waitedMs > WAIT_MS_MAX) return '';
  return `It had the request ${waitedMs.toFixed(1)} ms before this server (X-Request-Start). `;
}
