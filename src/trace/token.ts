import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { type TraceDetails, USUAL_DETAILS } from './trace.ts';

/** The field, and the cookie, with which a client asks for a trace. */
export const TRACE_FIELD = 'Viaduct-Trace';
export const TRACE_COOKIE = 'viaduct_trace';

/** A token is valid for a day at most, whatever it says. */
export const TOKEN_SECONDS_MAX = 86_400;
const TOKEN_CHARS_MAX = 200;
const FORM = /^v1\.(\d{1,12})\.([0-9a-f]{16})\.([lpq]{0,3})\.([A-Za-z0-9_-]{43})$/;

/**
 * Makes a token with which requests are recorded until it expires: `v1.EXPIRY.NONCE.DETAILS.MAC`, with the expiry in seconds since 1970, 16
 * hexadecimal digits, letters for what to record (`l`: locals, `p`: a profile, `q`: parameters of queries), and base64url without padding. The MAC is HMAC-SHA-256 (RFC 2104) over all that
 * precedes it. `seconds` is how long it is valid.
 */
export function signToken(
  secret: string,
  seconds: number,
  details: TraceDetails = USUAL_DETAILS,
  now = Date.now(),
): string {
  const expiry = Math.floor(now / 1000) + Math.min(seconds, TOKEN_SECONDS_MAX);
  const letters = `${details.locals ? 'l' : ''}${details.profile ? 'p' : ''}${details.sqlParameters ? 'q' : ''}`;
  const text = `v1.${expiry}.${randomBytes(8).toString('hex')}.${letters}`;
  return `${text}.${macOf(secret, text).toString('base64url')}`;
}

/** What to record for a request with this token; null if the token is not valid, or not any more. */
export function readToken(secret: string, token: string, now = Date.now()): TraceDetails | null {
  if (token.length > TOKEN_CHARS_MAX) return null;
  const [, expiry, , letters = '', mac] = FORM.exec(token) ?? [];
  if (expiry === undefined || mac === undefined) return null;
  const expected = macOf(secret, token.slice(0, token.lastIndexOf('.')));
  const given = Buffer.from(mac, 'base64url');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
  const left = Number(expiry) - Math.floor(now / 1000);
  if (left <= 0 || left > TOKEN_SECONDS_MAX) return null;
  return { locals: letters.includes('l'), profile: letters.includes('p'), sqlParameters: letters.includes('q') };
}

function macOf(secret: string, text: string): Buffer {
  return createHmac('sha256', secret).update(text).digest();
}

const ONE_TIME_SECONDS = 60;
const ONE_TIME_MAX = 100;

/** Makes a token for one request: random text. */
export function newOneTimeToken(): string {
  return `once.${randomBytes(24).toString('base64url')}`;
}

/** Tokens that are valid for one request each, for a short time. They are kept as digests, so that the time of a search says nothing about them. */
export class OneTimeTokens {
  readonly #tokens = new Map<string, { readonly details: TraceDetails; readonly expiresAt: number }>();

  /** Accepts a token of `newOneTimeToken`. With too many of them, the oldest is not valid any more. */
  add(token: string, details: TraceDetails, now = Date.now()): void {
    this.#expire(now);
    const [oldest] = this.#tokens.keys();
    if (oldest !== undefined && this.#tokens.size >= ONE_TIME_MAX) this.#tokens.delete(oldest);
    this.#tokens.set(digestOf(token), { details, expiresAt: now + ONE_TIME_SECONDS * 1000 });
  }

  /** What to record for a request with this token, which is used up; null if it is not valid. */
  take(token: string, now = Date.now()): TraceDetails | null {
    this.#expire(now);
    if (this.#tokens.size === 0 || token.length > TOKEN_CHARS_MAX) return null;
    const digest = digestOf(token);
    const details = this.#tokens.get(digest)?.details ?? null;
    this.#tokens.delete(digest);
    return details;
  }

  /** How many are valid. */
  get size(): number {
    this.#expire(Date.now());
    return this.#tokens.size;
  }

  #expire(now: number): void {
    for (const [digest, { expiresAt }] of this.#tokens) {
      if (expiresAt > now) return;
      this.#tokens.delete(digest);
    }
  }
}

function digestOf(token: string): string {
  return createHash('sha256').update(token).digest('base64');
}
