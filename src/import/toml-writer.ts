import { stringify } from 'smol-toml';
import type { ConfigBuilder, Entry, Value } from './config-builder.ts';
import { formatLocation } from './import-report.ts';

const COMMENT_COLUMN = 60;
const LINES_NAMED_MAX = 6;

/** Formats a configuration as TOML. Each key has a comment with its source. */
export function writeToml(builder: ConfigBuilder): string {
  const lines: string[] = [];
  writeTable(builder, [], lines);
  return `${lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`;
}

function writeTable(builder: ConfigBuilder, above: readonly string[], lines: string[]): void {
  for (const [key, entry] of builder.values) lines.push(commented(`${keyOf(key)} = ${tomlOf(entry.value)}`, entry));
  for (const [key, table] of builder.tables) {
    if (table.isEmpty) continue;
    const keys = [...above, key];
    const hasHeader = table.values.size > 0 || table.remarks.length > 0;
    if (hasHeader) lines.push('', ...table.remarks.map((remark) => `# ${remark}`), `[${keys.map(keyOf).join('.')}]`);
    writeTable(table, keys, lines);
  }
  for (const [key, tables] of builder.lists) {
    const keys = [...above, key];
    for (const table of tables) {
      lines.push('', ...table.remarks.map((remark) => `# ${remark}`), `[[${keys.map(keyOf).join('.')}]]`);
      writeTable(table, keys, lines);
    }
  }
}

function commented(line: string, { from, because }: Entry): string {
  const comment = because === '' ? originOf(from) : because;
  return comment === '' ? line : `${line.padEnd(COMMENT_COLUMN)} # ${comment}`;
}

/** `from nginx.conf:3, 5, site.conf:2`. */
function originOf(from: Entry['from']): string {
  const names: string[] = [];
  let file = '';
  for (const place of from) {
    const name = place.file === file ? `${place.line}` : formatLocation(place);
    file = place.file;
    if (!names.includes(name)) names.push(name);
  }
  if (names.length === 0) return '';
  const more = names.length > LINES_NAMED_MAX ? ', …' : '';
  return `from ${names.slice(0, LINES_NAMED_MAX).join(', ')}${more}`;
}

function keyOf(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : scalar(key);
}

function tomlOf(value: Value): string {
  if (Array.isArray(value)) return `[${(value as readonly Value[]).map(tomlOf).join(', ')}]`;
  if (typeof value !== 'object') return scalar(value as string | number | boolean);
  const pairs = Object.entries(value as Readonly<Record<string, Value>>);
  return pairs.length === 0 ? '{}' : `{ ${pairs.map(([key, one]) => `${keyOf(key)} = ${tomlOf(one)}`).join(', ')} }`;
}

/** Regular expressions are written as literal strings, which need no escapes. Other strings of ASCII are as in JSON. */
function scalar(value: string | number | boolean): string {
  if (typeof value === 'string' && value.includes('\\') && !/['\p{C}]/u.test(value)) return `'${value}'`;
  if (typeof value === 'string' && /^[ -~]*$/.test(value)) return JSON.stringify(value);
  return stringify({ x: value }).replace(/^x = /, '').trim();
}
