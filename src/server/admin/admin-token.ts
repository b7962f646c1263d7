import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ViaductError } from '../../errors.ts';
import type { Request } from '../../http/message.ts';
import { fieldOf } from './foreign.ts';

/** A shorter token could be guessed. */
const CHARS_MIN = 16;
const CHARS_MAX = 512;
const COOKIE = 'viaduct_admin';
const SESSION_S = 12 * 3600;
/** Wrong tokens that a client may send in a minute. */
const FAILURES_MAX = 10;
const MINUTE_MS = 60_000;
/** So many clients with wrong tokens are remembered: the last ones. */
const CLIENTS_MAX = 1000;

/**
 * Reads the token in `path`, without white space around it, or makes one.
 *
 * @throws ViaductError `SETTINGS` for a file that cannot be read, or does not hold a token
 */
export async function loadToken(path: string | null): Promise<string> {
  if (path === null) return randomBytes(24).toString('base64url');
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new ViaductError('SETTINGS', `Cannot read admin_token_file "${path}": ${error.message}`);
  });
  const token = text.trim();
  if (token.length < CHARS_MIN || token.length > CHARS_MAX || !/^[\x21-\x7e]+$/.test(token))
    throw new ViaductError(
      'SETTINGS',
      `Cannot use admin_token_file "${path}": a token has ${CHARS_MIN} to ${CHARS_MAX} visible characters of ASCII`,
      { advice: 'Make one with: openssl rand -base64 24' },
    );
  return token;
}

/** Lets those in who have the token: programs with a field, people with a cookie that they got for it. */
export class AdminToken {
  readonly #key: Buffer;
  /** Wrong tokens by address, in this minute. */
  readonly #failures = new Map<string, number>();
  #minute = 0;

  constructor(token: string) {
    this.#key = keyOf(token);
  }

  /** Whether `request` has the token: `Authorization: Bearer` (RFC 6750). */
  hasToken({ headers }: Request): boolean {
    const [, bearer] = /^Bearer +([\x21-\x7e]+)$/i.exec(fieldOf(headers, 'authorization') ?? '') ?? [];
    return bearer !== undefined && this.isRight(bearer);
  }

  /** Whether `request` has the cookie of somebody who had the token. */
  hasSession({ headers }: Request): boolean {
    return (fieldOf(headers, 'cookie') ?? '').split(/; */).some((pair) => this.#isSession(pair));
  }

  /** Compares without a hint in the time that it takes: the digests have one length. */
  isRight(token: string): boolean {
    return timingSafeEqual(keyOf(token), this.#key);
  }

  /** Whether this client has sent too many wrong tokens in this minute. */
  isBlocked(address: string): boolean {
    this.#turn();
    return (this.#failures.get(address) ?? 0) >= FAILURES_MAX;
  }

  /** A client has sent a wrong token. */
  failed(address: string): void {
    this.#turn();
    if (this.#failures.size >= CLIENTS_MAX && !this.#failures.has(address)) {
      const [oldest = ''] = this.#failures.keys();
      this.#failures.delete(oldest);
    }
    this.#failures.set(address, (this.#failures.get(address) ?? 0) + 1);
  }

  /** The value of a Set-Cookie field that opens a session of twelve hours (RFC 6265). Another token ends it. */
  get cookie(): string {
    const until = Math.floor(Date.now() / 1000) + SESSION_S;
    return `${COOKIE}=${until}.${this.#sign(until)}; Path=/; Max-Age=${SESSION_S}; HttpOnly; SameSite=Strict`;
  }

  #isSession(pair: string): boolean {
    const [, until = '', signature = ''] = /^viaduct_admin=(\d{1,12})\.([\w-]{43})$/.exec(pair) ?? [];
    if (until === '' || Number(until) * 1000 < Date.now()) return false;
    return timingSafeEqual(Buffer.from(signature), Buffer.from(this.#sign(Number(until))));
  }

  #sign(until: number): string {
    return createHmac('sha256', this.#key).update(`session ${until}`).digest('base64url');
  }

  #turn(): void {
    const minute = Math.floor(performance.now() / MINUTE_MS);
    if (minute !== this.#minute) this.#failures.clear();
    this.#minute = minute;
  }
}

function keyOf(token: string): Buffer {
  return Buffer.from(hkdfSync('sha256', token, '', 'viaduct admin', 32));
}
