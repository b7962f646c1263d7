import { parse, TomlDate, type TomlTable } from 'smol-toml';

export function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof TomlDate);
}

/**
 * Finds out on which lines the keys of a valid TOML document stand, which its parser does not tell. The document is cut into the
 * shortest runs of lines that parse alone: each is a header, or one key with its value.
 *
 * @returns a function from the keys that lead to a value, with `0`, `1`, … for the tables of an array, to its line, counted from 1: its
 *   own, or that of what it stands in
 */
export function tomlLines(text: string): (keys: readonly string[]) => number {
  const lines = new Map<string, number>();
  const lastIndexes = new Map<string, number>();
  let table: readonly string[] = [];
  let run = '';
  let start = 1;
  for (const [index, line] of text.split('\n').entries()) {
    run += `${line}\n`;
    const parsed = parseRun(run);
    if (parsed === null) continue;
    const isHeader = run.trimStart().startsWith('[');
    const keys = isHeader
      ? headerKeys(onlyKeys(parsed), run.trimStart().startsWith('[['), lastIndexes)
      : [...table, ...onlyKeys(parsed)];
    if (isHeader) table = keys;
    for (const path of pathsTo(keys)) if (!lines.has(path)) lines.set(path, start);
    run = '';
    start = index + 2;
  }
  return (keys) => lines.get(pathsTo(keys).findLast((path) => lines.has(path)) ?? '') ?? 1;
}

/** Where a header leads: `[[route]]` to one more table of the array, `[route.static]` into the last one. */
function headerKeys(written: readonly string[], begins: boolean, lastIndexes: Map<string, number>): string[] {
  const keys: string[] = [];
  for (const [position, key] of written.entries()) {
    keys.push(key);
    const path = JSON.stringify(keys);
    const before = lastIndexes.get(path);
    if (begins && position === written.length - 1) {
      lastIndexes.set(path, (before ?? -1) + 1);
      keys.push(`${(before ?? -1) + 1}`);
    } else if (before !== undefined) keys.push(`${before}`);
  }
  return keys;
}

/** Null when the value goes on in the next line. */
function parseRun(run: string): TomlTable | null {
  try {
    return parse(run);
  } catch {
    return null;
  }
}

/** The keys from the outermost table inwards, as long as there is only one. */
function onlyKeys(value: unknown): string[] {
  const entries = isTable(value) ? Object.entries(value) : [];
  const [only] = entries;
  return only === undefined || entries.length > 1 ? [] : [only[0], ...onlyKeys(only[1])];
}

/** `a`, `a.b`, `a.b.c`, as keys of a map. */
function pathsTo(keys: readonly string[]): string[] {
  return keys.map((_, index) => JSON.stringify(keys.slice(0, index + 1)));
}
