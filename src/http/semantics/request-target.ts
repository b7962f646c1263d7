import { Refusal } from '../refusal.ts';
import { HEX, SLASH } from './bytes.ts';
import { isHost } from './host.ts';

const BAD_FORM = new Refusal(400, 'the target is neither a path nor an http or https URI');
const BAD_AUTHORITY = new Refusal(400, "the target's authority is not a valid host with an optional port");
const BAD_ENCODING = new Refusal(400, 'a percent sign in the path is not followed by two hexadecimal digits');
const ENCODED_NUL = new Refusal(400, 'the path contains an encoded NUL');
const BAD_ASTERISK = new Refusal(400, 'only OPTIONS may have the target "*"');

/** Facts about a target that are known before it is read. */
export interface ScannedTarget {
  /** The position after the target. */
  readonly targetEnd: number;
  /** The position of its first `?`, or -1. */
  readonly queryMark: number;
  /** Whether it has a `%` before the query. */
  readonly encoded: boolean;
  /** Whether it has `<` or `>`. */
  readonly angled: boolean;
}

/** The parts of a request target (RFC 9112 section 3.2). The same object is used again for each request. */
export class RequestTarget {
  path = '';
  query = '';
  /** The authority of an absolute-form target, else ''. */
  authority = '';
  /** See `Request.received`. */
  received = '';

  /**
   * Reads the target that starts at `start` of `text`. Clients at a command line send `<` and `>`, which no URI contains: they are
   * percent-encoded here, so that all others get a valid path and query.
   */
  read(text: string, start: number, scanned: ScannedTarget, method: string): Refusal | null {
    const { targetEnd: end, queryMark, encoded, angled } = scanned;
    const pathEnd = queryMark < 0 ? end : queryMark;
    this.query = queryMark < 0 ? '' : text.substring(queryMark + 1, end);
    this.authority = '';
    this.received = queryMark === end - 1 ? text.substring(start, end) : '';
    if (text.charCodeAt(start) === SLASH) this.path = text.substring(start, pathEnd);
    else {
      this.received = text.substring(start, end);
      const refusal = this.#readOther(text.substring(start, pathEnd), queryMark < 0, method);
      if (refusal !== null) return refusal;
    }
    if (angled) {
      this.received = text.substring(start, end);
      this.path = withoutAngles(this.path);
      this.query = withoutAngles(this.query);
    }
    return encoded ? checkEncoding(this.path) : null;
  }

  /** Reads the asterisk-form, or the absolute-form without its query. */
  #readOther(target: string, queryless: boolean, method: string): Refusal | null {
    if (target === '*' && queryless) {
      this.path = target;
      return method === 'OPTIONS' ? null : BAD_ASTERISK;
    }
    const scheme = /^https?:\/\//i.exec(target);
    if (scheme === null) return BAD_FORM;
    const start = scheme[0].length;
    const slash = target.indexOf('/', start);
    this.authority = target.slice(start, slash < 0 ? target.length : slash);
    this.path = slash < 0 ? '/' : target.slice(slash);
    return isHost(this.authority) ? null : BAD_AUTHORITY;
  }
}

function withoutAngles(text: string): string {
  return text.replaceAll('<', '%3C').replaceAll('>', '%3E');
}

/** Refuses an encoded NUL too: a path never needs it, and many programs end a string at a NUL (RFC 3986 section 7.3). */
function checkEncoding(path: string): Refusal | null {
  for (let at = path.indexOf('%'); at >= 0; at = path.indexOf('%', at + 3)) {
    if (!isHexDigit(path, at + 1) || !isHexDigit(path, at + 2)) return BAD_ENCODING;
    if (path.startsWith('00', at + 1)) return ENCODED_NUL;
  }
  return null;
}

function isHexDigit(text: string, at: number): boolean {
  return at < text.length && (HEX[text.charCodeAt(at)] as number) >= 0;
}
