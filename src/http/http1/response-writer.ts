import { ViaductError } from '../../errors.ts';
import type { BodySource, FileBody, ResponseBody } from '../message.ts';
import { StandingResponse } from '../prepared-response.ts';
import { Response } from '../response.ts';
import type { BodyFraming, Exchange } from '../response-channel.ts';
import { BlockSender } from '../transport/block-sender.ts';
import { FileSender } from '../transport/file-sender.ts';
import { StreamSender } from '../transport/stream-sender.ts';
import type { IncomingRequest } from './request.ts';
import { CLOSES, PERSISTS, PERSISTS_AS_ASKED, responseHead } from './response-head.ts';

/** Up to this, a body as a string behind its head is cheaper than a buffer. */
const STRING_BYTES_MAX = 1024;
/** Up to this, copying a body behind its head is cheaper than a second buffer. */
const COPY_BYTES_MAX = 16384;
/** A longer body goes out in pieces. */
const WHOLE_BYTES_MAX = 256 * 1024;

const NO_BYTES = new Uint8Array(0);

/**
 * Frames `response` for `request` (RFC 9112 section 6) and writes it, or begins to: then `exchange.sender` sends the rest.
 * A body that contradicts its Content-Length is cut to it, or ends with a cut connection, and is reported.
 */
export function writeResponse(exchange: Exchange, request: IncomingRequest, response: Response): void {
  const { body, status } = response;
  if (
    response instanceof StandingResponse &&
    exchange.persists &&
    request.minorVersion === 1 &&
    request.method === 'GET'
  ) {
    exchange.sent(response.body.length, exchange.socket.write(response.message()));
    exchange.complete();
  } else if (status === 204 || status === 304 || request.method === 'HEAD') writeHead(exchange, request, response);
  else if (body === null) writeBytes(exchange, request, response, NO_BYTES);
  else if (body instanceof Uint8Array) writeBytes(exchange, request, response, body);
  else if ('fd' in body) writeFile(exchange, request, response, body);
  else writeStream(exchange, request, response, body);
}

/** Frees what `body` holds without sending it. */
export function discardBody(body: ResponseBody): void {
  if (body === null || body instanceof Uint8Array) return;
  if ('fd' in body) body.release();
  else body.cancel();
}

/** A response that has no content by its status or the request's method (RFC 9110 section 6.4.1). */
function writeHead(exchange: Exchange, request: IncomingRequest, response: Response): void {
  discardBody(response.body);
  const bare = response.status === 204 && response.contentLength >= 0 ? withoutContentLength(response) : response;
  const length = request.method === 'HEAD' && bare.contentLength < 0 ? knownLength(bare) : 0;
  const framing = length > 0 ? `Content-Length: ${length}\r\n` : '';
  const head = responseHead(bare, framing, connectionLine(exchange, request));
  exchange.sent(0, exchange.socket.write(head, 'latin1'));
  exchange.complete();
}

function writeBytes(exchange: Exchange, request: IncomingRequest, response: Response, body: Uint8Array): void {
  const declared = response.contentLength;
  const whole = declared <= body.length;
  if (declared >= 0 && declared !== body.length) reportLength(exchange, declared, body.length);
  if (!whole) exchange.persists = false;
  const framing = declared < 0 ? `Content-Length: ${body.length}\r\n` : '';
  const head = responseHead(response, framing, connectionLine(exchange, request));
  const bytes = declared >= 0 && declared < body.length ? body.subarray(0, declared) : body;
  if (bytes.length > WHOLE_BYTES_MAX) {
    const sender = new BlockSender(exchange, bytes, whole);
    exchange.sender = sender;
    sender.start(head);
    return;
  }
  exchange.sent(bytes.length, writeTogether(exchange, head, bytes));
  if (whole) exchange.complete();
  else exchange.breakOff('length');
}

/** One write, and one packet where it fits. */
function writeTogether(exchange: Exchange, head: string, body: Uint8Array): boolean {
  const { socket } = exchange;
  if (body.length === 0) return socket.write(head, 'latin1');
  if (body.length <= STRING_BYTES_MAX) {
    const buffer = body instanceof Buffer ? body : Buffer.from(body.buffer, body.byteOffset, body.length);
    return socket.write(head + buffer.toString('latin1'), 'latin1');
  }
  if (body.length <= COPY_BYTES_MAX) {
    const both = Buffer.allocUnsafe(head.length + body.length);
    both.write(head, 'latin1');
    both.set(body, head.length);
    return socket.write(both);
  }
  socket.cork();
  socket.write(head, 'latin1');
  const more = socket.write(body);
  socket.uncork();
  return more;
}

function writeFile(exchange: Exchange, request: IncomingRequest, response: Response, file: FileBody): void {
  const length = file.end - file.start;
  const declared = response.contentLength;
  const whole = declared <= length;
  if (declared >= 0 && declared !== length) reportLength(exchange, declared, length);
  if (!whole) exchange.persists = false;
  const framing = declared < 0 ? `Content-Length: ${length}\r\n` : '';
  const head = responseHead(response, framing, connectionLine(exchange, request));
  const end = declared >= 0 && declared < length ? file.start + declared : file.end;
  const sender = new FileSender(exchange, file, end, whole, head);
  exchange.sender = sender;
  sender.start();
}

function writeStream(exchange: Exchange, request: IncomingRequest, response: Response, source: BodySource): void {
  let framing: BodyFraming = 'length';
  let line = '';
  if (response.contentLength < 0 && request.minorVersion === 1) {
    framing = 'chunked';
    line = 'Transfer-Encoding: chunked\r\n';
  } else if (response.contentLength < 0) {
    framing = 'close';
    exchange.persists = false;
  }
  const head = responseHead(response, line, connectionLine(exchange, request));
  const sender = new StreamSender(exchange, source, framing, response.contentLength, head);
  exchange.sender = sender;
  sender.start();
}

/** HTTP/1.0 clients expect to be told that a connection persists, HTTP/1.1 clients that it does not (RFC 9112 section 9.3). */
function connectionLine(exchange: Exchange, request: IncomingRequest): string {
  if (!exchange.persists) return CLOSES;
  return request.minorVersion === 0 ? PERSISTS_AS_ASKED : PERSISTS;
}

/** Length of a body that HEAD does not get. An empty one may only mean that the application knows HEAD, so it tells nothing. */
export function knownLength(response: Response): number {
  const { body, status } = response;
  if (body === null || status === 204 || status === 304) return 0;
  if (body instanceof Uint8Array) return body.length;
  return 'fd' in body ? body.end - body.start : 0;
}

export function withoutContentLength(response: Response): Response {
  const lines = response.lines.replace(/(^|\r\n)content-length:[^\r]*\r\n/i, '$1');
  return new Response(response.status, response.reason, lines, -1, response.has, null);
}

export function reportLength(exchange: Exchange, declared: number, length: number): void {
  const message = `Cannot send a response as it is: its Content-Length is ${declared}, its content has ${length} bytes`;
  exchange.report(new ViaductError('RESPONSE_INVALID', message));
}
