import { ViaductError } from '../../errors.ts';
import type { ResponseBody } from '../message.ts';
import { Response } from '../response.ts';
import type { ResponseChannel } from '../response-channel.ts';

/** Frees the resources of `body` without sending it. */
export function discardBody(body: ResponseBody): void {
  if (body === null || body instanceof Uint8Array) return;
  if ('fd' in body) body.release();
  else body.cancel();
}

/**
 * The length of a body that is not sent in answer to HEAD; 0 when it is unknown. An empty body counts as unknown: the application may
 * have left out the body because of HEAD.
 */
export function knownLength(response: Response): number {
  const { body, status } = response;
  if (body === null || status === 204 || status === 304) return 0;
  if (body instanceof Uint8Array) return body.length;
  return 'fd' in body ? body.end - body.start : 0;
}

/** Returns `response` without its Content-Length line and without a body. */
export function withoutContentLength(response: Response): Response {
  const lines = response.lines.replace(/(^|\r\n)content-length:[^\r]*\r\n/i, '$1');
  return new Response(response.status, response.reason, lines, -1, response.has, null);
}

/** Reports that a body of `length` bytes contradicts the `declared` Content-Length. */
export function reportLength(channel: ResponseChannel, declared: number, length: number): void {
  const message = `Cannot send a response as it is: its Content-Length is ${declared}, its content has ${length} bytes`;
  channel.report(new ViaductError('RESPONSE_INVALID', message));
}
