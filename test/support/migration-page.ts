import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileKey } from '../../src/config/setting.ts';
import { settingNames } from '../../src/config/settings.ts';
import { codeWords, readPage, sectionOf, tableRows } from './pages.ts';
import { ROOT } from './viaduct.ts';

/** A row of the tables of a page for people who come from another server. */
export interface MigrationRow {
  /** Names of the other server. A `*` at the end stands for all that start so. */
  readonly names: readonly string[];
  /** The cell with the setting of Viaduct. */
  readonly ours: string;
}

/** The rows below the heading "Settings" of a page. */
export function migrationRows(page: string): readonly MigrationRow[] {
  const rows = tableRows(sectionOf(readPage(page), 'Settings'));
  return rows.map(([names = '', ours = '']) => ({ names: codeWords(names), ours }));
}

/** The rows that are about `name`: those that have it, or those with the longest start of it. */
export function rowsAbout(rows: readonly MigrationRow[], name: string): readonly MigrationRow[] {
  const exact = rows.filter(({ names }) => names.includes(name));
  if (exact.length > 0) return exact;
  const starts = rows
    .flatMap(({ names }) => names)
    .filter((pattern) => pattern.endsWith('*') && name.startsWith(pattern.slice(0, -1)))
    .sort((a, b) => b.length - a.length);
  return starts[0] === undefined ? [] : rows.filter(({ names }) => names.includes(starts[0] as string));
}

/** Every key that a configuration of Viaduct may have. */
export function knownKeys(): ReadonlySet<string> {
  const schema: unknown = JSON.parse(readFileSync(join(ROOT, 'docs/viaduct.schema.json'), 'utf8'));
  return new Set([...settingNames().map(fileKey), ...keysOf(schema)]);
}

/** The rows whose cell names neither a key of Viaduct nor that there is none. */
export function wrongRows(rows: readonly MigrationRow[]): readonly string[] {
  const known = knownKeys();
  return rows
    .filter(({ ours }) => ours !== 'no counterpart' && ours !== 'not needed' && !known.has(codeWords(ours)[0] ?? ''))
    .map(({ names, ours }) => `${names[0]}: ${ours}`);
}

function keysOf(schema: unknown): string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const own =
    'properties' in schema && typeof schema.properties === 'object' ? Object.keys(schema.properties ?? {}) : [];
  return [...own, ...Object.values(schema).flatMap(keysOf)];
}
