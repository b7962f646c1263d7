import type { Request } from '../http/message.ts';
import type { Client, EarlyHints, Environ, ErrorStream } from './contract.ts';
import { wrapFile } from './file-wrapper.ts';
import { NO_INPUT, RequestInput } from './input-stream.ts';
import { decodedScriptName, pathInfo, requestUri } from './request-path.ts';
import { certificateVariables, environKey, joinRepeated, type ListenerEnviron, userVariable } from './variables.ts';

/** What environs are made from, beside the request. */
export interface EnvironBuilderOptions {
  /** The server's listeners, by the index that a request's peer has. */
  readonly listeners: readonly ListenerEnviron[];
  /** SERVER_SOFTWARE. */
  readonly software: string;
  readonly multiprocess: boolean;
  readonly errors: ErrorStream;
}

/** Header sections that a client repeats are read once. The cache has room for this many. */
const SECTIONS_MAX = 1024;
/** The first variables of an environ differ from request to request. */
const PER_REQUEST_COUNT = 9;
const VERSION = [1, 0] as const;
const NO_CLIENT: Client = { gone: false, signal: new AbortController().signal };
const DEFAULT_LISTENER: ListenerEnviron = { SERVER_NAME: 'localhost', SERVER_PORT: '80', 'wsgi.url_scheme': 'http' };

/** Makes the environs of the applications that run in this process (PEP 3333, "environ Variables"). */
export class EnvironBuilder {
  readonly #options: EnvironBuilderOptions;
  readonly #sections = new Map<number, Section>();

  constructor(options: EnvironBuilderOptions) {
    this.#options = options;
  }

  /** The variables that requests with the same fields on a connection share. */
  sectionOf(request: Request): Section {
    const { headerCacheId } = request;
    if (headerCacheId === 0) return new Section(this.#read(request));
    const known = this.#sections.get(headerCacheId);
    if (known !== undefined) return known;
    const section = new Section({ ...this.#read(request) }); // a spread object is laid out so that it can be copied fast
    if (this.#sections.size >= SECTIONS_MAX) this.#sections.clear();
    this.#sections.set(headerCacheId, section);
    return section;
  }

  #read(request: Request): Environ {
    const { software, multiprocess, errors, listeners } = this.#options;
    const { peer } = request;
    const listener = listeners[peer.listener] ?? DEFAULT_LISTENER;
    const environ: Environ = {
      REQUEST_METHOD: '',
      SCRIPT_NAME: '',
      PATH_INFO: '',
      QUERY_STRING: '',
      REQUEST_URI: '',
      RAW_URI: '',
      'wsgi.input': NO_INPUT,
      'viaduct.client': NO_CLIENT,
      'wsgi.early_hints': sendNone,
      SERVER_NAME: listener.SERVER_NAME,
      SERVER_PORT: peer.serverPort === '' ? listener.SERVER_PORT : peer.serverPort,
      SERVER_PROTOCOL: request.protocol,
      SERVER_SOFTWARE: software,
      REMOTE_ADDR: peer.remoteAddress,
      REMOTE_PORT: `${peer.remotePort}`,
      'wsgi.version': VERSION,
      'wsgi.url_scheme': peer.secure ? 'https' : 'http',
      'wsgi.errors': errors,
      'wsgi.multithread': false,
      'wsgi.multiprocess': multiprocess,
      'wsgi.run_once': false,
      'wsgi.input_terminated': true,
      'wsgi.file_wrapper': wrapFile,
    };
    if (peer.clientCertificate !== undefined) Object.assign(environ, certificateVariables(peer.clientCertificate));
    if (peer.cgi !== undefined) addVariables(environ, [...peer.cgi.variables, ...peer.cgi.user]);
    addHeaders(environ, request);
    return environ;
  }
}

/** The variables that several requests share, with room for those of each request. */
export class Section {
  readonly #variables: Environ;
  #keys: readonly string[] | null = null;
  #values: readonly unknown[] | null = null;

  constructor(variables: Environ) {
    this.#variables = variables;
  }

  /** The environ of `request`: a new object. */
  environ(request: Request, client: Client, earlyHints: EarlyHints): Environ {
    const { query, body } = request;
    const environ = { ...this.#variables };
    environ.REQUEST_METHOD = request.method;
    environ.SCRIPT_NAME = decodedScriptName(request);
    environ.PATH_INFO = pathInfo(request);
    environ.QUERY_STRING = query;
    environ.REQUEST_URI = environ.RAW_URI = requestUri(request);
    environ['viaduct.client'] = client;
    environ['wsgi.early_hints'] = earlyHints;
    if (body !== null) {
      environ['wsgi.input'] = new RequestInput(body);
      if (body.length >= 0) environ.CONTENT_LENGTH = `${body.length}`;
    }
    if (request.user !== undefined) {
      environ.REMOTE_USER = userVariable(request.user);
      environ.AUTH_TYPE = 'Basic';
    }
    return environ;
  }

  /** Whether `environ` is as `environ(request, client, earlyHints)` made it, and nothing of its content was read. */
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
      if (keys[i] !== this.#keys[i] || (i >= PER_REQUEST_COUNT && values[i] !== this.#values[i])) return false;
    }
    return true;
  }
}

function sendNone(): void {}

function isLengthAdded(keys: readonly string[], before: readonly string[]): boolean {
  return keys.length === before.length + 1 && keys.at(-1) === 'CONTENT_LENGTH';
}

function isTargetOf(request: Request, environ: Environ): boolean {
  const { method, query } = request;
  return (
    environ.REQUEST_METHOD === method &&
    environ.QUERY_STRING === query &&
    environ.PATH_INFO === pathInfo(request) &&
    environ.SCRIPT_NAME === decodedScriptName(request) &&
    environ.REQUEST_URI === requestUri(request) &&
    environ.RAW_URI === environ.REQUEST_URI
  );
}

function isContentOf({ body }: Request, section: Environ, environ: Environ): boolean {
  const input = environ['wsgi.input'];
  if (body === null) return input === NO_INPUT && environ.CONTENT_LENGTH === section.CONTENT_LENGTH;
  if (environ.CONTENT_LENGTH !== (body.length < 0 ? undefined : `${body.length}`)) return false;
  return input instanceof RequestInput && input.untouched && input.body === body;
}

/** What a front-end proxy says beside the request: names and values, alternating. */
function addVariables(environ: Environ, variables: readonly string[]): void {
  const all = environ as unknown as Record<string, string>;
  for (let i = 0; i < variables.length; i += 2) all[variables[i] as string] = variables[i + 1] as string;
}

function addHeaders(environ: Environ, request: Request): void {
  const headers = request.headersRepeat ? joinRepeated(request.headers) : request.headers;
  for (let i = 0; i < headers.length; i += 2) {
    const key = environKey(headers[i] as string);
    if (key === null) continue;
    if (key === 'CONTENT_LENGTH') {
      if (request.body === null) environ.CONTENT_LENGTH = '0'; // the client announced that there is no content
    } else if (key === 'CONTENT_TYPE') environ.CONTENT_TYPE = headers[i + 1] as string;
    else environ[key as `HTTP_X`] = key === 'HTTP_HOST' ? request.host : (headers[i + 1] as string);
  }
}
