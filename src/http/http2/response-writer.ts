import type { BodySource } from '../message.ts';
import type { Response } from '../response.ts';
import type { ResponseChannel } from '../response-channel.ts';
import { discardBody, knownLength, reportLength, withoutContentLength } from '../semantics/response-content.ts';
import { BlockSender } from '../transport/block-sender.ts';
import { FileSender } from '../transport/file-sender.ts';
import { StreamSender } from '../transport/stream-sender.ts';
import { type FieldList, fieldsOf } from './response-fields.ts';
import { HEAD } from './stream-output.ts';

/** A longer body is sent in pieces. */
const WHOLE_BYTES_MAX = 16_384;

const NO_BYTES = new Uint8Array(0);

/** The stream as the writer of its response sees it. */
export interface StreamChannel extends ResponseChannel {
  /** The source of the content, which may have trailer fields at its end. */
  source: BodySource | null;
  /** Whether content of this size can be sent at once. */
  takesNow(bytes: number): boolean;
  writeHead(fields: FieldList, endsStream?: boolean): void;
  /** Sends the whole content and ends the response. */
  writeWhole(fields: FieldList, bytes: Uint8Array): void;
  /** The head has ended the response. */
  endEmpty(): void;
  /** Prepares `socket` for a sender that starts with these fields. */
  openOutput(fields: FieldList): void;
}

/**
 * Sends `response` on a stream (RFC 9113 section 8.1), or sends its start: then `channel.sender` sends the remaining body. A body longer
 * than its Content-Length is cut; a shorter body ends with a reset. Both are reported.
 */
export function writeResponse(channel: StreamChannel, isHead: boolean, response: Response): void {
  const { body, status } = response;
  if (status === 204 || status === 304 || isHead) writeFields(channel, response, isHead);
  else if (body === null) writeBytes(channel, response, NO_BYTES);
  else if (body instanceof Uint8Array) writeBytes(channel, response, body);
  else {
    const length = 'fd' in body ? body.end - body.start : -1;
    const declared = response.contentLength;
    channel.openOutput(fieldsOf(response, length));
    if ('fd' in body) {
      if (declared >= 0 && declared !== length) reportLength(channel, declared, length);
      const end = declared >= 0 && declared < length ? body.start + declared : body.end;
      const sender = new FileSender(channel, body, end, declared <= length, HEAD);
      channel.sender = sender;
      sender.start();
    } else {
      channel.source = body;
      const sender = new StreamSender(channel, body, declared < 0 ? 'close' : 'length', declared, HEAD);
      channel.sender = sender;
      sender.start();
    }
  }
}

/** Writes a response that has no content because of its status or of the request's method (RFC 9110 section 6.4.1). */
function writeFields(channel: StreamChannel, response: Response, isHead: boolean): void {
  discardBody(response.body);
  const bare = response.status === 204 && response.contentLength >= 0 ? withoutContentLength(response) : response;
  const length = isHead && bare.contentLength < 0 ? knownLength(bare) : 0;
  channel.writeHead(fieldsOf(bare, length > 0 ? length : -1), true);
  channel.endEmpty();
}

function writeBytes(channel: StreamChannel, response: Response, body: Uint8Array): void {
  const declared = response.contentLength;
  const isWhole = declared <= body.length;
  if (declared >= 0 && declared !== body.length) reportLength(channel, declared, body.length);
  const bytes = declared >= 0 && declared < body.length ? body.subarray(0, declared) : body;
  const fields = fieldsOf(response, body.length);
  if (isWhole && bytes.length <= WHOLE_BYTES_MAX && channel.takesNow(bytes.length)) {
    channel.writeWhole(fields, bytes);
    return;
  }
  channel.openOutput(fields);
  const sender = new BlockSender(channel, bytes, isWhole);
  channel.sender = sender;
  sender.start(HEAD);
}
