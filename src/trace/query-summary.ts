import type { QuerySummary, RepeatedQuery, Span } from './document.ts';

/** From so many on, the same query from the same line with other parameters is N+1. */
const N_PLUS_ONE_MIN = 3;

/**
 * Counts the queries among `spans`, and finds those that a page could do without: the same text with the same parameters (or without a record of
 * parameters, from another line each time), and the same text again and again from one line. `parameters` has those of a span by its index, as
 * text; a span that is not in it has none that are known.
 */
export function summarizeQueries(spans: readonly Span[], parameters: ReadonlyMap<number, string>): QuerySummary {
  const queries = spans.flatMap((span, index) => (span.kind === 'query' ? [{ span, index }] : []));
  const same = new Map<string, Repeated>();
  const lines = new Map<string, Repeated>();
  let us = 0;
  for (const { span, index } of queries) {
    const sql = String(span.attributes.sql ?? span.name);
    const spent = span.endUs === null ? 0 : span.endUs - span.startUs;
    us += spent;
    const known = parameters.get(index) ?? '';
    count(same, `${sql}\0${known}`, sql, spent, span);
    if (span.file !== '') count(lines, `${span.file}\0${span.line}\0${sql}`, sql, spent, span);
  }
  const nPlusOne = [...lines.values()].filter((one) => one.count >= N_PLUS_ONE_MIN);
  const explained = new Set(parameters.size === 0 ? nPlusOne.map(({ sql }) => sql) : []);
  const duplicates = [...same.values()].filter((one) => one.count > 1 && !explained.has(one.sql));
  return { count: queries.length, us, duplicates: duplicates.sort(byCount), nPlusOne: nPlusOne.sort(byCount) };
}

interface Repeated extends RepeatedQuery {
  count: number;
  us: number;
}

function count(found: Map<string, Repeated>, key: string, sql: string, us: number, { file, line }: Span): void {
  const known = found.get(key);
  if (known === undefined) found.set(key, { sql, count: 1, us, file, line });
  else {
    known.count += 1;
    known.us += us;
  }
}

function byCount(a: RepeatedQuery, b: RepeatedQuery): number {
  return b.count - a.count || b.us - a.us;
}
