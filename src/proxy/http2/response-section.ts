import type { HeaderField } from '../../http/http2/hpack/header-field.ts';
import { recurrenceOf } from '../../http/http2/hpack/outgoing-field.ts';
import { HAS_CONTROL, HAS_DATE, HAS_NEVER_INDEXED, HAS_SERVER, isControl } from '../../http/response.ts';

/** The head of a response (RFC 9113 section 8.3.2). */
export interface ResponseSection {
  readonly status: number;
  /** Field lines for the client, without the fields of the connection. */
  readonly lines: string;
  /** Value of Content-Length; -1 when absent. */
  readonly contentLength: number;
  /** Bits of `Response.has`. */
  readonly has: number;
}

/** Fields that belong to a connection of HTTP/1.1 make a response malformed (RFC 9113 section 8.2.2). */
export const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
]);
/** What HTTP/1.1 adds to a name and its value. With these bytes the limits mean the same here. */
const LINE_BYTES = ': '.length + '\r\n'.length;
const STATUS = /^[1-5]\d\d$/;
/** As for responses of HTTP/1.1. */
const LENGTH = /^\d{1,15}$/;
const SWITCHING_PROTOCOLS = '101';

/** Reads the header sections of responses as strictly as HTTP/1.1 reads heads. */
export class ResponseSectionReader {
  readonly #bytesMax: number;
  readonly #countMax: number;

  constructor(bytesMax: number, countMax: number) {
    this.#bytesMax = bytesMax;
    this.#countMax = countMax;
  }

  /** Returns what the section says, or why it is malformed. `isCut` says that it had more than `fields` has. */
  read(fields: readonly HeaderField[], isCut: boolean): ResponseSection | string {
    const status = fields[0];
    for (const { fault } of fields) if (fault !== '') return fault;
    if (status === undefined || status.name !== ':status') return 'the response does not start with :status';
    if (!STATUS.test(status.value)) return 'the status is not between 100 and 599';
    if (status.value === SWITCHING_PROTOCOLS) return 'HTTP/2 has no status 101';
    if (isCut) return 'the header lines are too long';
    if (fields.length - 1 > this.#countMax) return 'there are too many header lines';
    return this.#readFields(Number(status.value), fields);
  }

  #readFields(status: number, fields: readonly HeaderField[]): ResponseSection | string {
    let contentLength = -1;
    let has = 0;
    let lines = '';
    let bytes = 0;
    for (let i = 1; i < fields.length; i += 1) {
      const { name, value, neverIndexed } = fields[i] as HeaderField;
      bytes += name.length + value.length + LINE_BYTES;
      if (name.startsWith(':')) return 'there is a pseudo-header field besides :status';
      if (CONNECTION_FIELDS.has(name)) return `the field ${name} belongs to a connection of HTTP/1.1`;
      if (name === 'trailer') continue;
      if (name === 'date') has |= HAS_DATE;
      else if (name === 'server') has |= HAS_SERVER;
      else if (isControl(name)) has |= HAS_CONTROL;
      else if (name === 'content-length') {
        if (contentLength >= 0 || !LENGTH.test(value)) return 'Content-Length is not one decimal number';
        contentLength = Number(value);
        if (status < 200) continue;
      }
      if (neverIndexed && recurrenceOf(name) !== 'secret') {
        // Interim responses are lines only, which cannot convey this wish.
        if (status < 200) continue;
        has |= HAS_NEVER_INDEXED;
      }
      lines += `${name}: ${value}\r\n`;
    }
    if (bytes > this.#bytesMax) return 'the header lines are too long';
    if (status < 200 && contentLength > 0) return 'an interim response has content';
    return { status, lines, contentLength, has };
  }
}
