import { describe } from '../contract-errors.ts';
import type { Reporter } from './violation.ts';

type Variables = Readonly<Record<string, unknown>>;

const TEXT = [
  'REQUEST_METHOD',
  'SCRIPT_NAME',
  'PATH_INFO',
  'QUERY_STRING',
  'REQUEST_URI',
  'SERVER_NAME',
  'SERVER_PORT',
  'SERVER_PROTOCOL',
  'SERVER_SOFTWARE',
  'REMOTE_ADDR',
  'REMOTE_PORT',
  'wsgi.url_scheme',
];
const FLAGS = ['wsgi.multithread', 'wsgi.multiprocess', 'wsgi.run_once', 'wsgi.input_terminated'];
const OBJECTS = ['wsgi.version', 'wsgi.input', 'wsgi.errors'];
const FUNCTIONS = ['wsgi.file_wrapper', 'wsgi.early_hints'];
const FORBIDDEN = ['HTTP_CONTENT_TYPE', 'HTTP_CONTENT_LENGTH'];

/** The form of values, beyond their type. */
const PATTERNS: Readonly<Record<string, RegExp>> = {
  REQUEST_METHOD: /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/,
  SCRIPT_NAME: /^$|^\/(.*[^/])?$/s,
  PATH_INFO: /^$|^\//,
  SERVER_NAME: /./,
  SERVER_PORT: /^\d+$/,
  SERVER_PROTOCOL: /^HTTP\/\d(\.\d)?$/,
  CONTENT_LENGTH: /^\d*$/,
  'wsgi.url_scheme': /^https?$/,
};

const INPUT_METHODS = ['read', 'readline', 'readlines', 'blocks', Symbol.asyncIterator];
const ERRORS_METHODS = ['write', 'writelines', 'flush'];
// biome-ignore lint/suspicious/noControlCharactersInRegex: latin-1 includes controls
const LATIN1 = /^[\x00-\xff]*$/;

/** Checks an environ (PEP 3333, "environ Variables"). Returns whether it has the streams that the validator replaces. */
export function checkEnviron(environ: unknown, reporter: Reporter): boolean {
  if (!isPlain(environ) || Object.isFrozen(environ)) {
    const state = isPlain(environ) ? 'frozen' : `${describe(environ)}, and not a plain object`;
    reporter.report('environ-not-plain', `the environ is ${state}`);
    return false;
  }
  checkTypes(environ, reporter);
  for (const key of FORBIDDEN) {
    if (environ[key] !== undefined)
      reporter.report('environ-key-forbidden', `${key} is in the environ, and is called ${key.slice(5)}`);
  }
  for (const [key, pattern] of Object.entries(PATTERNS)) {
    const value = environ[key];
    if (typeof value === 'string' && (!pattern.test(value) || (key === 'SCRIPT_NAME' && value === '/')))
      reporter.report('environ-key-wrong-value', `${key} is ${JSON.stringify(value)}`);
  }
  checkVersion(environ['wsgi.version'], reporter);
  checkHeaders(environ, reporter);
  return checkStreams(environ, reporter);
}

function checkTypes(environ: Variables, reporter: Reporter): void {
  for (const key of [...TEXT, ...FLAGS, ...OBJECTS]) {
    if (environ[key] === undefined) reporter.report('environ-key-missing', `${key} is not in the environ`);
  }
  const expect = (key: string, type: string): void => {
    const value = environ[key];
    if (value !== undefined && (typeof value !== type || value === null))
      reporter.report('environ-key-wrong-type', `${key} is ${describe(value)}, and not a ${type}`);
  };
  for (const key of FLAGS) expect(key, 'boolean');
  for (const key of OBJECTS) expect(key, 'object');
  for (const key of FUNCTIONS) expect(key, 'function');
  for (const key of Object.keys(environ)) {
    if (key === 'wsgi.url_scheme' || key.startsWith('HTTP_') || !key.includes('.')) expect(key, 'string');
  }
}

function checkVersion(version: unknown, reporter: Reporter): void {
  if (typeof version !== 'object' || version === null) return;
  if (!Array.isArray(version) || version.length !== 2 || version[0] !== 1 || version[1] !== 0)
    reporter.report('environ-key-wrong-value', `wsgi.version is ${JSON.stringify(version)}, and not [1, 0]`);
}

/** Checks the keys of headers, and the characters of every string of the PEP. */
function checkHeaders(environ: Variables, reporter: Reporter): void {
  for (const [key, value] of Object.entries(environ)) {
    if (key.startsWith('HTTP_') && /[a-z-]/.test(key))
      reporter.report('environ-key-malformed', `${key} must be written ${key.toUpperCase().replaceAll('-', '_')}`);
    const isText = key.startsWith('HTTP_') || !key.includes('.');
    if (isText && typeof value === 'string' && !LATIN1.test(value))
      reporter.report('environ-not-latin1', `${key} holds a character beyond U+00FF`);
  }
}

function checkStreams(environ: Variables, reporter: Reporter): boolean {
  const missingIn = (value: unknown, methods: readonly PropertyKey[]): PropertyKey | undefined =>
    methods.find((method) => typeof (value as Record<PropertyKey, unknown> | undefined)?.[method] !== 'function');
  const missing = missingIn(environ['wsgi.input'], INPUT_METHODS);
  if (missing !== undefined) reporter.report('input-incomplete', `wsgi.input has no method ${String(missing)}`);
  const missingError = missingIn(environ['wsgi.errors'], ERRORS_METHODS);
  if (missingError !== undefined)
    reporter.report('errors-incomplete', `wsgi.errors has no method ${String(missingError)}`);
  return missing === undefined && missingError === undefined;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
