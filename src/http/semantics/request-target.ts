import { Refusal } from '../refusal.ts';
import { HEX, SLASH } from './bytes.ts';
import { isHost } from './host.ts';

const BAD_FORM = new Refusal(400, 'the target is neither a path nor an http or https URI');
const BAD_AUTHORITY = new Refusal(400, "the target's authority is not a valid host with an optional port");
const BAD_ENCODING = new Refusal(400, 'a percent sign in the path is not followed by two hexadecimal digits');
const ENCODED_NUL = new Refusal(400, 'the path contains an encoded NUL');
const BAD_ASTERISK = new Refusal(400, 'only OPTIONS may have the target "*"');

/** The parts of a request target (RFC 9112 section 3.2). The same object is used again for each request. */
export class RequestTarget {
  path = '';
  query = '';
  /** The authority of an absolute-form target, else ''. */
  authority = '';

  /**
   * Reads the target between `start` and `end` of `text`. `queryMark` is the position of its first `?`, or -1; `encoded` means that the
   * target has a `%` before the query.
   */
  read(text: string, start: number, end: number, queryMark: number, encoded: boolean, method: string): Refusal | null {
    const pathEnd = queryMark < 0 ? end : queryMark;
    this.query = queryMark < 0 ? '' : text.substring(queryMark + 1, end);
    this.authority = '';
    if (text.charCodeAt(start) === SLASH) this.path = text.substring(start, pathEnd);
    else {
      const refusal = this.#readOther(text.substring(start, pathEnd), queryMark < 0, method);
      if (refusal !== null) return refusal;
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
