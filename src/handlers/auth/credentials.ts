import { createHmac, randomBytes } from 'node:crypto';
import type { PasswordHash } from './passwords.ts';

/** A user's name and password from Basic authentication. */
export interface Credential {
  readonly user: string;
  readonly password: Buffer;
}

export type Verdict = 'valid' | 'invalid' | 'busy';

/** The most verified credentials to remember. Beyond this number, the oldest is forgotten. */
const REMEMBERED_MAX = 1000;
/** Each verification occupies one of the four threads of Node's pool. Reads of files need the other threads. */
const RUNNING_MAX = 2;
/** The most waiting verifications. Beyond this number, clients get 503, because they can send wrong passwords faster than the server can verify them. */
const WAITING_MAX = 64;

/**
 * Verifies credentials. A valid credential is remembered for some time, as a keyed digest: a client sends it with every request, and a password hash is slow on
 * purpose. An unknown user costs as much time as a wrong password.
 */
export class Credentials {
  readonly #users: ReadonlyMap<string, PasswordHash>;
  /** The hash that is verified for an unknown user. */
  readonly #decoy: PasswordHash;
  readonly #rememberMs: number;
  readonly #now: () => number;
  readonly #secret = randomBytes(32);
  /** The time until which a credential is valid, by digest. */
  readonly #valid = new Map<string, number>();
  /** Running verifications by digest: a browser sends the same credential over several connections at once. */
  readonly #pending = new Map<string, Promise<Verdict>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** `users` must not be empty. `now` returns milliseconds. */
  constructor(
    users: ReadonlyMap<string, PasswordHash>,
    rememberMs: number,
    now: () => number = () => performance.now(),
  ) {
    this.#users = users;
    this.#decoy = users.values().next().value as PasswordHash;
    this.#rememberMs = rememberMs;
    this.#now = now;
  }

  /** The verdict; without a promise if the credential was valid a short time ago. */
  verify(credential: Credential): Verdict | Promise<Verdict> {
    const digest = this.#digest(credential);
    const until = this.#valid.get(digest);
    if (until !== undefined && this.#now() < until) return 'valid';
    const pending = this.#pending.get(digest);
    if (pending !== undefined) return pending;
    if (this.#waiting.length >= WAITING_MAX) return 'busy';
    const verdict = this.#inTurn(credential, digest).finally(() => this.#pending.delete(digest));
    this.#pending.set(digest, verdict);
    return verdict;
  }

  async #inTurn({ user, password }: Credential, digest: string): Promise<Verdict> {
    if (this.#running >= RUNNING_MAX) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running += 1;
    try {
      const hash = this.#users.get(user);
      const isCorrect = await (hash ?? this.#decoy).verify(password);
      if (hash === undefined || !isCorrect) return 'invalid';
      this.#remember(digest);
      return 'valid';
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  #remember(digest: string): void {
    this.#valid.delete(digest);
    const oldest = this.#valid.keys().next().value;
    if (oldest !== undefined && this.#valid.size >= REMEMBERED_MAX) this.#valid.delete(oldest);
    this.#valid.set(digest, this.#now() + this.#rememberMs);
  }

  #digest({ user, password }: Credential): string {
    return createHmac('sha256', this.#secret).update(user).update('\0').update(password).digest('base64');
  }
}
