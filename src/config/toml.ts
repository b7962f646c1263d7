import { parse, TomlDate, type TomlTable } from 'smol-toml';

export function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof TomlDate);
}

/**
 * Finds the lines of the keys in a valid TOML document, because the parser does not report them. The document is cut into the shortest runs of lines that
 * parse alone: each run is a header, or one key with its value.
 *
 * @returns a function from the keys that lead to a value (with `0`, `1`, … for the tables of an array) to the line of the value, counted from 1. For an
 *   unknown key this is the line of the innermost known table.
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

/** The keys that a header leads to: `[[route]]` adds a table to the array, `[route.static]` is in the last table of the array. */
function headerKeys(header: readonly string[], addsTable: boolean, lastIndexes: Map<string, number>): string[] {
  const keys: string[] = [];
  for (const [position, key] of header.entries()) {
    keys.push(key);
    const path = JSON.stringify(keys);
    const lastIndex = lastIndexes.get(path);
    if (addsTable && position === header.length - 1) {
      lastIndexes.set(path, (lastIndex ?? -1) + 1);
      keys.push(`${(lastIndex ?? -1) + 1}`);
    } else if (lastIndex !== undefined) keys.push(`${lastIndex}`);
  }
  return keys;
}

/** Null if the value continues in the next line. */
function parseRun(run: string): TomlTable | null {
  try {
    return parse(run);
  } catch {
    return null;
  }
}

/** The keys from the outermost table inwards, as long as each table has one key. */
function onlyKeys(value: unknown): string[] {
  const entries = isTable(value) ? Object.entries(value) : [];
  const [only] = entries;
  return only === undefined || entries.length > 1 ? [] : [only[0], ...onlyKeys(only[1])];
}

/** The paths `a`, `a.b`, `a.b.c`, as keys of a map. */
function pathsTo(keys: readonly string[]): string[] {
  return keys.map((_, index) => JSON.stringify(keys.slice(0, index + 1)));
}
