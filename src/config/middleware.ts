import { resolve } from 'node:path';

/** What travels to other processes as it is, and becomes keyword arguments in Python: `null` is `None` there, a table a `dict`. */
export type PlainValue =
  | string
  | number
  | boolean
  | null
  | readonly PlainValue[]
  | { readonly [key: string]: PlainValue };

export type MiddlewareOptions = Readonly<Record<string, PlainValue>>;

/** Applied in the worker, as `middleware(application, **options)` (PEP 3333, "Middleware"). */
export interface PythonMiddleware {
  readonly language: 'python';
  /** A dotted module, a colon, and an attribute path in it: `whitenoise.middleware:WhiteNoise`. */
  readonly path: string;
  readonly options: MiddlewareOptions;
}

/** A module written in TypeScript or JavaScript. */
export interface TypeScriptMiddleware {
  readonly language: 'typescript';
  /** Absolute path. */
  readonly module: string;
  /** What of its exports is meant; '' when that is not said. */
  readonly export: string;
  readonly options: MiddlewareOptions;
}

/** One that Viaduct has itself: `viaduct:NAME`. */
export interface BuiltinMiddleware {
  readonly language: 'builtin';
  readonly name: string;
  readonly options: MiddlewareOptions;
}

/** One of an application's list of middleware, whose first is the outermost. Plain data. */
export type MiddlewareEntry = PythonMiddleware | TypeScriptMiddleware | BuiltinMiddleware;

/** As it is written. */
export type MiddlewareInput =
  | string
  | { readonly use: string; readonly options?: Readonly<Record<string, unknown>> | undefined };

/** What it takes, in words that follow "must be". */
export const MIDDLEWARE_TAKES = 'MODULE:NAME in Python, ./FILE.ts or ./FILE.ts#EXPORT, or viaduct:NAME';

const NAME = String.raw`[\p{L}_][\p{L}\p{N}_]*`;
const DOTTED = String.raw`${NAME}(?:\.${NAME})*`;
const PYTHON = new RegExp(`^${DOTTED}:${DOTTED}$`, 'u');
const PYTHON_CALLED = new RegExp(String.raw`^(${DOTTED}:${DOTTED})\(.*\)$`, 'u');
const PYTHON_ALL_DOTS = new RegExp(String.raw`^(${DOTTED})\.(${NAME})$`, 'u');
const PYTHON_FILE = /\.py(?:[:#].*)?$/;
const BUILTIN = /^viaduct:([a-z][a-z0-9]*(?:-[a-z0-9]+)*)$/;
const MODULE_FILE = /\.m?[jt]s$/;
const EXPORT = /^[\p{L}_$][\p{L}\p{N}_$]*$/u;
const DEPTH_MAX = 32;

/**
 * Reads one item of a list of middleware: a text, or a table of `use` and `options`.
 *
 * @param base where relative paths of modules start
 * @returns the entry, or what is wrong with it: the end of a sentence that begins with "it"
 */
export function parseMiddleware(
  raw: unknown,
  base: string,
): { readonly value: MiddlewareEntry } | { readonly wrong: string } {
  const table = isPlainTable(raw) ? raw : { use: raw };
  const unknown = Object.keys(table).find((key) => key !== 'use' && key !== 'options');
  if (unknown !== undefined) return { wrong: `has ${JSON.stringify(unknown)}, but takes use and options only` };
  const { use, options: given = {} } = table;
  if (typeof use !== 'string') return { wrong: `must be ${MIDDLEWARE_TAKES}, or a table with that as use` };
  if (!isPlainTable(given)) return { wrong: 'must have a table as options' };
  const impure = notPlain(given, ['options']);
  if (impure !== null) {
    return { wrong: `has ${impure}, which is no text, number, boolean, null, list or table of them` };
  }
  return parseUse(use, JSON.parse(JSON.stringify(given)) as MiddlewareOptions, base);
}

function parseUse(use: string, options: MiddlewareOptions, base: string): ReturnType<typeof parseMiddleware> {
  const hash = use.lastIndexOf('#');
  const hasExport = hash > use.lastIndexOf('/') && hash > 0;
  const file = hasExport ? use.slice(0, hash) : use;
  if (PYTHON_FILE.test(use)) return { wrong: 'names a Python file: write it as MODULE:NAME' };
  if (/^\.{0,2}\/[^\0]*[^\0/]$/.test(file) || (MODULE_FILE.test(file) && !file.includes('\0'))) {
    const name = hasExport ? use.slice(hash + 1) : '';
    if (hasExport && !EXPORT.test(name)) return { wrong: 'must have the name of an export behind #' };
    return { value: { language: 'typescript', module: resolve(base, file), export: name, options } };
  }
  const builtin = BUILTIN.exec(use)?.[1];
  if (builtin !== undefined) return { value: { language: 'builtin', name: builtin, options } };
  if (PYTHON.test(use) && !use.startsWith('viaduct:')) return { value: { language: 'python', path: use, options } };
  const called = PYTHON_CALLED.exec(use)?.[1];
  if (called !== undefined) return { wrong: `is called by Viaduct: write ${called}, and its arguments as options` };
  const [, module, attribute] = PYTHON_ALL_DOTS.exec(use) ?? [];
  const meant = module === undefined ? '' : `; did you mean ${module}:${attribute}?`;
  return { wrong: `must be ${MIDDLEWARE_TAKES}${meant}` };
}

/**
 * The first entry that stands behind one in Python although it is not: no worker can run it.
 *
 * @returns its index, and what is wrong: the end of a sentence that begins with "it"; null when the order is possible
 */
export function misplacedMiddleware(
  entries: readonly MiddlewareEntry[],
): { readonly index: number; readonly wrong: string } | null {
  const python = entries.findIndex(({ language }) => language === 'python');
  const index = entries.findIndex(({ language }, at) => at > python && language !== 'python');
  if (python < 0 || index < 0) return null;
  const before = middlewareName(entries[python] as MiddlewareEntry);
  return {
    index,
    wrong: `must stand before ${before}: Python middleware runs in the worker, directly around the application, and nothing else can come between`,
  };
}

/** The part of a list that workers apply. */
export function pythonMiddleware(entries: readonly MiddlewareEntry[]): PythonMiddleware[] {
  return entries.filter((entry) => entry.language === 'python');
}

/** As it would be written, without its options. */
export function middlewareName(entry: MiddlewareEntry): string {
  if (entry.language === 'python') return entry.path;
  if (entry.language === 'builtin') return `viaduct:${entry.name}`;
  return entry.export === '' ? entry.module : `${entry.module}#${entry.export}`;
}

/** With its options, for people. */
export function formatMiddleware(entry: MiddlewareEntry): string {
  const hasOptions = Object.keys(entry.options).length > 0;
  return hasOptions ? `${middlewareName(entry)} ${JSON.stringify(entry.options)}` : middlewareName(entry);
}

function isPlainTable(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** The first value that cannot be told to Python, by its keys; null when there is none. What is undefined counts as not written. */
function notPlain(value: unknown, keys: readonly string[]): string | null {
  if (value === null || value === undefined || typeof value === 'string' || typeof value === 'boolean') return null;
  if (typeof value === 'number') return Number.isFinite(value) ? null : keys.join('.');
  if (keys.length > DEPTH_MAX || !(Array.isArray(value) || isPlainTable(value))) return keys.join('.');
  for (const [key, inner] of Object.entries(value)) {
    const found = notPlain(inner, [...keys, key]);
    if (found !== null) return found;
  }
  return null;
}
