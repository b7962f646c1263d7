import { createHmac, randomBytes } from 'node:crypto';
import type { PasswordHash } from './passwords.ts';

/** A user's name and password as Basic authentication has them. */
export interface Credential {
  readonly user: string;
  readonly password: Buffer;
}

export type Verdict = 'valid' | 'invalid' | 'busy';

/** Verified credentials that are remembered, the oldest forgotten first. */
const REMEMBERED_MAX = 1000;
/** Each verification holds a thread of Node's pool of four; file reads need the others. */
const RUNNING_MAX = 2;
/** Who would have to wait behind more is told so instead: wrong passwords can be sent faster than they can be refused. */
const WAITING_MAX = 64;

/**
 * Verifies credentials. What was valid is remembered for a while, under a keyed digest, because a client sends it with every request and a
 * hash is slow on purpose. An unknown user costs what a wrong password costs.
 */
export class Credentials {
  readonly #users: ReadonlyMap<string, PasswordHash>;
  /** Stands for the hash of a user that does not exist. */
  readonly #decoy: PasswordHash;
  readonly #rememberMs: number;
  readonly #now: () => number;
  readonly #secret = randomBytes(32);
  /** Until when, by digest. */
  readonly #valid = new Map<string, number>();
  /** By digest: a browser sends the same over several connections at once. */
  readonly #pending = new Map<string, Promise<Verdict>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** `users` is not empty; `now` counts milliseconds. */
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

  /** A verdict at once where the credential was valid lately. */
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
      const isRight = await (hash ?? this.#decoy).verify(password);
      if (hash === undefined || !isRight) return 'invalid';
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
