import { FieldNames } from './field-names.ts';
import type { HeaderList, ResponseBody } from './message.ts';
import {
  encodeHeaders,
  HAS_CONTROL,
  HAS_NEVER_INDEXED,
  HAS_SERVER,
  isControl,
  Response,
  withoutControlLines,
} from './response.ts';
import { withholdTrailers } from './withheld-trailers.ts';

/** The changes of a handler to the response of the handlers behind it. Names are compared without case. */
export interface ResponseChanges {
  /** Another status. */
  readonly status?: number;
  /** Fields that replace all fields of the same name. */
  readonly set?: HeaderList;
  /** Fields that are added to those of the same name, such as Set-Cookie. */
  readonly add?: HeaderList;
  /** Names of the fields to remove. */
  readonly remove?: readonly string[];
  /** Another body. Either a Content-Length in `set` announces its length, or the framing of the connection delimits it. */
  readonly body?: ResponseBody;
}

/** The value of the field `name` (in lower case); null without the field. Its lines are joined by commas (RFC 9110 section 5.3). */
export function responseField(response: Pick<Response, 'lines'>, name: string): string | null {
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
export function responseFields({ lines }: Response): string[] {
  const fields: string[] = [];
  for (const line of lines.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon >= 0) fields.push(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return fields;
}

/** Bits of `Response.has` that stay when its fields change. */
const KEPT = HAS_SERVER | HAS_NEVER_INDEXED;

/**
 * Returns `response` with `changes`. Fields that are set or removed are removed from its trailers too. Do not use the original again: the new response owns its body, or the maker of the new body does.
 *
 * @throws ViaductError `HEADER_INVALID`, see `Response.fromHeaders`.
 */
export function changeResponse(response: Response, changes: ResponseChanges): Response {
  const { set = [], add = [], remove = [] } = changes;
  const replaced = [...remove, ...set.filter((_, i) => i % 2 === 0)];
  const names = new Set(replaced.map((name) => name.toLowerCase()));
  const before = responseFields(response);
  const kept = before.filter((_, i) => !names.has((before[i - (i % 2)] as string).toLowerCase()));
  const status = changes.status ?? response.status;
  const reason = status === response.status ? response.reason : '';
  const body = changes.body === undefined ? withoutTrailers(response.body, replaced) : changes.body;
  const { lines, contentLength, has } = encodeHeaders([...kept, ...set, ...add]);
  return new Response(status, reason, lines, contentLength, has | (response.has & KEPT), body);
}

/** `body` without the trailer fields `names`; see `withholdTrailers`. */
export function withoutTrailers(body: ResponseBody, names: readonly string[]): ResponseBody {
  if (body === null || body instanceof Uint8Array || 'fd' in body || body.trailers === undefined) return body;
  return withholdTrailers(body, new FieldNames(names));
}

/** `response` as clients get it: with the fields for the server in front of the application only if they are such servers. */
export function asSent(response: Response, passesControls = false): Response {
  return (response.has & HAS_CONTROL) === 0 || passesControls ? response : withoutControls(response);
}

/** The field lines of an interim response as clients get them; see `asSent`. */
export function interimAsSent(lines: string, passesControls = false): string {
  return passesControls ? lines : withoutControlLines(lines);
}

/** `response` without the fields with which an application directs the server in front of it. */
export function withoutControls(response: Response): Response {
  const names = responseFields(response).filter((name, i) => i % 2 === 0 && isControl(name.toLowerCase()));
  return changeResponse(response, { remove: names });
}

const LF = 0x0a;
