import type { Request } from '../../http/message.ts';
import type { Response } from '../../http/response.ts';
import { responseField } from '../../http/response-fields.ts';
import { reasonPhrase } from '../../http/semantics/status.ts';

/** Whether the response has no content that the application wrote for this error. */
export function isBare({ method }: Request, response: Response): boolean {
  const { body, contentLength, status } = response;
  if (body === null || (body instanceof Uint8Array && body.length === 0)) {
    // The fields of a response to HEAD can show that the application has content.
    return method !== 'HEAD' || contentLength === 0 || (contentLength < 0 && !hasType(response));
  }
  if (!(body instanceof Uint8Array) || body.length > PLAIN_BYTES_MAX) return false;
  if (responseField(response, 'content-type') !== 'text/plain; charset=utf-8') return false;
  const text = new TextDecoder().decode(body);
  const reason = reasonPhrase(status);
  return text === `${reason}\n` || (text.startsWith(`${reason}: `) && text.indexOf('\n') === text.length - 1);
}

const PLAIN_BYTES_MAX = 256;

function hasType(response: Response): boolean {
  return responseField(response, 'content-type') !== null;
}
