import { ViaductError } from '../errors.ts';
import { DICT, DICT_END, FALSE, LIST, type MarshalWriter, NONE, TRUE } from './marshal.ts';

/** Keys that the worker sets itself. All other keys of an environ from TypeScript are sent to the worker. */
const WORKER_KEYS = new Set([
  'wsgi.version',
  'wsgi.input',
  'wsgi.errors',
  'wsgi.multithread',
  'wsgi.multiprocess',
  'wsgi.run_once',
  'wsgi.input_terminated',
  'wsgi.file_wrapper',
  'wsgi.early_hints',
  'viaduct.client',
]);
const DEPTH_MAX = 8;

/** Keys and values of an environ for Python. */
export type Variables = readonly (readonly [key: string, value: unknown])[];

/**
 * The variables of `environ`, as changed by TypeScript middleware, that are sent to Python. A CGI variable must be a
 * latin-1 string, as PEP 3333 requires. A key with a dot may hold plain data: text, numbers, booleans, null, bytes,
 * arrays or objects. Other values under a key with a dot are not sent.
 *
 * @throws ViaductError `CONTRACT` for a CGI variable that is not a latin-1 string.
 */
export function variablesOf(environ: object): Variables {
  return Object.entries(environ).filter(([key, value]) => {
    if (WORKER_KEYS.has(key) || value === undefined) return false;
    if (key.includes('.')) return isPlain(value, 0);
    if (typeof value === 'string' && isLatin1(value)) return true;
    throw new ViaductError(
      'CONTRACT',
      `Cannot pass environ key "${key}" to Python: it must be a string of latin-1 characters`,
    );
  });
}

/**
 * Writes `variables` as items of a dict. Unless `contentLength` is negative, it replaces CONTENT_LENGTH, because it
 * counts the received bytes.
 */
export function writeVariables(writer: MarshalWriter, variables: Variables, contentLength: number): void {
  for (const [key, value] of variables) {
    if (key === 'CONTENT_LENGTH' && contentLength >= 0) continue;
    writer.text(key);
    writeValue(writer, value);
  }
  if (contentLength < 0) return;
  writer.text('CONTENT_LENGTH');
  writer.text(`${contentLength}`);
}

function writeValue(writer: MarshalWriter, value: unknown): void {
  if (value === null || value === undefined) writer.byte(NONE);
  else if (typeof value === 'boolean') writer.byte(value ? TRUE : FALSE);
  else if (typeof value === 'number') writer.number(value);
  else if (typeof value === 'string') {
    if (isLatin1(value)) writer.text(value);
    else writer.unicode(value);
  } else if (value instanceof Uint8Array) {
    writer.bytesHead(value.length);
    writer.raw(value);
  } else if (Array.isArray(value)) {
    writer.byte(LIST);
    writer.uint32(value.length);
    for (const item of value) writeValue(writer, item);
  } else {
    writer.byte(DICT);
    for (const [key, item] of Object.entries(value as object)) {
      writeValue(writer, key);
      writeValue(writer, item);
    }
    writer.byte(DICT_END);
  }
}

function isPlain(value: unknown, depth: number): boolean {
  if (value === null || value instanceof Uint8Array) return true;
  if (typeof value !== 'object')
    return typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number';
  if (depth === DEPTH_MAX) return false;
  if (Array.isArray(value)) return value.every((item) => isPlain(item, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  return Object.values(value).every((item) => item === undefined || isPlain(item, depth + 1));
}

function isLatin1(text: string): boolean {
  return !/[\u0100-\uffff]/.test(text);
}
