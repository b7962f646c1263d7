import { createReadStream } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { ViaductError } from '../../errors.ts';
import type { BodySink, BodySource, FileBody } from '../../http/message.ts';
import type { Response } from '../../http/response.ts';
import { discardBody, knownLength } from '../../http/semantics/response-content.ts';
import { readHeaders } from '../response-headers.ts';
import type { NodeRequest } from './node-request.ts';

/** Fields that are added to those that a framework has set: each line has a meaning of its own. */
const ADDED = new Set(['set-cookie', 'vary']);

/** Sends `response` as the answer of a Node server. If it breaks off, `onError` gets the error, and the client sees that it broke off. */
export function sendResponse(
  request: NodeRequest,
  response: Response,
  res: ServerResponse,
  onError: (error: unknown) => void,
): void {
  const { body, status, reason, contentLength } = response;
  res.statusCode = status;
  if (reason !== '' && request.protocol !== 'HTTP/2.0') res.statusMessage = reason;
  setHeaders(response, res);
  if (request.method === 'HEAD' || status === 204 || status === 304) {
    const length = request.method === 'HEAD' && contentLength < 0 ? knownLength(response) : 0;
    if (length > 0) res.setHeader('Content-Length', length);
    if (status === 204) res.removeHeader('Content-Length');
    discardBody(body);
    res.end();
  } else if (body === null) res.end();
  else if (body instanceof Uint8Array) sendBytes(body, contentLength, res, onError);
  else if ('fd' in body) sendFile(body, res, onError);
  else new Sender(body, contentLength, request, res, onError).start();
}

function setHeaders(response: Response, res: ServerResponse): void {
  const seen = new Set<string>();
  for (const [name, value] of readHeaders(response)) {
    const lower = name.toLowerCase();
    if (seen.has(lower) || ADDED.has(lower)) res.appendHeader(name, value);
    else res.setHeader(name, value);
    seen.add(lower);
  }
}

function sendBytes(body: Uint8Array, declared: number, res: ServerResponse, onError: (error: unknown) => void): void {
  if (declared < 0 || declared === body.length) {
    res.end(body);
    return;
  }
  onError(wrongLength(declared, body.length));
  if (declared < body.length) res.end(body.subarray(0, declared));
  else res.write(body, () => res.destroy());
}

function sendFile(file: FileBody, res: ServerResponse, onError: (error: unknown) => void): void {
  const { fd, start, end } = file;
  if (end <= start) {
    res.end();
    file.release();
    return;
  }
  if (!res.hasHeader('Content-Length')) res.setHeader('Content-Length', end - start);
  const source = createReadStream('', { fd, start, end: end - 1, autoClose: false });
  pipeline(source, res, (error) => {
    file.release();
    if (error && !isLeft(error)) onError(error);
  });
}

/** Passes on blocks as they come, at the pace of the client. */
class Sender implements BodySink {
  readonly #source: BodySource;
  readonly #declared: number;
  readonly #request: NodeRequest;
  readonly #res: ServerResponse;
  readonly #onError: (error: unknown) => void;
  #sent = 0;
  #state: 'open' | 'over' = 'open';

  constructor(
    source: BodySource,
    declared: number,
    request: NodeRequest,
    res: ServerResponse,
    onError: (error: unknown) => void,
  ) {
    this.#source = source;
    this.#declared = declared;
    this.#request = request;
    this.#res = res;
    this.#onError = onError;
  }

  start(): void {
    const res = this.#res;
    this.#request.onGone = () => {
      if (this.#state === 'open') this.#source.cancel();
      this.#state = 'over';
    };
    res.on('drain', () => {
      if (this.#state === 'open') this.#source.resume();
    });
    this.#source.start(this);
  }

  write(block: Uint8Array): void {
    if (this.#state === 'over') return;
    const left = this.#declared < 0 ? block.length : Math.min(block.length, this.#declared - this.#sent);
    this.#sent += block.length;
    if (left > 0 && !this.#res.write(left < block.length ? block.subarray(0, left) : block)) this.#source.pause();
  }

  end(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    const isWhole = this.#declared < 0 || this.#sent === this.#declared;
    if (!isWhole) this.#onError(wrongLength(this.#declared, this.#sent));
    if (this.#sent < this.#declared) this.#res.destroy();
    else this.#res.end();
  }

  fail(error: Error): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#onError(error);
    this.#res.destroy();
  }
}

function wrongLength(declared: number, length: number): ViaductError {
  const message = `Cannot send a response as it is: its Content-Length is ${declared}, its content has ${length} bytes`;
  return new ViaductError('RESPONSE_INVALID', message);
}

function isLeft(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ERR_STREAM_PREMATURE_CLOSE' || error.code === 'ECONNRESET' || error.code === 'EPIPE';
}
