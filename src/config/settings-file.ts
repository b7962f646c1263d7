import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { isTable, tomlLines } from './toml.ts';

/** The settings that stand in a file, or why it cannot be read. */
export type SettingsFile =
  | {
      readonly entries: readonly (readonly [key: string, value: unknown])[];
      /** `viaduct.toml:3` for a key, or for a key of its table. */
      readonly place: (keys: readonly string[]) => string;
    }
  | { readonly mistake: string };

const FILE_BYTES_MAX = 1024 * 1024;

/**
 * Reads `viaduct.toml`, or the table `[tool.viaduct]` of a file named `pyproject.toml`.
 *
 * @param shown the path as it is to stand in messages
 */
export function readSettingsFile(path: string, shown: string): SettingsFile {
  const text = readText(path);
  if (typeof text !== 'string') return { mistake: `Cannot read settings file "${shown}": ${text.state}` };
  const parsed = parseToml(text, shown);
  if ('mistake' in parsed) return parsed;
  const above = basename(path) === 'pyproject.toml' ? ['tool', 'viaduct'] : [];
  let table: unknown = parsed.document;
  for (const key of above) table = isTable(table) ? (table[key] ?? {}) : table;
  let lineOf: ((keys: readonly string[]) => number) | null = null;
  const place = (keys: readonly string[]): string => {
    lineOf ??= tomlLines(text);
    return `${shown}:${lineOf([...above, ...keys])}`;
  };
  if (!isTable(table)) return { mistake: `Cannot use tool.viaduct (${place([])}): it must be a table, [tool.viaduct]` };
  return { entries: Object.entries(table), place };
}

function readText(path: string): string | { readonly state: string } {
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) return { state: 'it is a directory' };
    if (!stat.isFile()) return { state: 'it is no ordinary file' };
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

function parseToml(text: string, shown: string): { readonly document: unknown } | { readonly mistake: string } {
  try {
    return { document: parse(text) };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = error.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '') ?? '';
    return { mistake: `Cannot read settings file "${shown}:${error.line}:${error.column}": ${reason}` };
  }
}
