import { Spool, type SpoolLimits } from '../../http/buffering/spool.ts';
import { Response } from '../../http/response.ts';
import { UpgradeResponse } from '../../http/upgrade-response.ts';

/** `response`, whose content is taken from the backend as fast as that sends it, so that a slow client does not hold it. */
export function bufferResponse(response: Response, limits: SpoolLimits): Response {
  const { status, reason, lines, contentLength, has, body } = response;
  if (response instanceof UpgradeResponse || body === null || body instanceof Uint8Array || 'fd' in body)
    return response;
  const spool = new Spool(body, limits);
  spool.begin();
  return new Response(status, reason, lines, contentLength, has, spool);
}
