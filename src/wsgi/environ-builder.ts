import type { Request } from '../http/message.ts';
import type { Client, EarlyHints, Environ, ErrorStream } from './contract.ts';
import { wrapFile } from './file-wrapper.ts';
import { NO_INPUT, RequestInput } from './input-stream.ts';
import { certificateVariables, environKey, joinRepeated, type ListenerEnviron, percentDecode } from './variables.ts';

/** What environs are made of beside the request. */
export interface EnvironOptions {
  /** By index. */
  readonly listeners: readonly ListenerEnviron[];
  /** SERVER_SOFTWARE. */
  readonly software: string;
  readonly multiprocess: boolean;
  readonly errors: ErrorStream;
}

/** Field sections that recur are read once; so many are remembered. */
const REMEMBERED_MAX = 1024;
/** How many variables each request has for itself; they are the first ones. */
const OWN_COUNT = 8;
const VERSION = [1, 0] as const;
const NOBODY: Client = { gone: false, signal: new AbortController().signal };
const NOWHERE: ListenerEnviron = { SERVER_NAME: 'localhost', SERVER_PORT: '80', 'wsgi.url_scheme': 'http' };

/** Makes the environs of the applications that run here (PEP 3333, "environ Variables"). */
export class Environs {
  readonly #options: EnvironOptions;
  readonly #remembered = new Map<number, Section>();

  constructor(options: EnvironOptions) {
    this.#options = options;
  }

  /** What the requests of one connection have in common. */
  sectionOf(request: Request): Section {
    const { recurring } = request;
    if (recurring === 0) return new Section(this.#read(request));
    const known = this.#remembered.get(recurring);
    if (known !== undefined) return known;
    const section = new Section({ ...this.#read(request) }); // the copy is laid out for copying
    if (this.#remembered.size >= REMEMBERED_MAX) this.#remembered.clear();
    this.#remembered.set(recurring, section);
    return section;
  }

  #read(request: Request): Environ {
    const { software, multiprocess, errors, listeners } = this.#options;
    const { peer } = request;
    const listener = listeners[peer.listener] ?? NOWHERE;
    const environ: Environ = {
      REQUEST_METHOD: '',
      SCRIPT_NAME: '',
      PATH_INFO: '',
      QUERY_STRING: '',
      REQUEST_URI: '',
      'wsgi.input': NO_INPUT,
      'viaduct.client': NOBODY,
      'wsgi.early_hints': sendNone,
      SERVER_NAME: listener.SERVER_NAME,
      SERVER_PORT: peer.serverPort === '' ? listener.SERVER_PORT : peer.serverPort,
      SERVER_PROTOCOL: request.protocol,
      SERVER_SOFTWARE: software,
      REMOTE_ADDR: peer.remoteAddress,
      REMOTE_PORT: `${peer.remotePort}`,
      'wsgi.version': VERSION,
      'wsgi.url_scheme': peer.secure ? 'https' : listener['wsgi.url_scheme'],
      'wsgi.errors': errors,
      'wsgi.multithread': false,
      'wsgi.multiprocess': multiprocess,
      'wsgi.run_once': false,
      'wsgi.input_terminated': true,
      'wsgi.file_wrapper': wrapFile,
    };
    if (peer.clientCertificate !== undefined) Object.assign(environ, certificateVariables(peer.clientCertificate));
    addHeaders(environ, request);
    return environ;
  }
}

/** The variables that requests have in common, with room for what is each one's own. */
export class Section {
  readonly #variables: Environ;
  #keys: readonly string[] | null = null;
  #values: readonly unknown[] | null = null;

  constructor(variables: Environ) {
    this.#variables = variables;
  }

  /** The environ of `request`, an object of its own. */
  environ(request: Request, client: Client, earlyHints: EarlyHints): Environ {
    const { query, scriptName, body } = request;
    const environ = { ...this.#variables };
    environ.REQUEST_METHOD = request.method;
    environ.SCRIPT_NAME = scriptName === '' ? '' : percentDecode(scriptName);
    environ.PATH_INFO = pathInfo(request);
    environ.QUERY_STRING = query;
    environ.REQUEST_URI = requestUri(request);
    environ['viaduct.client'] = client;
    environ['wsgi.early_hints'] = earlyHints;
    if (body !== null) {
      environ['wsgi.input'] = new RequestInput(body);
      if (body.length >= 0) environ.CONTENT_LENGTH = `${body.length}`;
    }
    return environ;
  }

  /** Whether `environ` is what `environ(request, client, earlyHints)` has made, and nothing was read of its content. */
  isUnchanged(environ: Environ, request: Request, client: Client, earlyHints: EarlyHints): boolean {
    if (environ['viaduct.client'] !== client || environ['wsgi.early_hints'] !== earlyHints) return false;
    if (!isContentOf(request, this.#variables, environ)) return false;
    if (!isTargetOf(request, environ)) return false;
    const keys = Object.keys(environ);
    const values = Object.values(environ);
    this.#keys ??= Object.keys(this.#variables);
    this.#values ??= Object.values(this.#variables);
    if (keys.length !== this.#keys.length && !isLengthAdded(keys, this.#keys)) return false;
    for (let i = 0; i < this.#keys.length; i += 1) {
      if (keys[i] !== this.#keys[i] || (i >= OWN_COUNT && values[i] !== this.#values[i])) return false;
    }
    return true;
  }
}

function sendNone(): void {}

function isLengthAdded(keys: readonly string[], before: readonly string[]): boolean {
  return keys.length === before.length + 1 && keys.at(-1) === 'CONTENT_LENGTH';
}

function isTargetOf(request: Request, environ: Environ): boolean {
  const { method, query, scriptName } = request;
  return (
    environ.REQUEST_METHOD === method &&
    environ.QUERY_STRING === query &&
    environ.PATH_INFO === pathInfo(request) &&
    environ.SCRIPT_NAME === (scriptName === '' ? '' : percentDecode(scriptName)) &&
    environ.REQUEST_URI === requestUri(request)
  );
}

function isContentOf({ body }: Request, section: Environ, environ: Environ): boolean {
  const input = environ['wsgi.input'];
  if (body === null) return input === NO_INPUT && environ.CONTENT_LENGTH === section.CONTENT_LENGTH;
  if (environ.CONTENT_LENGTH !== (body.length < 0 ? undefined : `${body.length}`)) return false;
  return input instanceof RequestInput && input.untouched && input.body === body;
}

function requestUri({ path, query }: Request): string {
  return query === '' ? path : `${path}?${query}`;
}

/** Without the part that leads to the application, decoded. `*` (RFC 9112 section 3.2.4) is no path. */
function pathInfo({ path, scriptName }: Request): string {
  if (scriptName === '' && !path.includes('%')) return path === '*' ? '' : path;
  return percentDecode(path.slice(scriptName.length));
}

function addHeaders(environ: Environ, request: Request): void {
  const headers = request.headersRepeat ? joinRepeated(request.headers) : request.headers;
  for (let i = 0; i < headers.length; i += 2) {
    const key = environKey(headers[i] as string);
    if (key === null) continue;
    if (key === 'CONTENT_LENGTH') {
      if (request.body === null) environ.CONTENT_LENGTH = '0'; // the client said that there is nothing
    } else if (key === 'CONTENT_TYPE') environ.CONTENT_TYPE = headers[i + 1] as string;
    else environ[key as `HTTP_X`] = key === 'HTTP_HOST' ? request.host : (headers[i + 1] as string);
  }
}
