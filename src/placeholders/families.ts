import { requestField } from '../http/derived-request.ts';
import { responseField } from '../http/response-fields.ts';
import { cookieOf } from '../http/semantics/cookie.ts';
import { bytesOf, percentDecoded } from './bytes.ts';
import type { Moment, Value } from './placeholder.ts';

/** Placeholders with an argument behind their last dot, such as `{header.User-Agent}`. */
export interface Family {
  readonly from: Moment;
  /** What the argument is, for messages and docs. */
  readonly argument: string;
  /** The arguments that exist. */
  readonly pattern: RegExp;
  readonly read: (argument: string) => Value;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** By the part of the name before the argument. */
export const FAMILIES: ReadonlyMap<string, Family> = new Map<string, Family>([
  ['header', { from: 'request', argument: 'a field (header) of the request', pattern: TOKEN, read: fieldOf }],
  ['cookie', { from: 'request', argument: 'a cookie', pattern: TOKEN, read: cookie }],
  ['query', { from: 'request', argument: 'a parameter of the query', pattern: /./, read: parameter }],
  [
    'response.header',
    { from: 'response', argument: 'a field (header) of the response', pattern: TOKEN, read: responseFieldOf },
  ],
]);

function fieldOf(name: string): Value {
  const lower = name.toLowerCase();
  return (request) => requestField(request, lower) ?? '';
}

function cookie(name: string): Value {
  return (request) => cookieOf(request, name) ?? '';
}

function responseFieldOf(name: string): Value {
  const lower = name.toLowerCase();
  return (_request, answer) => responseField(answer, lower) ?? '';
}

function parameter(name: string): Value {
  const bytes = bytesOf(name);
  return ({ query }) => parameterOf(query, bytes);
}

/** The value of the first parameter `name`, both decoded (WHATWG URL, application/x-www-form-urlencoded); '' without it. */
function parameterOf(query: string, name: string): string {
  for (let at = 0; at < query.length; ) {
    const mark = query.indexOf('&', at);
    const end = mark < 0 ? query.length : mark;
    const equals = query.indexOf('=', at);
    const nameEnd = equals < 0 || equals > end ? end : equals;
    if (formDecoded(query.slice(at, nameEnd)) === name) return formDecoded(query.slice(nameEnd + 1, end));
    at = end + 1;
  }
  return '';
}

function formDecoded(text: string): string {
  return percentDecoded(text.includes('+') ? text.replaceAll('+', ' ') : text);
}
