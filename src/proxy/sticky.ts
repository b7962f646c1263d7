import { createHmac } from 'node:crypto';
import type { Request } from '../http/message.ts';
import { Response } from '../http/response.ts';
import { cookieOf } from '../http/semantics/cookie.ts';
import type { BackendState } from './backend-state.ts';

export interface StickyOptions {
  /** Name of the cookie. */
  readonly cookie: string;
  /** Signs the cookie. Servers that share sessions need the same secret. */
  readonly secret: string;
  /** How long a browser keeps the cookie, in seconds; null until the browser session ends. */
  readonly maxAgeS: number | null;
  readonly path: string;
}

/** 22 base64url characters hold 16 bytes, too many to guess. */
const MAC_LENGTH = 22;

/**
 * Keeps a client at the backend that answered it first, by a cookie. The cookie contains only the HMAC of the backend's
 * name (RFC 2104). Without the secret nobody can name or read a backend.
 */
export class Sticky {
  readonly #options: StickyOptions;
  readonly #tokens = new WeakMap<BackendState, string>();
  readonly #states = new Map<string, BackendState>();
  readonly #answeredBy = new WeakMap<Request, BackendState>();

  constructor(options: StickyOptions) {
    this.#options = options;
  }

  onJoined(state: BackendState): void {
    const { secret } = this.#options;
    const token = createHmac('sha256', secret).update(state.name).digest('base64url').slice(0, MAC_LENGTH);
    this.#tokens.set(state, token);
    this.#states.set(token, state);
  }

  onLeft(state: BackendState): void {
    const token = this.#tokens.get(state) ?? '';
    if (this.#states.get(token) === state) this.#states.delete(token);
  }

  /**
   * The backend that the cookie of `request` names; null without a cookie, or when that backend has left or is
   * unhealthy.
   */
  backendFor(request: Request): BackendState | null {
    const token = cookieOf(request, this.#options.cookie);
    const state = token === null ? undefined : this.#states.get(token);
    return state === undefined || state.gone || !state.healthy ? null : state;
  }

  /** Records that `state` answers `request`. */
  onAnswered(request: Request, state: BackendState): void {
    this.#answeredBy.set(request, state);
  }

  /** Adds the cookie for the answering backend to `response`, unless the client already has it. */
  addCookie(request: Request, response: Response): Response {
    const state = this.#answeredBy.get(request);
    if (state === undefined || state.gone || response.status < 200) return response;
    const { cookie, maxAgeS, path } = this.#options;
    const token = this.#tokens.get(state) ?? '';
    if (cookieOf(request, cookie) === token) return response;
    const age = maxAgeS === null ? '' : `; Max-Age=${maxAgeS}`;
    const secure = request.peer.secure ? '; Secure' : '';
    const line = `Set-Cookie: ${cookie}=${token}; Path=${path}${age}; HttpOnly; SameSite=Lax${secure}\r\n`;
    const { status, reason, lines, contentLength, has, body } = response;
    return new Response(status, reason, lines + line, contentLength, has, body);
  }
}
