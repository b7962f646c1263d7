import type { Request } from '../../src/http/message.ts';
import { Response } from '../../src/http/response.ts';

/** Answers a request with its peer as JSON. */
export function answerPeer({ peer }: Request): Response {
  return Response.text(200, JSON.stringify(peer));
}
