import { Refusal } from '../refusal.ts';
import type { HttpLimits } from '../transport/limits.ts';
import type { FieldKind } from './field-name.ts';
import type { HeaderCache } from './header-cache.ts';
import { isHost } from './host.ts';
import { clientAllowsKeepAlive } from './keep-alive.ts';
import { isNominable } from './nominated-fields.ts';

const HOST_TWICE = new Refusal(400, 'there is more than one Host');
const HOST_MISSING = new Refusal(400, 'Host is missing');
const BAD_HOST = new Refusal(400, 'Host is not a valid host with an optional port');
const TYPE_TWICE = new Refusal(400, 'there is more than one Content-Type');
const BAD_LENGTH = new Refusal(400, 'Content-Length is not one decimal number');
const TOO_LARGE = new Refusal(413, 'the content is too large');
const FRAMED_TWICE = new Refusal(400, 'both Transfer-Encoding and Content-Length are present');
const CODING_IN_HTTP_1_0 = new Refusal(400, 'HTTP/1.0 does not have Transfer-Encoding');
const BAD_CODING = new Refusal(400, 'the last transfer coding is not chunked, or chunked appears twice');
const CODING_UNKNOWN = new Refusal(501, 'this server decodes only the transfer coding chunked');
const EXPECTATION_UNKNOWN = new Refusal(417, 'this server supports only the expectation 100-continue');

const DIGITS_MAX = 15;

/**
 * What the header fields say about the message and the connection (RFC 9112 sections 3.2, 6 and 9). The same object is used again for each
 * request: call `reset`, then `read` for each field whose kind is not `other`, then `finish`.
 */
export class Framing {
  host = '';
  /** Bytes of content; -1 for chunked content. */
  contentLength = 0;
  /** Whether the client allows keep-alive. */
  keepAlive = true;
  expectsContinue = false;
  upgrades = false;
  /** Names of the fields, in lower case, that Connection declares as those of the connection; null for none. */
  nominated: Set<string> | null = null;
  #minorVersion: 0 | 1 = 1;
  #hosts = 0;
  #lengths = 0;
  #types = 0;
  #codings = '';
  #coded = false;
  #closes = false;
  #keepsAlive = false;
  #upgradeOption = false;
  #upgradeField = false;
  readonly #bodyBytesMax: number;

  constructor(limits: HttpLimits) {
    this.#bodyBytesMax = limits.bodyBytesMax;
  }

  reset(minorVersion: 0 | 1): void {
    this.host = '';
    this.contentLength = 0;
    this.expectsContinue = false;
    this.nominated = null;
    this.#minorVersion = minorVersion;
    this.#hosts = 0;
    this.#lengths = 0;
    this.#types = 0;
    this.#codings = '';
    this.#coded = false;
    this.#closes = false;
    this.#keepsAlive = false;
    this.#upgradeOption = false;
    this.#upgradeField = false;
  }

  /** Takes the values that `headerCache` holds for the same fields. */
  restore(headerCache: HeaderCache): void {
    this.host = headerCache.host;
    this.contentLength = headerCache.contentLength;
    this.keepAlive = headerCache.keepAlive;
    this.expectsContinue = headerCache.expectsContinue;
    this.upgrades = headerCache.upgrades;
    this.nominated = headerCache.nominated;
  }

  read(kind: FieldKind, value: string): Refusal | null {
    switch (kind) {
      case 'host':
        this.#hosts += 1;
        this.host = value;
        if (this.#hosts > 1) return HOST_TWICE;
        return isHost(value) ? null : BAD_HOST;
      case 'content-length':
        return this.#readLength(value);
      case 'content-type':
        // One recipient may join two media types, another may pick one: they would read different content (RFC 9110 section 8.3).
        this.#types += 1;
        return this.#types > 1 ? TYPE_TWICE : null;
      case 'transfer-encoding':
        this.#codings = this.#coded ? `${this.#codings},${value}` : value;
        this.#coded = true;
        return null;
      case 'connection':
        this.#readConnection(value);
        return null;
      case 'expect':
        return this.#readExpect(value);
      case 'upgrade':
        this.#upgradeField = true;
        return null;
      case 'other':
        return null;
    }
  }

  /** The checks that need all fields. */
  finish(): Refusal | null {
    const isHttp11 = this.#minorVersion === 1;
    if (this.#hosts === 0 && isHttp11) return HOST_MISSING;
    this.keepAlive = clientAllowsKeepAlive(isHttp11, this.#closes, this.#keepsAlive);
    this.upgrades = this.#upgradeOption && this.#upgradeField && isHttp11;
    if (!this.#coded) return this.contentLength > this.#bodyBytesMax ? TOO_LARGE : null;
    if (this.#lengths > 0) return FRAMED_TWICE;
    if (!isHttp11) return CODING_IN_HTTP_1_0;
    this.contentLength = -1;
    return checkCodings(this.#codings);
  }

  #readLength(value: string): Refusal | null {
    this.#lengths += 1;
    if (this.#lengths > 1 || value === '') return BAD_LENGTH;
    let length = 0;
    let digits = 0;
    for (let at = 0; at < value.length; at += 1) {
      const digit = value.charCodeAt(at) - 0x30;
      if (digit < 0 || digit > 9) return BAD_LENGTH;
      if (length > 0) digits += 1;
      length = length * 10 + digit;
    }
    this.contentLength = length;
    return digits > DIGITS_MAX ? TOO_LARGE : null;
  }

  #readConnection(value: string): void {
    if (value === 'keep-alive') {
      this.#keepsAlive = true;
      return;
    }
    for (const option of value.toLowerCase().split(',')) {
      const name = trim(option);
      switch (name) {
        case 'close':
          this.#closes = true;
          break;
        case 'keep-alive':
          this.#keepsAlive = true;
          break;
        case 'upgrade':
          this.#upgradeOption = true;
          break;
        default:
          if (!isNominable(name)) break;
          this.nominated ??= new Set();
          this.nominated.add(name);
      }
    }
  }

  /** HTTP/1.0 does not have interim responses, so it ignores expectations (RFC 9110 section 10.1.1). */
  #readExpect(value: string): Refusal | null {
    if (this.#minorVersion === 0) return null;
    for (const expectation of value.toLowerCase().split(',')) {
      if (trim(expectation) !== '100-continue') return EXPECTATION_UNKNOWN;
    }
    this.expectsContinue = true;
    return null;
  }
}

/**
 * Accepts `chunked` alone. A coding before `chunked` gets 501. A list that does not end with `chunked` leaves the end of the message
 * unknown and gets 400 (RFC 9112 sections 6.1 and 6.3).
 */
function checkCodings(codings: string): Refusal | null {
  if (codings === 'chunked') return null;
  const list = codings.toLowerCase().split(',').map(trim);
  if (list.at(-1) !== 'chunked' || list.indexOf('chunked') !== list.length - 1) return BAD_CODING;
  if (list.some((coding) => !/^[!#$%&'*+\-.^_`|~0-9a-z]+(?:[ \t]*;.*)?$/.test(coding))) return BAD_CODING;
  return list.length === 1 ? null : CODING_UNKNOWN;
}

/** Removes SP and HTAB around `text`. `String.trim` would remove no-break spaces too. */
function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}
