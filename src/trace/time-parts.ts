import type { Span, Times } from './document.ts';
import { BEHIND_US } from './trace.ts';

/** Whom the time of a span belongs to. Where spans overlap, the first of these kinds has the time. */
const OWNERS: readonly (readonly [part: keyof Omit<Times, 'ownUs'>, kinds: readonly Span['kind'][]])[] = [
  ['pythonUs', ['python']],
  ['backendUs', ['backend']],
  ['queueUs', ['queue', 'lane']],
  ['clientUs', ['connection', 'head', 'content', 'flush']],
];

/**
 * Where the time went: each moment from 0 to `durationUs` belongs to one part. What belongs to nobody else is the server's own. A TLS handshake and a
 * head wait for the client; so does content while nothing else happens.
 */
export function timeParts(spans: readonly Span[], durationUs: number): Times {
  const times = { pythonUs: 0, backendUs: 0, queueUs: 0, clientUs: 0 };
  let covered: Interval[] = [];
  let total = 0;
  for (const [part, kinds] of OWNERS) {
    const own = spans
      .filter(({ kind }) => kinds.includes(kind))
      .map((span): Interval => [clamp(span.startUs, durationUs), clamp(endOf(span, durationUs), durationUs)]);
    covered = union([...covered, ...own]);
    const now = covered.reduce((sum, [start, end]) => sum + end - start, 0);
    times[part] = now - total;
    total = now;
  }
  return { ...times, ownUs: Math.max(0, durationUs - total) };
}

/** In its lane a request waits only as long as others keep the thread busy; the rest is the way to the worker. */
function endOf({ kind, startUs, endUs, attributes }: Span, durationUs: number): number {
  return kind === 'lane' ? startUs + Number(attributes[BEHIND_US] ?? 0) : (endUs ?? durationUs);
}

type Interval = readonly [start: number, end: number];

function clamp(us: number, max: number): number {
  return Math.min(Math.max(us, 0), max);
}

function union(intervals: readonly Interval[]): Interval[] {
  const sorted = intervals.filter(([start, end]) => end > start).sort((a, b) => a[0] - b[0]);
  const joined: [number, number][] = [];
  for (const [start, end] of sorted) {
    const last = joined.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end);
    else joined.push([start, end]);
  }
  return joined;
}
