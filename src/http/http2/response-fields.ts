import type { HeaderList } from '../message.ts';
import { HAS_DATE, HAS_NEVER_INDEXED, HAS_SERVER, Response } from '../response.ts';
import { responseFields } from '../response-fields.ts';
import { dateValue } from '../semantics/date.ts';
import { OutgoingField, outgoingField } from './hpack/outgoing-field.ts';

/** The fields of one kind of response, ready to be encoded. The same response gets the same object. */
export interface FieldList {
  readonly status: number;
  readonly addedLength: number;
  /** Which fields the response brought, as in `Response.has`. */
  readonly has: number;
  readonly fields: readonly OutgoingField[];
}

/** Most responses have the same lines as earlier ones. A full map is emptied. */
const known = new Map<string, FieldList[]>();
const KNOWN_MAX = 512;
const KNOWN_LENGTH_MAX = 1024;
const VARIANTS_MAX = 8;
const SERVER = outgoingField('server', 'viaduct');

/**
 * The fields of `response`, with `:status`, Server and a Content-Length of `length`. That field is left out if `length` is negative or the
 * response has a Content-Length. Date is not among them, unless the response brings its own.
 */
export function fieldsOf(response: Response, length: number): FieldList {
  const { status, lines, has } = response;
  const addedLength = response.contentLength < 0 && length >= 0 ? length : -1;
  let variants = known.get(lines);
  if (variants !== undefined) {
    for (let i = 0; i < variants.length; i += 1) {
      const list = variants[i] as FieldList;
      if (list.status === status && list.addedLength === addedLength && list.has === has) return list;
    }
  }
  const list = { status, addedLength, has, fields: readFields(response, addedLength) };
  if ((has & HAS_DATE) !== 0 || lines.length > KNOWN_LENGTH_MAX) return list;
  if (variants === undefined) {
    if (known.size >= KNOWN_MAX) known.clear();
    variants = [];
    known.set(lines, variants);
  }
  if (variants.length === VARIANTS_MAX) variants.shift();
  variants.push(list);
  return list;
}

/** The fields of an interim response, without additions. */
export function interimFields(status: number, lines: string): readonly OutgoingField[] {
  return readFields(new Response(status, '', lines, -1, HAS_DATE | HAS_SERVER, null), -1);
}

function readFields(response: Response, length: number): OutgoingField[] {
  const isSecret = (response.has & HAS_NEVER_INDEXED) !== 0;
  const fields = [outgoingField(':status', `${response.status}`, isSecret)];
  const list = responseFields(response);
  for (let i = 0; i < list.length; i += 2) {
    const name = (list[i] as string).toLowerCase();
    if (!CONNECTION_FIELDS.has(name)) fields.push(outgoingField(name, list[i + 1] as string, isSecret));
  }
  if (length >= 0) fields.push(outgoingField('content-length', `${length}`));
  if ((response.has & HAS_SERVER) === 0) fields.push(SERVER);
  return fields;
}

/** Fields that HTTP/2 does not allow (RFC 9113 section 8.2.2), in case a response was not made by `Response.fromHeaders`. */
const CONNECTION_FIELDS = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'te',
  'http2-settings',
]);

/** The fields of the response that opens a tunnel (RFC 8441 section 5.1): those of the 101, except what only HTTP/1.1 needs. */
export function tunnelFields(response: Response): FieldList {
  const { has, lines } = response;
  const status = 200;
  const fields = readFields(new Response(status, '', lines, -1, has, null), -1);
  return { status, addedLength: -1, has, fields: fields.filter(({ name }) => name !== 'sec-websocket-accept') };
}

/** The fields of a trailer section. */
export function trailerFields(trailers: HeaderList): readonly OutgoingField[] {
  const fields: OutgoingField[] = [];
  for (let i = 0; i < trailers.length; i += 2) {
    fields.push(outgoingField((trailers[i] as string).toLowerCase(), trailers[i + 1] as string));
  }
  return fields;
}

let dateText = '';
let date: OutgoingField | null = null;

/** Date, which changes once a second. Its object is the same for all connections, and none of the shared ones. */
export function dateField(): OutgoingField {
  const text = dateValue();
  if (date === null || text !== dateText) {
    dateText = text;
    date = new OutgoingField('date', text, 'usual', true);
  }
  return date;
}
