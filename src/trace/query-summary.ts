import type { QuerySummary, RepeatedQuery, Span } from './document.ts';
import { redactText } from './redact.ts';

/** The attribute of a query that differs for other parameters, without showing them. It is not shown either. */
export const PARAMETERS_HASH = 'parameters_hash';

/** From so many on, the same query from the same line with other parameters is N+1. */
const N_PLUS_ONE_MIN = 3;

/**
 * Counts the queries among `spans`, without the ends of transactions, whose secrets are still there, and finds those that a page could do without: the same text with the same
 * parameters, and the same text again and again from one line.
 */
export function summarizeQueries(spans: readonly Span[]): QuerySummary {
  const queries = spans.filter(({ kind, attributes }) => kind === 'query' && attributes.transaction === undefined);
  const same = new Map<string, Repeated>();
  const lines = new Map<string, Repeated>();
  let us = 0;
  for (const span of queries) {
    const sql = String(span.attributes.sql ?? span.name);
    const spent = span.endUs === null ? 0 : span.endUs - span.startUs;
    us += spent;
    count(same, `${sql}\0${span.attributes[PARAMETERS_HASH] ?? ''}`, sql, spent, span);
    if (span.file !== '') count(lines, `${span.file}\0${span.line}\0${sql}`, sql, spent, span);
  }
  const nPlusOne = [...lines.values()].filter((one) => one.count >= N_PLUS_ONE_MIN);
  const duplicates = [...same.values()].filter((one) => one.count > 1);
  return { count: queries.length, us, duplicates: shown(duplicates), nPlusOne: shown(nPlusOne) };
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

/** The most frequent first, secrets redacted. */
function shown(queries: readonly RepeatedQuery[]): RepeatedQuery[] {
  const sorted = queries.toSorted((a, b) => b.count - a.count || b.us - a.us);
  return sorted.map((query) => ({ ...query, sql: redactText(query.sql) }));
}
