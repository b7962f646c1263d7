import { dateAndServerLines, dateFieldLine, SERVER_LINE } from './date.ts';
import { HAS_DATE, HAS_SERVER, type Response } from './response.ts';
import { statusLine } from './status.ts';

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
