import { resolve } from 'node:path';

/** A value that can be sent to other processes. In Python it becomes a keyword argument: `null` becomes `None`, a table a `dict`. */
export type PlainValue =
  | string
  | number
  | boolean
  | null
  | readonly PlainValue[]
  | { readonly [key: string]: PlainValue };

export type MiddlewareOptions = Readonly<Record<string, PlainValue>>;

/** Middleware that a worker applies as `middleware(application, **options)` (PEP 3333, "Middleware"). */
export interface PythonMiddleware {
  readonly language: 'python';
  /** A dotted module, a colon, and a path of attributes in the module: `whitenoise.middleware:WhiteNoise`. */
  readonly path: string;
  readonly options: MiddlewareOptions;
}

/** Middleware that a module in TypeScript or JavaScript exports. */
export interface TypeScriptMiddleware {
  readonly language: 'typescript';
  /** Absolute path. */
  readonly module: string;
  /** The name of the export; '' if the configuration does not name one. */
  readonly export: string;
  readonly options: MiddlewareOptions;
}

/** Middleware that is part of Viaduct: `viaduct:NAME`. */
export interface BuiltinMiddleware {
  readonly language: 'builtin';
  readonly name: string;
  readonly options: MiddlewareOptions;
}

/** An item of an application's list of middleware. The first item is the outermost. Plain data. */
export type MiddlewareEntry = PythonMiddleware | TypeScriptMiddleware | BuiltinMiddleware;

/** An item of the list as configurations write it. */
export type MiddlewareInput =
  | string
  | { readonly use: string; readonly options?: Readonly<Record<string, unknown>> | undefined };

/** The forms of middleware, in words that follow "must be". */
export const MIDDLEWARE_TAKES = 'MODULE:NAME in Python, ./FILE.ts or ./FILE.ts#EXPORT, or viaduct:NAME';

const NAME = String.raw`[\p{L}_][\p{L}\p{N}_]*`;
const DOTTED = String.raw`${NAME}(?:\.${NAME})*`;
// Functions, because each of these takes half a millisecond to construct, and most starts need none.
const python = (): RegExp => new RegExp(`^${DOTTED}:${DOTTED}$`, 'u');
const pythonCalled = (): RegExp => new RegExp(String.raw`^(${DOTTED}:${DOTTED})\(.*\)$`, 'u');
const pythonAllDots = (): RegExp => new RegExp(String.raw`^(${DOTTED})\.(${NAME})$`, 'u');
const exportName = (): RegExp => /^[\p{L}_$][\p{L}\p{N}_$]*$/u;
const PYTHON_FILE = /\.py(?:[:#].*)?$/;
const BUILTIN = /^viaduct:([a-z][a-z0-9]*(?:-[a-z0-9]+)*)$/;
const MODULE_FILE = /\.m?[jt]s$/;
const DEPTH_MAX = 32;

/**
 * Reads one item of a list of middleware: a text, or a table of `use` and `options`.
 *
 * @param base directory where relative paths of modules start
 * @returns the entry, or its problem: the end of a sentence that starts with "it"
 */
export function parseMiddleware(
  raw: unknown,
  base: string,
): { readonly value: MiddlewareEntry } | { readonly problem: string } {
  const table = isPlainTable(raw) ? raw : { use: raw };
  const unknown = Object.keys(table).find((key) => key !== 'use' && key !== 'options');
  if (unknown !== undefined) return { problem: `has ${JSON.stringify(unknown)}, but takes use and options only` };
  const { use, options = {} } = table;
  if (typeof use !== 'string') return { problem: `must be ${MIDDLEWARE_TAKES}, or a table with that as use` };
  if (!isPlainTable(options)) return { problem: 'must have a table as options' };
  const unsupported = findUnsupported(options, ['options']);
  if (unsupported !== null) {
    return { problem: `has ${unsupported}, which is not a text, number, boolean, null, or a list or table of these` };
  }
  return parseUse(use, JSON.parse(JSON.stringify(options)) as MiddlewareOptions, base);
}

function parseUse(use: string, options: MiddlewareOptions, base: string): ReturnType<typeof parseMiddleware> {
  const hash = use.lastIndexOf('#');
  const hasExport = hash > use.lastIndexOf('/') && hash > 0;
  const file = hasExport ? use.slice(0, hash) : use;
  if (PYTHON_FILE.test(use)) return { problem: 'names a Python file: write it as MODULE:NAME' };
  if (/^\.{0,2}\/[^\0]*[^\0/]$/.test(file) || (MODULE_FILE.test(file) && !file.includes('\0'))) {
    const name = hasExport ? use.slice(hash + 1) : '';
    if (hasExport && !exportName().test(name)) return { problem: 'must have the name of an export after #' };
    return { value: { language: 'typescript', module: resolve(base, file), export: name, options } };
  }
  const builtin = BUILTIN.exec(use)?.[1];
  if (builtin !== undefined) return { value: { language: 'builtin', name: builtin, options } };
  if (python().test(use) && !use.startsWith('viaduct:')) return { value: { language: 'python', path: use, options } };
  const called = pythonCalled().exec(use)?.[1];
  if (called !== undefined)
    return { problem: `must not be called, because Viaduct calls it: write ${called}, and its arguments as options` };
  const [, module, attribute] = pythonAllDots().exec(use) ?? [];
  const meant = module === undefined ? '' : `; did you mean ${module}:${attribute}?`;
  return { problem: `must be ${MIDDLEWARE_TAKES}${meant}` };
}

/**
 * Finds the first entry that is not in Python but comes after one in Python. No worker can run it.
 *
 * @returns the index and the problem: the end of a sentence that starts with "it"; null if the order is possible
 */
export function misplacedMiddleware(
  entries: readonly MiddlewareEntry[],
): { readonly index: number; readonly problem: string } | null {
  const python = entries.findIndex(({ language }) => language === 'python');
  const index = entries.findIndex(({ language }, at) => at > python && language !== 'python');
  if (python < 0 || index < 0) return null;
  const firstPython = middlewareName(entries[python] as MiddlewareEntry);
  return {
    index,
    problem: `must come before ${firstPython}: Python middleware runs in the worker, directly around the application`,
  };
}

/** The entries that workers apply. */
export function pythonMiddleware(entries: readonly MiddlewareEntry[]): PythonMiddleware[] {
  return entries.filter((entry) => entry.language === 'python');
}

/** An entry as configurations write it, without its options. */
export function middlewareName(entry: MiddlewareEntry): string {
  if (entry.language === 'python') return entry.path;
  if (entry.language === 'builtin') return `viaduct:${entry.name}`;
  return entry.export === '' ? entry.module : `${entry.module}#${entry.export}`;
}

/** An entry with its options, for messages. */
export function formatMiddleware(entry: MiddlewareEntry): string {
  const hasOptions = Object.keys(entry.options).length > 0;
  return hasOptions ? `${middlewareName(entry)} ${JSON.stringify(entry.options)}` : middlewareName(entry);
}

function isPlainTable(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** The keys of the first value that cannot be sent to Python; null if there is none. An undefined value counts as absent. */
function findUnsupported(value: unknown, keys: readonly string[]): string | null {
  if (value === null || value === undefined || typeof value === 'string' || typeof value === 'boolean') return null;
  if (typeof value === 'number') return Number.isFinite(value) ? null : keys.join('.');
  if (keys.length > DEPTH_MAX || !(Array.isArray(value) || isPlainTable(value))) return keys.join('.');
  for (const [key, inner] of Object.entries(value)) {
    const unsupported = findUnsupported(inner, [...keys, key]);
    if (unsupported !== null) return unsupported;
  }
  return null;
}
