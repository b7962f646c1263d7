import type { TraceSummary } from '../../src/trace/store.ts';

/** What the list of requests can be asked for. Empty texts ask for nothing. */
export interface RequestQuery {
  readonly method: string;
  readonly path: string;
  readonly not_path: string;
  readonly status: string;
  readonly route: string;
  readonly min_ms: string;
  readonly sql: string;
  readonly error: string;
}

export const NO_QUERY: RequestQuery = {
  method: '',
  path: '',
  not_path: '',
  status: '',
  route: '',
  min_ms: '',
  sql: '',
  error: '',
};

/** Words of the search field that name a property: `status:5xx`. Everything else is a part of the path. */
const WORDS: Readonly<Record<string, keyof RequestQuery>> = {
  method: 'method',
  status: 'status',
  route: 'route',
  min: 'min_ms',
  sql: 'sql',
  error: 'error',
};

/**
 * Reads a search such as `POST /orders status:5xx min:200ms sql:"from orders"`. A method in capitals, a status, or a class of them may stand alone.
 * `-/static/` leaves out the paths with this part.
 */
export function parseSearch(text: string): RequestQuery {
  const query: Record<keyof RequestQuery, string> = { ...NO_QUERY };
  for (const [, word = '', quoted, plain = ''] of text.matchAll(/(?:(\w+):)?(?:"([^"]*)"?|(\S+))/g)) {
    const value = quoted ?? plain;
    const key = WORDS[word.toLowerCase()];
    if (key !== undefined) query[key] = key === 'min_ms' ? inMilliseconds(value) : value;
    else if (word === '' && /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$/.test(value)) query.method = value;
    else if (word === '' && quoted === undefined && /^[1-5](?:\d\d|xx)$/i.test(value))
      query.status = value.toLowerCase();
    else if (word === '' && quoted === undefined && /^-./.test(value)) query.not_path = value.slice(1);
    else query.path = word === '' ? value : `${word}:${value}`;
  }
  return query;
}

function inMilliseconds(value: string): string {
  const [, number = '', unit = 'ms'] = /^([\d.]+)(s|ms)?$/.exec(value) ?? [];
  return number === '' ? '' : String(Number(number) * (unit === 's' ? 1000 : 1));
}

/** Whether a new request belongs in the list. The text of queries is known to the server alone. */
export function matchesQuery(summary: TraceSummary, query: RequestQuery): boolean {
  const { method, path, not_path, status, route, min_ms, error } = query;
  return (
    (method === '' || summary.method === method) &&
    (path === '' || summary.target.includes(path)) &&
    (not_path === '' || !summary.target.includes(not_path)) &&
    (status === '' || matchesStatus(summary.status, status)) &&
    (route === '' || summary.route === route) &&
    (min_ms === '' || (summary.durationUs ?? 0) >= Number(min_ms) * 1000) &&
    (error === '' || summary.error.toLowerCase().includes(error.toLowerCase()))
  );
}

function matchesStatus(status: number, wanted: string): boolean {
  return /^\dxx$/i.test(wanted) ? Math.floor(status / 100) === Number(wanted[0]) : String(status) === wanted;
}

/** New requests in front of those that are there, without those that are there already, and at most `limit`. */
export function prepend(
  list: readonly TraceSummary[],
  fresh: readonly TraceSummary[],
  limit: number,
): readonly TraceSummary[] {
  const newest = list[0]?.number ?? 0;
  const added = fresh.filter(({ number }) => number > newest).sort((a, b) => b.number - a.number);
  return added.length === 0 ? list : [...added, ...list].slice(0, limit);
}
