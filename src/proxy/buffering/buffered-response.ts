import { Spool, type SpoolLimits } from '../../http/buffering/spool.ts';
import { Response } from '../../http/response.ts';
import { UpgradeResponse } from '../../http/upgrade-response.ts';

/**
 * Returns `response` with content that the proxy takes as fast as the backend sends it. A slow client therefore does
 * not occupy the backend.
 */
export function bufferResponse(response: Response, limits: SpoolLimits): Response {
  const { status, reason, lines, contentLength, has, body } = response;
  if (response instanceof UpgradeResponse || body === null || body instanceof Uint8Array || 'fd' in body)
    return response;
  const spool = new Spool(body, limits);
  spool.fill();
  return new Response(status, reason, lines, contentLength, has, spool);
}
