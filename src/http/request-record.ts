import type { Request, RequestRecord } from './message.ts';
import type { Response } from './response.ts';

/** The record of a request to which nothing has happened yet. */
export function newRecord(): RequestRecord {
  return { worker: 0, queueUs: -1, pythonUs: -1, reason: '', id: '', route: '', lines: '', trace: null };
}

/** Notes in the record of `request` why this server answers it itself with `response`, which is returned. */
export function refuse(request: Request, reason: string, response: Response): Response {
  request.record.reason = reason;
  return response;
}

/** Notes why a request went wrong, unless it is known already. */
export function noteReason(record: RequestRecord | null, reason: string): void {
  if (record !== null && record.reason === '') record.reason = reason;
}

/** The handler of a request failed, or the response that it returned. */
export function noteFailure(record: RequestRecord | null): void {
  noteReason(record, 'internal error');
}

/** The client can no longer receive a response, so the holder of its request is called. */
export function markGone(request: Pick<Request, 'onGone'> & { gone: boolean }): void {
  if (request.gone) return;
  request.gone = true;
  const { onGone } = request;
  request.onGone = null;
  onGone?.();
}

/** The client left before its response was complete. */
export function noteLeft(record: RequestRecord | null): void {
  noteReason(record, 'client left');
}
