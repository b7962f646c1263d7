import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import type { KeySource } from './site-entries.ts';
import { isTable, tomlLines } from './toml.ts';

/** The keys and values of one source. */
export interface SourceEntries {
  readonly entries: readonly (readonly [key: string, value: unknown])[];
  readonly source: KeySource;
}

/** The keys and values of a settings file, or the error that prevents reading it. */
export type SettingsFile = SourceEntries | { readonly error: string };

const FILE_BYTES_MAX = 1024 * 1024;

/**
 * Reads `viaduct.toml`, or the table `[tool.viaduct]` of a file named `pyproject.toml`.
 *
 * @param shown the path for messages
 */
export function readSettingsFile(path: string, shown: string): SettingsFile {
  const text = readText(path);
  if (typeof text !== 'string') return { error: `Cannot read settings file "${shown}": ${text.state}` };
  const parsed = parseToml(text, shown);
  if ('error' in parsed) return parsed;
  const outerKeys = basename(path) === 'pyproject.toml' ? ['tool', 'viaduct'] : [];
  let table: unknown = parsed.document;
  for (const key of outerKeys) table = isTable(table) ? (table[key] ?? {}) : table;
  let lineOf: ((keys: readonly string[]) => number) | null = null;
  const position = (keys: readonly PropertyKey[]): string => {
    lineOf ??= tomlLines(text);
    return `${shown}:${lineOf([...outerKeys, ...keys.map(String)])}`;
  };
  if (!isTable(table))
    return { error: `Cannot use tool.viaduct (${position([])}): it must be a table, [tool.viaduct]` };
  const source: KeySource = { spelling: 'snake_case', position, suffix: (keys) => ` (${position(keys)})` };
  return { entries: Object.entries(table), source };
}

function readText(path: string): string | { readonly state: string } {
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) return { state: 'it is a directory' };
    if (!stat.isFile()) return { state: 'it is not a regular file' };
    if (stat.size > FILE_BYTES_MAX) return { state: 'it is larger than 1 MiB' };
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path));
  } catch (error) {
    return { state: STATES[(error as NodeJS.ErrnoException).code ?? ''] ?? (error as Error).message };
  }
}

const STATES: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'permission denied',
  ERR_ENCODING_INVALID_ENCODED_DATA: 'it is not UTF-8',
};

function parseToml(text: string, shown: string): { readonly document: unknown } | { readonly error: string } {
  try {
    return { document: parse(text) };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = error.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '') ?? '';
    return { error: `Cannot read settings file "${shown}:${error.line}:${error.column}": ${reason}` };
  }
}
