import type { HeaderList, ResponseBody } from './message.ts';
import { encodeHeaders, HAS_SERVER, Response } from './response.ts';

/** What a handler changes in a response that comes from behind it. Names are compared without case. */
export interface ResponseChanges {
  readonly status?: number;
  /** Fields that replace all of their name. */
  readonly set?: HeaderList;
  /** Fields that stand beside those of their name, such as Set-Cookie. */
  readonly add?: HeaderList;
  /** Names of fields that go. */
  readonly remove?: readonly string[];
  /** Another body; its length is announced by a Content-Length among `set`, or left to the connection's framing. */
  readonly body?: ResponseBody;
}

/** The value of the field `name` (lower case), lines of one name joined by commas (RFC 9110 section 5.3); null when there is none. */
export function responseField(response: Response, name: string): string | null {
  const { lines } = response;
  const lower = lines.toLowerCase();
  let value: string | null = null;
  for (let at = lower.indexOf(`${name}:`); at >= 0; at = lower.indexOf(`${name}:`, at + 1)) {
    if (at > 0 && lower.charCodeAt(at - 1) !== LF) continue;
    const text = lines.slice(at + name.length + 1, lines.indexOf('\r\n', at)).trim();
    value = value === null ? text : `${value}, ${text}`;
  }
  return value;
}

/** All fields in order, as `[name, value, …]`. */
export function responseFields(response: Response): string[] {
  return response.lines.split('\r\n').flatMap((line) => {
    const colon = line.indexOf(':');
    return colon < 0 ? [] : [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
}

/**
 * A response like `response` but for `changes`. The original is used up: its body belongs to the new one, or to whoever made the new body.
 *
 * @throws ViaductError `HEADER_INVALID` as `Response.fromHeaders` does.
 */
export function changeResponse(response: Response, changes: ResponseChanges): Response {
  const { set = [], add = [], remove = [] } = changes;
  const gone = new Set(remove.map((name) => name.toLowerCase()));
  for (let i = 0; i < set.length; i += 2) gone.add((set[i] as string).toLowerCase());
  const before = responseFields(response);
  const kept: string[] = [];
  for (let i = 0; i < before.length; i += 2) {
    const name = before[i] as string;
    if (!gone.has(name.toLowerCase())) kept.push(name, before[i + 1] as string);
  }
  const status = changes.status ?? response.status;
  const reason = status === response.status ? response.reason : '';
  const body = changes.body === undefined ? response.body : changes.body;
  const { lines, contentLength, has } = encodeHeaders([...kept, ...set, ...add]);
  return new Response(status, reason, lines, contentLength, has | (response.has & HAS_SERVER), body);
}

const LF = 0x0a;
