import { constants } from 'node:http2';
import { discardBody, knownLength, reportLength, withoutContentLength } from '../http1/response-writer.ts';
import type { Response } from '../response.ts';
import { BlockSender } from '../transport/block-sender.ts';
import { FileSender } from '../transport/file-sender.ts';
import { StreamSender } from '../transport/stream-sender.ts';
import type { StreamExchange } from './exchange.ts';
import { respond } from './respond.ts';
import { outgoingFields } from './response-fields.ts';
import { HEAD, StreamSink } from './stream-sink.ts';

/** A longer body goes out in pieces. */
const WHOLE_BYTES_MAX = 256 * 1024;

const NO_BYTES = new Uint8Array(0);
const { HTTP_STATUS_NO_CONTENT, HTTP_STATUS_RESET_CONTENT, HTTP_STATUS_NOT_MODIFIED } = constants;

/**
 * Sends `response` on a stream (RFC 9113 section 8.1), or begins to: then `exchange.sender` sends the rest. A body that contradicts its
 * Content-Length is cut to it, or ends with a reset, and is reported.
 */
export function writeStreamResponse(exchange: StreamExchange, response: Response): void {
  const { body, status } = response;
  if (isEmpty(status) || exchange.request?.method === 'HEAD') writeFields(exchange, response);
  else if (body === null) writeBytes(exchange, response, NO_BYTES);
  else if (body instanceof Uint8Array) writeBytes(exchange, response, body);
  else {
    const length = 'fd' in body ? body.end - body.start : -1;
    const declared = response.contentLength;
    const fields = outgoingFields(response, length);
    exchange.socket = new StreamSink(exchange.stream, fields, exchange);
    exchange.stream.on('drain', exchange.onDrain);
    if ('fd' in body) {
      if (declared >= 0 && declared !== length) reportLength(exchange, declared, length);
      const end = declared >= 0 && declared < length ? body.start + declared : body.end;
      const sender = new FileSender(exchange, body, end, declared <= length, HEAD);
      exchange.sender = sender;
      sender.start();
    } else {
      const sender = new StreamSender(exchange, body, declared < 0 ? 'close' : 'length', declared, HEAD);
      exchange.sender = sender;
      sender.start();
    }
  }
}

/** Whether a response with this status has no content. The engine sends none with 205, either (RFC 9110 section 15.3.6). */
function isEmpty(status: number): boolean {
  return (
    status === HTTP_STATUS_NO_CONTENT || status === HTTP_STATUS_NOT_MODIFIED || status === HTTP_STATUS_RESET_CONTENT
  );
}

function writeFields(exchange: StreamExchange, response: Response): void {
  discardBody(response.body);
  const { status } = response;
  const bare = isEmpty(status) && status !== HTTP_STATUS_NOT_MODIFIED ? withoutContentLength(response) : response;
  const length = isEmpty(status) ? 0 : knownLength(response);
  respond(exchange.stream, outgoingFields(bare, length > 0 ? length : -1), true);
  exchange.complete();
}

function writeBytes(exchange: StreamExchange, response: Response, body: Uint8Array): void {
  const { stream } = exchange;
  const declared = response.contentLength;
  const whole = declared <= body.length;
  if (declared >= 0 && declared !== body.length) reportLength(exchange, declared, body.length);
  const bytes = declared >= 0 && declared < body.length ? body.subarray(0, declared) : body;
  const fields = outgoingFields(response, body.length);
  if (bytes.length > WHOLE_BYTES_MAX) {
    exchange.socket = new StreamSink(stream, fields, exchange);
    stream.on('drain', exchange.onDrain);
    const sender = new BlockSender(exchange, bytes, whole);
    exchange.sender = sender;
    sender.start(HEAD);
    return;
  }
  respond(stream, fields, bytes.length === 0 && whole);
  if (bytes.length > 0) {
    exchange.sent(bytes.length, true);
    exchange.onWriting(bytes.length);
    if (whole) stream.end(bytes);
    else stream.write(bytes);
  }
  if (whole) exchange.complete();
  else exchange.breakOff();
}
