import { FieldSection, type Progress } from '../../http/http1/field-section.ts';
import { Refusal } from '../../http/refusal.ts';
import { HAS_CONTROL, HAS_DATE, HAS_SERVER, isControl } from '../../http/response.ts';
import { LF, SP, VALUE } from '../../http/semantics/bytes.ts';
import { DEFAULT_LIMITS } from '../../http/transport/limits.ts';
import { ResponseFraming } from './response-framing.ts';

const STATUS_LINE_BYTES_MAX = 1024;
/** Statuses beyond are invalid (RFC 9110 section 15). HTTP/2 engines refuse to send them. */
const STATUS_MAX = 599;
/** A longer head is parsed again for each response. */
const LAST_BYTES_MAX = 1024;
const PREFIX = 'HTTP/1.';
const DIGIT_0 = 0x30;
/** Makes an ASCII letter lower case. */
const LOWER = 0x20;
const X = 0x78;

const BAD_STATUS_LINE = new Refusal(502, 'the status line does not have the form "HTTP/1.1 200 OK"');
const BAD_STATUS = new Refusal(502, 'the status is not between 100 and 599');
const BAD_REASON = new Refusal(502, 'the reason phrase contains a control character');
const LONG_STATUS_LINE = new Refusal(502, 'the status line is too long');

/**
 * Parses the head of a backend's response (RFC 9112 sections 4 and 5) as strictly as the head of a request. It refuses
 * whatever two recipients might interpret differently. The object is reused for each response.
 */
export class ResponseHead {
  status = 0;
  reason = '';
  /** Field lines for the client, without the fields of the connection. */
  lines = '';
  /** Bits of `Response.has`. */
  has = 0;
  /** Bytes of the head. */
  length = 0;
  readonly framing = new ResponseFraming();
  #minorVersion: 0 | 1 = 1;
  /** Offset of the fields; 0 while the status line is incomplete. */
  #fieldsAt = 0;
  #method = '';
  readonly #section: FieldSection;
  /** The last head, while the properties of this object still describe it. */
  readonly #last = Buffer.allocUnsafeSlow(LAST_BYTES_MAX);
  #lastLength = 0;
  #lastMethod = '';

  constructor(bytesMax: number, countMax: number) {
    this.#section = new FieldSection({ ...DEFAULT_LIMITS, headerCountMax: countMax }, bytesMax);
  }

  /** Prepares for the response to a request with this method. */
  reset(method: string): void {
    this.#method = method;
    this.#fieldsAt = 0;
  }

  /**
   * Continues to `end` of `bytes`; the head starts at `origin`. When the result is `complete`, all properties are set.
   */
  scan(bytes: Buffer, origin: number, end: number): Progress {
    if (this.#fieldsAt === 0) {
      if (this.#repeatsLast(bytes, origin, end)) return 'complete';
      this.#lastLength = 0;
      const progress = this.#readStatusLine(bytes, origin, end);
      if (progress !== 'complete') return progress;
      this.#section.reset(this.#fieldsAt);
    }
    const progress = this.#section.scan(bytes, origin, end);
    if (progress !== 'complete') return progress;
    this.length = this.#section.at;
    const refusal = this.#interpret(bytes.toString('latin1', origin, origin + this.length));
    if (refusal !== null) return refusal;
    this.#remember(bytes, origin);
    return 'complete';
  }

  /** A backend often repeats its head, even with the same Date within a second. A repeated head is not parsed again. */
  #repeatsLast(bytes: Buffer, origin: number, end: number): boolean {
    const length = this.#lastLength;
    if (length === 0 || end - origin < length || this.#method !== this.#lastMethod) return false;
    return bytes.compare(this.#last, 0, length, origin, origin + length) === 0;
  }

  #remember(bytes: Buffer, origin: number): void {
    if (this.length > LAST_BYTES_MAX) return;
    bytes.copy(this.#last, 0, origin, origin + this.length);
    this.#lastLength = this.length;
    this.#lastMethod = this.#method;
  }

  /** RFC 9112 section 4, except that the space before an empty reason may be missing: many servers omit it. */
  #readStatusLine(bytes: Buffer, origin: number, end: number): Progress {
    const known = Math.min(PREFIX.length, end - origin);
    for (let i = 0; i < known; i += 1) if (bytes[origin + i] !== PREFIX.charCodeAt(i)) return BAD_STATUS_LINE;
    let at = origin + PREFIX.length;
    while (at < end && VALUE[bytes[at] as number] === 1) at += 1;
    if (at - origin > STATUS_LINE_BYTES_MAX) return LONG_STATUS_LINE;
    if (at + 1 >= end) return 'incomplete';
    if (bytes[at] !== 0x0d || bytes[at + 1] !== LF) return BAD_REASON;
    const minor = (bytes[origin + 7] as number) - DIGIT_0;
    if ((minor !== 0 && minor !== 1) || bytes[origin + 8] !== SP || at < origin + 12) return BAD_STATUS_LINE;
    let status = 0;
    for (let i = origin + 9; i < origin + 12; i += 1) {
      const digit = (bytes[i] as number) - DIGIT_0;
      if (digit < 0 || digit > 9) return BAD_STATUS_LINE;
      status = status * 10 + digit;
    }
    if (status < 100 || status > STATUS_MAX) return BAD_STATUS;
    if (at > origin + 12 && bytes[origin + 12] !== SP) return BAD_STATUS_LINE;
    this.status = status;
    this.reason = at > origin + 13 ? bytes.toString('latin1', origin + 13, at) : '';
    this.#minorVersion = minor;
    this.#fieldsAt = at + 2 - origin;
    return 'complete';
  }

  #interpret(text: string): Refusal | null {
    const section = this.#section;
    const { count, spans } = section;
    const { framing } = this;
    framing.reset(this.#minorVersion);
    this.has = 0;
    let lines = '';
    let keptFrom = this.#fieldsAt;
    for (let i = 0; i < count; i += 1) {
      const start = spans[4 * i] as number;
      const nameEnd = spans[4 * i + 1] as number;
      if (!mayMatter(nameEnd - start) && (text.charCodeAt(start) | LOWER) !== X) continue;
      const name = text.substring(start, nameEnd).toLowerCase();
      if (name === 'date') this.has |= HAS_DATE;
      else if (name === 'server') this.has |= HAS_SERVER;
      else if (isControl(name)) this.has |= HAS_CONTROL;
      else if (framing.read(name, section, text, i)) {
        lines += text.substring(keptFrom, start);
        keptFrom = i + 1 < count ? (spans[4 * i + 4] as number) : this.length - 2;
      }
    }
    lines += text.substring(keptFrom, this.length - 2);
    if (this.status < 200 && framing.contentLength >= 0) framing.nominate('content-length');
    this.lines = framing.nominated === null ? lines : without(lines, framing.nominated);
    return framing.finish(this.status, this.#method);
  }
}

/** Whether a field name of this length may be one of the fields handled here, except the controls, which start with X. */
function mayMatter(length: number): boolean {
  switch (length) {
    case 2: // te
    case 4: // date
    case 6: // server
    case 7: // trailer, upgrade
    case 10: // connection, keep-alive
    case 14: // content-length
    case 16: // proxy-connection
    case 17: // transfer-encoding
      return true;
    default:
      return false;
  }
}

function without(lines: string, names: ReadonlySet<string>): string {
  const kept = lines.split(/(?<=\r\n)/).filter((line) => !names.has(line.slice(0, line.indexOf(':')).toLowerCase()));
  return kept.join('');
}
