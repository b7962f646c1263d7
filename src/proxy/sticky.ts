import { createHmac } from 'node:crypto';
import type { Request } from '../http/message.ts';
import { Response } from '../http/response.ts';
import { cookieOf } from '../http/semantics/cookie.ts';
import type { Member } from '../upstream/member.ts';

export interface StickyOptions {
  /** The cookie's name. */
  readonly cookie: string;
  /** What signs the cookie. Servers that share sessions share it. */
  readonly secret: string;
  /** How long a browser keeps the cookie, in seconds; null for its session. */
  readonly maxAgeS: number | null;
  readonly path: string;
}

/** 16 bytes: nobody guesses them. */
const MAC_LENGTH = 22;

/**
 * Keeps a client with the backend that answered it first, by a cookie. It holds the backend's name under a key (RFC 2104), and nothing else: who does not have the
 * secret can neither name a backend nor read one.
 */
export class Sticky {
  readonly #options: StickyOptions;
  readonly #marks = new WeakMap<Member, string>();
  readonly #members = new Map<string, Member>();
  readonly #answeredBy = new WeakMap<Request, Member>();

  constructor(options: StickyOptions) {
    this.#options = options;
  }

  joined(member: Member): void {
    const { secret } = this.#options;
    const mark = createHmac('sha256', secret).update(member.name).digest('base64url').slice(0, MAC_LENGTH);
    this.#marks.set(member, mark);
    this.#members.set(mark, member);
  }

  left(member: Member): void {
    const mark = this.#marks.get(member) ?? '';
    if (this.#members.get(mark) === member) this.#members.delete(mark);
  }

  /** The backend that the client of `request` belongs to, while that is there; null when it belongs to none. */
  memberOf(request: Request): Member | null {
    const mark = cookieOf(request, this.#options.cookie);
    const member = mark === null ? undefined : this.#members.get(mark);
    return member === undefined || member.gone || !member.healthy ? null : member;
  }

  /** `member` answers `request`. */
  answered(request: Request, member: Member): void {
    this.#answeredBy.set(request, member);
  }

  /** `response` with the cookie that names the backend it comes from, where the client does not have that already. */
  mark(request: Request, response: Response): Response {
    const member = this.#answeredBy.get(request);
    if (member === undefined || member.gone || response.status < 200) return response;
    const { cookie, maxAgeS, path } = this.#options;
    const mark = this.#marks.get(member) ?? '';
    if (cookieOf(request, cookie) === mark) return response;
    const age = maxAgeS === null ? '' : `; Max-Age=${maxAgeS}`;
    const secure = request.peer.secure ? '; Secure' : '';
    const line = `Set-Cookie: ${cookie}=${mark}; Path=${path}${age}; HttpOnly; SameSite=Lax${secure}\r\n`;
    const { status, reason, lines, contentLength, has, body } = response;
    return new Response(status, reason, lines + line, contentLength, has, body);
  }
}
