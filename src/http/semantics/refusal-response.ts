import type { Refusal } from '../refusal.ts';
import { Response } from '../response.ts';
import { reasonPhrase } from './status.ts';

/** The answer to a client's error, as a response. */
export function refusalResponse(refusal: Refusal): Response {
  return Response.fromHeaders(refusal.status, refusalHeaders(refusal), Buffer.from(refusalText(refusal), 'latin1'));
}

/** The content of that answer. */
export function refusalText({ status, reason }: Refusal): string {
  return `${status} ${reasonPhrase(status)}: ${reason}\n`;
}

/** Its header fields: names and values in turn. */
export function refusalHeaders({ allow }: Refusal): string[] {
  return ['Content-Type', 'text/plain; charset=utf-8', ...(allow === '' ? [] : ['Allow', allow])];
}
