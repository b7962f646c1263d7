import type { Refusal } from '../refusal.ts';
import { HAS_DATE, HAS_SERVER, Response } from '../response.ts';
import { dateAndServerLines, dateFieldLine, SERVER_LINE } from '../semantics/date.ts';
import { reasonPhrase, statusLine } from '../semantics/status.ts';

/** What a connection says of itself in a response. */
export const PERSISTS = '';
export const PERSISTS_AS_ASKED = 'Connection: keep-alive\r\n';
export const CLOSES = 'Connection: close\r\n';

/** Joins a response's head: status line, fields, what frames the content, what belongs to the connection. */
export function responseHead(response: Response, framing: string, connection: string): string {
  const { has } = response;
  const own =
    has === 0
      ? dateAndServerLines()
      : ((has & HAS_DATE) === 0 ? dateFieldLine() : '') + ((has & HAS_SERVER) === 0 ? SERVER_LINE : '');
  return `${statusLine(response.status, response.reason)}${response.lines}${framing}${own}${connection}\r\n`;
}

/** The whole message that answers a client's mistake. The connection closes behind it. */
export function refusalMessage(refusal: Refusal): string {
  const text = refusalText(refusal);
  const headers = refusalHeaders(refusal);
  const head = responseHead(
    Response.fromHeaders(refusal.status, headers, null),
    `Content-Length: ${text.length}\r\n`,
    CLOSES,
  );
  return head + text;
}

/** The same as a response. */
export function refusalResponse(refusal: Refusal): Response {
  return Response.fromHeaders(refusal.status, refusalHeaders(refusal), Buffer.from(refusalText(refusal), 'latin1'));
}

function refusalText({ status, reason }: Refusal): string {
  return `${status} ${reasonPhrase(status)}: ${reason}\n`;
}

function refusalHeaders({ allow }: Refusal): string[] {
  return ['Content-Type', 'text/plain; charset=utf-8', ...(allow === '' ? [] : ['Allow', allow])];
}
