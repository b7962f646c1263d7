import { Response } from './response.ts';

/** What logs have for a request that gets no response. The number is nginx's. */
export const CLOSED_WITHOUT_RESPONSE = 444;

/** No handler takes it for an answer, so it passes them like an upgrade. An application cannot send it. */
const NO_STATUS = -CLOSED_WITHOUT_RESPONSE;

/** It is never sent: the connection ends, or the stream of HTTP/2. */
export const NO_RESPONSE = new Response(NO_STATUS, '', '', -1, 0, null);

/** Whether a response is `NO_RESPONSE`, to which handlers may have added fields. */
export function isNoResponse({ status }: Response): boolean {
  return status === NO_STATUS;
}

/** The status of a response in logs. */
export function statusInLogs(response: Response): number {
  return isNoResponse(response) ? CLOSED_WITHOUT_RESPONSE : response.status;
}
