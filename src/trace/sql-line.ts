/** Shorter lists of columns stay: they say what the query is for, such as `COUNT(*)`. */
const COLUMNS_CHARS_MAX = 32;
/** Longer queries are not read to their end. */
const CHARS_MAX = 20_000;
/** Strings and quoted names are skipped, because they contain no clauses. */
const TOKEN = /'(?:[^']|'')*'?|"(?:[^"]|"")*"?|`[^`]*`?|\w+|[()]/g;

/**
 * A query in one line, for lists. A long list of columns is `…`: it is what the queries of an ORM start with, and hides the table and the
 * condition, in which they differ.
 */
export function sqlLine(sql: string): string {
  const line = sql.replace(/\s+/g, ' ').trim();
  const [start = ''] = /^SELECT (?:DISTINCT )?/i.exec(line) ?? [];
  if (start === '' || line.length > CHARS_MAX) return line;
  const end = fromClause(line, start.length);
  return end - start.length <= COLUMNS_CHARS_MAX ? line : `${start}… ${line.slice(end)}`;
}

/** What a query does, in a few words: `SELECT bridges_bridge`. */
export function sqlTitle(sql: string): string {
  const [, verb = ''] = /^\s*(\w+)/.exec(sql) ?? [];
  const [, , table = ''] = /\b(FROM|INTO|UPDATE)\s+[`"[]?([\w.]+)/i.exec(sql) ?? [];
  return `${verb.toUpperCase()} ${table}`.trim();
}

/** Where the FROM of the outermost SELECT is; -1 without one. */
function fromClause(line: string, after: number): number {
  let depth = 0;
  for (const { 0: token, index } of line.matchAll(TOKEN)) {
    if (token === '(') depth += 1;
    else if (token === ')') depth -= 1;
    else if (depth === 0 && index >= after && /^FROM$/i.test(token)) return index;
  }
  return -1;
}
