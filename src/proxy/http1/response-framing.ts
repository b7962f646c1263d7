import type { FieldSection } from '../../http/http1/field-section.ts';
import { Refusal } from '../../http/refusal.ts';

const BAD_LENGTH = new Refusal(502, 'Content-Length is not one decimal number');
const FRAMED_TWICE = new Refusal(502, 'both Transfer-Encoding and Content-Length are present');
const CODED_1_0 = new Refusal(502, 'HTTP/1.0 does not have Transfer-Encoding');
const BAD_CODING = new Refusal(502, 'the only supported transfer coding is chunked');
const FRAMED_INTERIM = new Refusal(502, 'an interim response has content');

const DIGITS_MAX = 15;

/** How the end of a response's content is determined (RFC 9112 section 6.3). */
export type ContentFraming = 'none' | 'length' | 'chunked' | 'close';

/** What a response's fields say about its content and its connection. The object is reused for each response. */
export class ResponseFraming {
  content: ContentFraming = 'none';
  /** Value of Content-Length; -1 when absent. */
  contentLength = -1;
  /** Whether the backend keeps the connection open and the end of the content is known. */
  persists = true;
  /** The protocol to which the backend switches; '' when it names none. */
  upgrade = '';
  /** Additional fields of the connection, which Connection lists. */
  nominated: Set<string> | null = null;
  #minorVersion: 0 | 1 = 1;
  #badLength = false;
  #codings = '';
  #closes = false;
  #keepsAlive = false;

  reset(minorVersion: 0 | 1): void {
    this.#minorVersion = minorVersion;
    this.contentLength = -1;
    this.upgrade = '';
    this.nominated = null;
    this.#badLength = false;
    this.#codings = '';
    this.#closes = false;
    this.#keepsAlive = false;
  }

  /** Reads field `index`; `name` is its name in lower case. Returns true when the field must not reach the client. */
  read(name: string, section: FieldSection, text: string, index: number): boolean {
    switch (name) {
      case 'content-length':
        this.#readLength(section.value(text, index));
        return false;
      case 'transfer-encoding':
        this.#codings = this.#codings === '' ? section.value(text, index) || '?' : '?';
        return true;
      case 'connection':
        this.#readConnection(section.value(text, index));
        return true;
      case 'upgrade':
        this.upgrade = this.upgrade === '' ? section.value(text, index) : `${this.upgrade}, `;
        return true;
      case 'te':
      case 'trailer':
      case 'keep-alive':
      case 'proxy-connection':
        return true;
      default:
        return false;
    }
  }

  /** Marks the field `name`, in lower case, as not for the client. */
  nominate(name: string): void {
    this.nominated ??= new Set();
    this.nominated.add(name);
  }

  /** Makes the checks that need all fields, and determines the framing. */
  finish(status: number, method: string): Refusal | null {
    const coded = this.#codings !== '';
    if (this.#badLength) return BAD_LENGTH;
    if (coded && this.contentLength >= 0) return FRAMED_TWICE;
    if (coded && this.#minorVersion === 0) return CODED_1_0;
    if (coded && this.#codings.toLowerCase() !== 'chunked') return BAD_CODING;
    if (status < 200 && (coded || this.contentLength > 0)) return FRAMED_INTERIM;
    if (status < 200 || status === 204 || status === 304 || method === 'HEAD') this.content = 'none';
    else if (coded) this.content = 'chunked';
    else this.content = this.contentLength >= 0 ? 'length' : 'close';
    const persists = !this.#closes && (this.#minorVersion === 1 || this.#keepsAlive);
    this.persists = persists && this.content !== 'close';
    return null;
  }

  /** A second Content-Length is refused even with the same value, because some recipients read only one of them. */
  #readLength(value: string): void {
    let length = 0;
    for (let at = 0; at < value.length; at += 1) {
      const digit = value.charCodeAt(at) - 0x30;
      if (digit < 0 || digit > 9) this.#badLength = true;
      length = length * 10 + digit;
    }
    if (this.contentLength >= 0 || value === '' || value.length > DIGITS_MAX) this.#badLength = true;
    this.contentLength = length;
  }

  #readConnection(value: string): void {
    if (value === 'keep-alive') {
      this.#keepsAlive = true;
      return;
    }
    for (const part of value.toLowerCase().split(',')) {
      const option = part.trim();
      if (option === 'close') this.#closes = true;
      else if (option === 'keep-alive') this.#keepsAlive = true;
      else if (option !== 'upgrade' && option !== 'content-length' && option !== '') this.nominate(option);
    }
  }
}
