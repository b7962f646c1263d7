import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { ViaductError } from '../../errors.ts';
import type { BodySink, HeaderList, Peer, Protocol, RequestBody } from '../../http/message.ts';
import { unmapped } from '../../http/peer.ts';
import { RequestBodyError } from '../../http/refusal.ts';
import { FrameworkRequest, peerOf } from './framework-request.ts';

/** A request of Node's http or http2 module, with the properties that frameworks add to it. */
export type NodeServerRequest = IncomingMessage & {
  /** Connect, Express, Vite: the target as received. */
  readonly originalUrl?: string;
  /** Express: the part of the path at which this handler is mounted. */
  readonly baseUrl?: string;
  /** Express: the scheme, by its setting `trust proxy`. */
  readonly protocol?: string;
  /** Express: the client's address, by its setting `trust proxy`. */
  readonly ip?: string;
  /** The result of a body parser. */
  readonly body?: unknown;
};

/** The request of a Node server as a request of the server. */
export class NodeRequest extends FrameworkRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly protocol: Protocol;
  readonly headers: HeaderList;
  readonly headersRepeat: boolean;
  readonly scriptName: string;
  readonly host: string;
  readonly body: RequestBody | null;
  readonly peer: Peer;

  /** @throws ViaductError `USAGE` if a body parser has read the content and left no bytes */
  constructor(req: NodeServerRequest, target: RequestTarget) {
    super();
    const { rawHeaders } = req;
    this.method = req.method ?? 'GET';
    this.path = target.path;
    this.scriptName = target.scriptName;
    this.query = target.query;
    this.protocol = req.httpVersionMajor === 2 ? 'HTTP/2.0' : req.httpVersion === '1.0' ? 'HTTP/1.0' : 'HTTP/1.1';
    this.headers = req.httpVersionMajor === 2 ? http1Headers(rawHeaders) : rawHeaders;
    this.headersRepeat = this.headers.length !== 2 * Object.keys(req.headers).length;
    this.host = req.headers.host ?? (req.headers[':authority'] as string | undefined) ?? '';
    this.body = bodyOf(req);
    this.peer = nodePeer(req);
  }
}

/** The target of a request, percent-encoded as in `Request`. */
export interface RequestTarget {
  readonly path: string;
  readonly scriptName: string;
  readonly query: string;
}

/**
 * The target of `req` (RFC 9112 section 3.2). The part of the path that a framework has removed leads to the application: it is `baseUrl`, or the part of
 * `originalUrl` before `url`.
 */
export function targetOf(req: NodeServerRequest): RequestTarget {
  const { path: inside, query } = split(req.url ?? '/');
  const { baseUrl, originalUrl } = req;
  if (originalUrl === undefined || originalUrl === req.url) return { path: inside, scriptName: '', query };
  const { path: whole } = split(originalUrl);
  const scriptName = trimmed(baseUrl ?? removedPart(whole, inside));
  // Express and Connect report "/" both for the mount itself and for the mount with a slash.
  const path = inside === '/' && whole === scriptName ? whole : scriptName + inside;
  return { path, scriptName, query };
}

function split(target: string): { path: string; query: string } {
  const origin = target.startsWith('/') ? 0 : (/^[a-z][a-z0-9+.-]*:\/\/[^/?]*/i.exec(target)?.[0].length ?? 0);
  const mark = target.indexOf('?', origin);
  const path = target.slice(origin, mark < 0 ? target.length : mark) || '/';
  return { path, query: mark < 0 ? '' : target.slice(mark + 1) };
}

function removedPart(whole: string, inside: string): string {
  if (whole.endsWith(inside)) return whole.slice(0, whole.length - inside.length);
  return inside === '/' ? whole : '';
}

function trimmed(scriptName: string): string {
  return scriptName.endsWith('/') ? scriptName.slice(0, -1) : scriptName;
}

/** The fields without HTTP/2's pseudo-header fields, except that `:authority` becomes Host (RFC 9113 section 8.3.1). */
function http1Headers(rawHeaders: HeaderList): HeaderList {
  const headers: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (name === ':authority') headers.push('host', rawHeaders[i + 1] as string);
    else if (!name.startsWith(':')) headers.push(name, rawHeaders[i + 1] as string);
  }
  return headers;
}

function nodePeer(req: NodeServerRequest): Peer {
  const { socket, protocol, ip } = req;
  const address = ip ?? socket.remoteAddress ?? '';
  const secure =
    protocol === undefined ? (socket as Partial<{ encrypted: boolean }>).encrypted === true : protocol === 'https';
  const { remotePort = 0, localPort } = socket as Partial<Socket>;
  return peerOf(unmapped(address), remotePort, secure, localPort === undefined ? '' : `${localPort}`);
}

function bodyOf(req: NodeServerRequest): RequestBody | null {
  const { 'content-length': length, 'transfer-encoding': coding } = req.headers;
  const { stream } = req as { stream?: { endAfterHeaders?: boolean } };
  const hasContent =
    req.httpVersionMajor === 2 ? stream?.endAfterHeaders === false : coding !== undefined || Number(length ?? 0) > 0;
  if (!hasContent) return null;
  const { body } = req;
  if (!req.readableDidRead && !req.readableEnded)
    return new StreamBody(req, length === undefined ? -1 : Number(length));
  if (body instanceof Uint8Array) return new BytesBody(body);
  throw new ViaductError('USAGE', "Cannot pass on the request's content: something has read it already", {
    advice:
      'Mount the application before body parsers such as express.json(), or read the content as bytes with express.raw().',
  });
}

const NO_TRAILERS: HeaderList = [];

/** Content that arrives from the client. */
class StreamBody implements RequestBody {
  readonly length: number;
  readonly #req: IncomingMessage;
  #sink: BodySink | null = null;

  constructor(req: IncomingMessage, length: number) {
    this.#req = req;
    this.length = length;
  }

  get trailers(): HeaderList {
    return this.#req.rawTrailers;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    const fail = (reason: string): void => {
      const waiting = this.#sink;
      this.#sink = null;
      waiting?.fail(new RequestBodyError(0, reason));
    };
    this.#req
      .on('data', (block: Buffer) => this.#sink?.write(block))
      .once('end', () => {
        const waiting = this.#sink;
        this.#sink = null;
        waiting?.end();
      })
      .once('error', ({ message }) => fail(message))
      .once('close', () => fail('the client left'));
    if (this.#req.destroyed) fail('the client left');
  }

  pause(): void {
    this.#req.pause();
  }

  resume(): void {
    this.#req.resume();
  }

  cancel(): void {
    this.#sink = null;
    this.#req.resume();
  }
}

/** Content that a body parser has read as bytes. */
class BytesBody implements RequestBody {
  readonly length: number;
  readonly trailers = NO_TRAILERS;
  readonly #bytes: Uint8Array;
  #sink: BodySink | null = null;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.length = bytes.length;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    if (this.length > 0) sink.write(this.#bytes);
    this.#sink?.end();
  }

  pause(): void {}

  resume(): void {}

  cancel(): void {
    this.#sink = null;
  }
}
