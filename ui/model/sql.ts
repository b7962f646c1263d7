/** Clauses that start a line. */
const CLAUSE =
  /^(?:SELECT|FROM|WHERE|GROUP BY|HAVING|ORDER BY|LIMIT|OFFSET|UNION(?: ALL)?|VALUES|SET|RETURNING|INSERT INTO|UPDATE|DELETE FROM|(?:(?:LEFT|RIGHT|FULL)(?: OUTER)? |INNER |CROSS )?JOIN|ON CONFLICT)\b/i;
/** Strings, quoted names and comments stay as they are; the rest is words, spaces and single characters. */
const TOKEN = /'(?:[^']|'')*'?|"(?:[^"]|"")*"?|`[^`]*`?|--[^\n]*|\s+|\w+|[^\s\w]/g;
const LENGTH_MAX = 20_000;

/** Breaks the text of a query before its clauses, and after commas of a long list. Within parentheses it stays as it is. */
export function formatSql(sql: string): string {
  if (sql.length > LENGTH_MAX) return sql;
  const tokens = sql.trim().match(TOKEN) ?? [];
  const plain = tokens.map((token) => (/^\s+$/.test(token) ? ' ' : token));
  let text = '';
  let depth = 0;
  let position = 0;
  let lineLength = 0;
  const joined = plain.join('');
  for (const token of plain) {
    if (depth === 0 && position > 0 && /^\w/.test(token) && CLAUSE.test(joined.slice(position, position + 24))) {
      if (!isWithinClause(joined, position)) {
        text = `${text.trimEnd()}\n`;
        lineLength = 0;
      }
    } else if (depth === 0 && /^(?:AND|OR)$/i.test(token)) {
      text = `${text.trimEnd()}\n  `;
      lineLength = 2;
    }
    if (token === '(') depth += 1;
    if (token === ')') depth = Math.max(0, depth - 1);
    text += token;
    position += token.length;
    lineLength += token.length;
    if (token === ',' && depth === 0 && lineLength > 60) {
      text += '\n ';
      lineLength = 1;
    }
  }
  return text;
}

/** Whether the clause at `position` goes on one that started before it: `JOIN` in `LEFT JOIN`, `FROM` in `DELETE FROM`. */
function isWithinClause(text: string, position: number): boolean {
  const before = text.slice(Math.max(0, position - 8), position);
  const rest = text.slice(position, position + 6);
  return (
    (/\b(?:LEFT|RIGHT|FULL|OUTER|INNER|CROSS) $/i.test(before) && /^(?:OUTER|JOIN)\b/i.test(rest)) ||
    /\bDELETE $/i.test(before)
  );
}
