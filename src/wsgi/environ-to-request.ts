import { describeThrown } from '../errors.ts';
import type { HeaderList, Peer, Priority, Protocol, Request, RequestBody, RequestRecord } from '../http/message.ts';
import { newRecord } from '../http/request-record.ts';
import { EARLY_HINTS } from '../http/semantics/status.ts';
import { ApplicationCall } from './application-call.ts';
import type { Client, Environ, InputStream } from './contract.ts';
import { NO_INPUT, RequestInput } from './input-stream.ts';
import { PulledBody, type PulledSource } from './pulled-body.ts';
import { requestUri } from './request-path.ts';
import { readLines } from './response-headers.ts';
import { percentDecode, percentEncode } from './variables.ts';

/**
 * The request that an environ describes, for an application that takes requests. If the environ was not changed, this is the original request, whose fields
 * the application may know already.
 *
 * @param isKnown whether the application knows the listener that the environ names; if not, the request must describe it
 */
export function requestOf(
  environ: Environ,
  isKnown: (environ: Environ, request: Request) => boolean = always,
): Request {
  const client = environ['viaduct.client'] ?? null;
  if (!(client instanceof ApplicationCall)) return new EnvironRequest(environ, client, null);
  const { request } = client;
  const isOriginal = !client.isWatched && isKnown(environ, request) && client.isUnchanged(environ);
  return isOriginal ? request : new EnvironRequest(environ, client, request);
}

function always(): boolean {
  return true;
}

/** A request that middleware has changed, or that did not arrive by a connection. */
class EnvironRequest implements Request {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly received: string;
  readonly protocol: Protocol;
  readonly headers: HeaderList;
  readonly headersRepeat = false;
  readonly headerCacheId = 0;
  readonly scriptName: string;
  readonly host: string;
  readonly body: RequestBody | null;
  readonly peer: Peer;
  readonly environ: Environ;
  readonly upgrades = false;
  readonly record: RequestRecord;
  readonly #client: Client | null;
  readonly #origin: Request | null;
  #onGone: (() => void) | null = null;
  #isListening = false;

  constructor(environ: Environ, client: Client | null, origin: Request | null) {
    const { path, scriptName } = targetOf(environ, origin);
    this.method = environ.REQUEST_METHOD;
    this.path = path;
    this.query = environ.QUERY_STRING;
    this.received = origin !== null && requestUri(origin) === environ.REQUEST_URI ? (origin.received ?? '') : '';
    this.protocol = protocolOf(environ.SERVER_PROTOCOL);
    this.headers = headersOf(environ);
    this.scriptName = scriptName;
    this.host = environ.HTTP_HOST ?? '';
    this.body = bodyOf(environ, origin);
    this.peer = peerOf(environ, origin);
    this.environ = environ;
    this.record = origin?.record ?? newRecord();
    this.#client = client;
    this.#origin = origin;
  }

  get neverIndexed(): ReadonlySet<string> | null {
    return this.#origin?.neverIndexed ?? null;
  }

  get timeoutMs(): number | undefined {
    return this.#origin?.timeoutMs;
  }

  get priority(): Priority | undefined {
    return this.#origin?.priority;
  }

  get gone(): boolean {
    return this.#client?.gone === true;
  }

  get onGone(): (() => void) | null {
    return this.#onGone;
  }

  set onGone(onGone: (() => void) | null) {
    this.#onGone = onGone;
    if (onGone === null || this.#isListening) return;
    this.#isListening = true;
    this.#client?.signal.addEventListener('abort', () => {
      const { onGone } = this;
      this.#onGone = null;
      onGone?.();
    });
  }

  sendInterim(status: number, lines: string): void {
    if (status !== EARLY_HINTS) this.#origin?.sendInterim(status, lines);
    else this.#hint(lines);
  }

  /** Uses the environ's own callable, which middleware may have replaced or removed. */
  #hint(lines: string): void {
    const errors = this.environ['wsgi.errors'];
    try {
      this.environ['wsgi.early_hints']?.(readLines(lines));
    } catch (error) {
      errors.write(`${describeThrown(error)}\n`);
    }
  }
}

/** The path as received, unless SCRIPT_NAME and PATH_INFO together are another path now. */
function targetOf(environ: Environ, origin: Request | null): { path: string; scriptName: string } {
  const { SCRIPT_NAME, PATH_INFO } = environ;
  if (origin !== null && percentDecode(origin.path) === SCRIPT_NAME + PATH_INFO) {
    return { path: origin.path, scriptName: encodedPrefix(origin.path, SCRIPT_NAME.length) };
  }
  return { path: percentEncode(SCRIPT_NAME + PATH_INFO) || '/', scriptName: percentEncode(SCRIPT_NAME) };
}

/** The part of an encoded path that represents its first `length` octets. */
function encodedPrefix(path: string, length: number): string {
  let at = 0;
  for (let octets = 0; octets < length; octets += 1) at += path[at] === '%' ? 3 : 1;
  return path.slice(0, at);
}

function protocolOf(protocol: string): Protocol {
  return protocol === 'HTTP/1.0' || protocol === 'HTTP/2.0' ? protocol : 'HTTP/1.1';
}

function headersOf(environ: Environ): HeaderList {
  const headers: string[] = [];
  for (const [key, value] of Object.entries(environ)) {
    if (!key.startsWith('HTTP_') || typeof value !== 'string') continue;
    headers.push(key.slice(5).toLowerCase().replaceAll('_', '-'), value);
  }
  if (environ.CONTENT_TYPE !== undefined) headers.push('content-type', environ.CONTENT_TYPE);
  return headers;
}

/** The original content if nothing of it was read, otherwise what remains in `wsgi.input`. */
function bodyOf(environ: Environ, origin: Request | null): RequestBody | null {
  const input = environ['wsgi.input'];
  if (input === NO_INPUT) return null;
  if (origin !== null && input instanceof RequestInput && input.untouched && input.body === origin.body)
    return origin.body;
  return new PulledBody(remainderOf(input), -1);
}

function peerOf(environ: Environ, origin: Request | null): Peer {
  const secure = environ['wsgi.url_scheme'] === 'https';
  const { REMOTE_ADDR: remoteAddress, REMOTE_PORT } = environ;
  const remotePort = Number(REMOTE_PORT) || 0;
  const before = origin?.peer;
  if (before !== undefined && before.secure === secure && before.remoteAddress === remoteAddress) return before;
  return { listener: 0, ...before, remoteAddress, remotePort, secure, serverPort: environ.SERVER_PORT };
}

/** The unread part of an input. */
function remainderOf(input: InputStream): PulledSource {
  const blocks = input.blocks()[Symbol.asyncIterator]();
  return {
    async next() {
      const { done, value } = await blocks.next();
      return done === true ? null : value;
    },
    cancel() {
      blocks.return?.()?.catch(() => {}); // nothing waits for the input any more, so a failure does no harm
    },
  };
}
