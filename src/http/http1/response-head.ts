import type { Refusal } from '../refusal.ts';
import { HAS_DATE, HAS_SERVER, Response } from '../response.ts';
import { dateAndServerLines, dateFieldLine, SERVER_LINE } from '../semantics/date.ts';
import { CONNECTION_CLOSE } from '../semantics/keep-alive.ts';
import { refusalHeaders, refusalText } from '../semantics/refusal-response.ts';
import { statusLine } from '../semantics/status.ts';

/** Joins the head of a response: status line, fields, the line that frames the content, Date and Server, the Connection line. */
export function responseHead(response: Response, framing: string, connection: string): string {
  const { has } = response;
  const dateAndServer =
    has === 0
      ? dateAndServerLines()
      : ((has & HAS_DATE) === 0 ? dateFieldLine() : '') + ((has & HAS_SERVER) === 0 ? SERVER_LINE : '');
  return `${statusLine(response.status, response.reason)}${response.lines}${framing}${dateAndServer}${connection}\r\n`;
}

/** The complete message that answers a client's error. The connection closes after it. */
export function refusalMessage(refusal: Refusal): string {
  const text = refusalText(refusal);
  const headers = refusalHeaders(refusal);
  const head = responseHead(
    Response.fromHeaders(refusal.status, headers, null),
    `Content-Length: ${text.length}\r\n`,
    CONNECTION_CLOSE,
  );
  return head + text;
}
