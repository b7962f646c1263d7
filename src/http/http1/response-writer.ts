import type { BodySource, FileBody } from '../message.ts';
import { PreparedResponse } from '../prepared-response.ts';
import type { Response } from '../response.ts';
import type { BodyFraming, ResponseChannel } from '../response-channel.ts';
import { connectionLine, framingAllowsKeepAlive } from '../semantics/keep-alive.ts';
import { discardBody, knownLength, reportLength, withoutContentLength } from '../semantics/response-content.ts';
import { BlockSender } from '../transport/block-sender.ts';
import { FileSender } from '../transport/file-sender.ts';
import { StreamSender } from '../transport/stream-sender.ts';
import type { IncomingRequest } from './request.ts';
import { responseHead } from './response-head.ts';

/** Up to this length, a body as a string after its head is cheaper than a buffer. */
const STRING_BYTES_MAX = 1024;
/** Up to this length, copying a body after its head is cheaper than a second buffer. */
const COPY_BYTES_MAX = 16384;
/** A longer body is sent in pieces. */
const WHOLE_BYTES_MAX = 256 * 1024;

const NO_BYTES = new Uint8Array(0);

/**
 * Frames `response` for `request` (RFC 9112 section 6) and writes it, or writes its start: then `channel.sender` sends the remaining
 * body. A body longer than its Content-Length is cut; a shorter body ends with the connection. Both are reported.
 */
export function writeResponse(channel: ResponseChannel, request: IncomingRequest, response: Response): void {
  const { body, status } = response;
  if (
    response instanceof PreparedResponse &&
    channel.keepAlive &&
    request.minorVersion === 1 &&
    request.method === 'GET'
  ) {
    channel.sent(response.body.length, channel.socket.write(response.message()));
    channel.complete();
  } else if (status === 204 || status === 304 || request.method === 'HEAD') writeHead(channel, request, response);
  else if (body === null) writeBytes(channel, request, response, NO_BYTES);
  else if (body instanceof Uint8Array) writeBytes(channel, request, response, body);
  else if ('fd' in body) writeFile(channel, request, response, body);
  else writeStream(channel, request, response, body);
}

/** Writes a response that has no content because of its status or of the request's method (RFC 9110 section 6.4.1). */
function writeHead(channel: ResponseChannel, request: IncomingRequest, response: Response): void {
  discardBody(response.body);
  const bare = response.status === 204 && response.contentLength >= 0 ? withoutContentLength(response) : response;
  const length = request.method === 'HEAD' && bare.contentLength < 0 ? knownLength(bare) : 0;
  const framing = length > 0 ? `Content-Length: ${length}\r\n` : '';
  const head = responseHead(bare, framing, connectionLine(channel.keepAlive, request.minorVersion));
  channel.sent(0, channel.socket.write(head, 'latin1'));
  channel.complete();
}

function writeBytes(channel: ResponseChannel, request: IncomingRequest, response: Response, body: Uint8Array): void {
  const declared = response.contentLength;
  const isWhole = declared <= body.length;
  if (declared >= 0 && declared !== body.length) reportLength(channel, declared, body.length);
  if (!framingAllowsKeepAlive('length', isWhole)) channel.keepAlive = false;
  const framing = declared < 0 ? `Content-Length: ${body.length}\r\n` : '';
  const head = responseHead(response, framing, connectionLine(channel.keepAlive, request.minorVersion));
  const bytes = declared >= 0 && declared < body.length ? body.subarray(0, declared) : body;
  if (bytes.length > WHOLE_BYTES_MAX) {
    const sender = new BlockSender(channel, bytes, isWhole);
    channel.sender = sender;
    sender.start(head);
    return;
  }
  channel.sent(bytes.length, writeTogether(channel, head, bytes));
  if (isWhole) channel.complete();
  else channel.breakOff('length');
}

/** Writes head and body together: in one packet if they fit. */
function writeTogether(channel: ResponseChannel, head: string, body: Uint8Array): boolean {
  const { socket } = channel;
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

function writeFile(channel: ResponseChannel, request: IncomingRequest, response: Response, file: FileBody): void {
  const length = file.end - file.start;
  const declared = response.contentLength;
  const isWhole = declared <= length;
  if (declared >= 0 && declared !== length) reportLength(channel, declared, length);
  if (!framingAllowsKeepAlive('length', isWhole)) channel.keepAlive = false;
  const framing = declared < 0 ? `Content-Length: ${length}\r\n` : '';
  const head = responseHead(response, framing, connectionLine(channel.keepAlive, request.minorVersion));
  const end = declared >= 0 && declared < length ? file.start + declared : file.end;
  const sender = new FileSender(channel, file, end, isWhole, head);
  channel.sender = sender;
  sender.start();
}

function writeStream(channel: ResponseChannel, request: IncomingRequest, response: Response, source: BodySource): void {
  let framing: BodyFraming = 'length';
  let line = '';
  if (response.contentLength < 0 && request.minorVersion === 1) {
    framing = 'chunked';
    line = 'Transfer-Encoding: chunked\r\n';
  } else if (response.contentLength < 0) {
    framing = 'close';
  }
  if (!framingAllowsKeepAlive(framing, true)) channel.keepAlive = false;
  const head = responseHead(response, line, connectionLine(channel.keepAlive, request.minorVersion));
  const sender = new StreamSender(channel, source, framing, response.contentLength, head);
  channel.sender = sender;
  sender.start();
}
