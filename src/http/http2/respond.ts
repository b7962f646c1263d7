import type { OutgoingHttpHeaders, ServerHttp2Stream, ServerStreamResponseOptions } from 'node:http2';
import { firstValues, interimFields } from './response-fields.ts';

const WITH_CONTENT: ServerStreamResponseOptions = {};
const WITHOUT_CONTENT: ServerStreamResponseOptions = { endStream: true };

/** Sends a response's fields. Nothing happens when the stream is closed already. */
export function respond(stream: ServerHttp2Stream, fields: OutgoingHttpHeaders, empty: boolean): void {
  if (stream.destroyed || stream.closed) return;
  const options = empty ? WITHOUT_CONTENT : WITH_CONTENT;
  try {
    stream.respond(fields, options);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_HTTP2_HEADER_SINGLE_VALUE' || stream.headersSent) throw error;
    stream.respond(firstValues(fields), options);
  }
}

/** Sends an interim response with these field lines. Nothing happens when the stream is closed or the final one has begun. */
export function respondInterim(stream: ServerHttp2Stream, status: number, lines: string): void {
  if (stream.destroyed || stream.closed || stream.headersSent) return;
  stream.additionalHeaders(firstValues(interimFields(status, lines)));
}
