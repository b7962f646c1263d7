import { requestField } from '../../http/derived-request.ts';
import type { Request } from '../../http/message.ts';

/** Whether a browser goes to a page with this request: Fetch Metadata tells, but not in every browser. Scripts that fetch a fragment say so. */
export function opensPage(request: Request): boolean {
  if (request.method !== 'GET' && request.method !== 'POST') return false;
  const destination = requestField(request, 'sec-fetch-dest');
  if (destination !== null && destination !== 'document') return false;
  return requestField(request, 'hx-request') === null && requestField(request, 'x-requested-with') === null;
}
