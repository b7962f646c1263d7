import * as z from 'zod';
import { duration, listOf, table, text, whole, words } from './tools.ts';

const status = whole(100, 599);

const statusRange = z.union(
  [status, text(/^[1-5]\d\d-[1-5]\d\d$/, 'a status')],
  'must be a status such as 200, or a range such as "200-299"',
);

function rangeOf(value: number | string): [from: number, to: number] {
  const [from = 0, to = from] = String(value).split('-').map(Number);
  return [from, to];
}

/** Options of health checks. */
export const health = table({
  path: text(/^\/[^\s#]*$/, 'a path such as /healthz').describe('The path to request with GET.'),
  host: words('a host name').optional().meta({ description: 'The Host to send.', defaultText: "the backend's own" }),
  status: listOf(statusRange)
    .transform((items) => items.map(rangeOf))
    .prefault('200-399')
    .describe('Statuses, and ranges of statuses, that count as good.'),
  body: words('a text that the content has').optional().meta({
    description: 'Text that the first 64 KiB of the content (the body) must contain.',
    defaultText: 'any content',
  }),
  interval_ms: duration(50).prefault(5000).describe('Time from one check to the next.'),
  timeout_ms: duration(1).prefault(2000).describe('Time for the whole response to arrive.'),
  healthy_after: whole(1, 100).default(2).describe('Good responses in a row that make a backend healthy again.'),
  unhealthy_after: whole(1, 100).default(3).describe('Failed checks in a row that make a backend unhealthy.'),
});
