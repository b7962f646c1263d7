import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import { ViaductError } from '../errors.ts';

/** Keys of a settings file with the lines that they stand on. */
export interface SettingsFile {
  readonly directory: string;
  readonly entries: readonly { readonly key: string; readonly value: unknown; readonly origin: string }[];
}

/**
 * Reads `viaduct.toml`, or the table `[tool.viaduct]` of `pyproject.toml`.
 *
 * @throws ViaductError `SETTINGS` when it cannot be read or is no TOML, with its line.
 */
export function readSettingsFile(path: string): SettingsFile {
  const name = basename(path);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const state = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : 'it cannot be opened';
    throw new ViaductError('SETTINGS', `Cannot read settings file "${path}": ${state}`, { cause: error });
  }
  const table = name === 'pyproject.toml' ? 'tool.viaduct' : '';
  let settings: unknown = parseToml(text, name);
  for (const part of table === '' ? [] : table.split('.')) settings = (settings as Record<string, unknown>)[part] ?? {};
  const lines = keyLines(text, table);
  const entries = Object.entries(settings as Record<string, unknown>).map(([key, value]) => {
    const line = lines.get(key);
    return { key, value, origin: line === undefined ? name : `${name}:${line}` };
  });
  return { directory: dirname(path), entries };
}

/** The settings files that apply in a project's directory: the first wins. */
export function findSettingsFiles(directory: string): string[] {
  return ['viaduct.toml', 'pyproject.toml'].map((name) => join(directory, name)).filter((path) => existsSync(path));
}

function parseToml(text: string, name: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = error.message.split('\n')[0]?.replace(/^Invalid TOML document: /, '') ?? '';
    throw new ViaductError('SETTINGS', `Cannot read settings file "${name}:${error.line}": ${reason}`, {
      cause: error,
    });
  }
}

/** Lines of the keys of `table` (dotted; '' is the top), by scanning for headers and assignments. */
function keyLines(text: string, table: string): Map<string, number> {
  const lines = new Map<string, number>();
  let current = '';
  for (const [index, line] of text.split('\n').entries()) {
    const header = /^\s*\[+\s*([^\]]+?)\s*\]+/.exec(line);
    const assignment = /^\s*(?:"([^"]+)"|'([^']+)'|([\w-]+))\s*[=.]/.exec(line);
    if (header !== null) {
      current = (header[1] as string).replace(/["'\s]/g, '');
      if (table === '') lines.set(current.split('.')[0] as string, index + 1);
      else if (current.startsWith(`${table}.`))
        lines.set(current.slice(table.length + 1).split('.')[0] as string, index + 1);
    } else if (assignment !== null && current === table) {
      const key = (assignment[1] ?? assignment[2] ?? assignment[3]) as string;
      if (!lines.has(key)) lines.set(key, index + 1);
    }
  }
  return lines;
}
