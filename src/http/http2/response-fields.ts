import type { OutgoingHttpHeaders } from 'node:http2';
import { HAS_DATE, HAS_SERVER, Response } from '../response.ts';
import { responseFields } from '../response-fields.ts';

const SERVER = 'viaduct';

/** Responses mostly have the same fields as others before them. Forgotten together when there are too many. */
const known = new Map<string, OutgoingHttpHeaders>();
const KNOWN_MAX = 512;
const KNOWN_LENGTH_MAX = 1024;

/**
 * The fields of `response` as the engine takes them: names in lower case, `:status`, Server, and a Content-Length of `length` unless that is
 * negative or the response has its own. The engine adds Date. Nobody may change the object.
 */
export function outgoingFields(response: Response, length: number): OutgoingHttpHeaders {
  const { has, lines } = response;
  const added = response.contentLength < 0 && length >= 0 ? length : -1;
  if ((has & HAS_DATE) !== 0 || lines.length > KNOWN_LENGTH_MAX) return readFields(response, added);
  const key = `${response.status} ${added} ${lines}`;
  let fields = known.get(key);
  if (fields === undefined) {
    fields = readFields(response, added);
    if (known.size >= KNOWN_MAX) known.clear();
    known.set(key, fields);
  }
  return fields;
}

/** The fields of an interim response. Nothing is added to them. */
export function interimFields(status: number, lines: string): OutgoingHttpHeaders {
  return readFields(new Response(status, '', lines, -1, HAS_DATE | HAS_SERVER, null), -1);
}

/** `fields` with one value for each name: the first. For names of which the engine sends no second. */
export function firstValues(fields: OutgoingHttpHeaders): OutgoingHttpHeaders {
  const single: OutgoingHttpHeaders = Object.create(null);
  for (const [name, value] of Object.entries(fields)) {
    single[name] = Array.isArray(value) && !REPEATABLE.has(name) ? value[0] : value;
  }
  return single;
}

/** Fields whose lines are a list or stand for themselves. */
const REPEATABLE = new Set(['set-cookie', 'link', 'vary', 'cache-control', 'www-authenticate', 'server-timing']);

function readFields(response: Response, length: number): OutgoingHttpHeaders {
  const fields: OutgoingHttpHeaders = { ':status': response.status };
  const list = responseFields(response);
  for (let i = 0; i < list.length; i += 2) {
    const name = (list[i] as string).toLowerCase();
    if (OF_CONNECTION.has(name)) continue;
    const value = list[i + 1] as string;
    const before = fields[name];
    if (before === undefined) fields[name] = value;
    else if (Array.isArray(before)) before.push(value);
    else fields[name] = [`${before}`, value];
  }
  if (length >= 0) fields['content-length'] = `${length}`;
  if ((response.has & HAS_SERVER) === 0) fields.server = SERVER;
  return fields;
}

/** What HTTP/2 has no use for (RFC 9113 section 8.2.2), should a response have it in spite of `Response.fromHeaders`. */
const OF_CONNECTION = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'te',
  'http2-settings',
]);
