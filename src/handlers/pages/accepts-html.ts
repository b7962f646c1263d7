import { requestField } from '../../http/derived-request.ts';
import type { Request } from '../../http/message.ts';

/** Whether a client names pages among what it accepts, as browsers do for a page and programs do not (RFC 9110 section 12.5.1). */
export function acceptsHtml(request: Request): boolean {
  return /\btext\/html\b/i.test(requestField(request, 'accept') ?? '');
}
