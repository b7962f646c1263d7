/** A backend that closes a connection after each response has done so by this time, even on a busy machine. */
const SETTLED_MS = 250;

/** A backend is unlikely to close a connection that was used within this time. */
const FRESH_MS = 1000;

/**
 * What one backend has shown about idle connections. Some application servers close a connection after each response and
 * do not say so, such as uWSGI 2.0 with `http-socket`. A request that reaches such a connection in between is lost.
 */
export class KeepAliveKnowledge {
  #state: 'unknown' | 'keeps' | 'closes' = 'unknown';
  /** The shortest time after which the backend closed an idle connection that it had kept, in ms. */
  #closesAfterMs = Number.POSITIVE_INFINITY;

  /** Whether a request that can be repeated may use a connection that has been idle for `idleMs`. */
  allows(idleMs: number): boolean {
    return this.#state !== 'closes' || idleMs >= SETTLED_MS;
  }

  /**
   * Whether a request that cannot be repeated may use a connection that has been idle for `idleMs`. Then the backend
   * must be known to keep connections, and to keep them for longer than that.
   */
  trusts(idleMs: number): boolean {
    return (this.#state === 'keeps' || idleMs >= SETTLED_MS) && idleMs <= FRESH_MS && idleMs < this.#closesAfterMs / 2;
  }

  /** The backend answered on a kept connection. */
  reused(): void {
    this.#state = 'keeps';
  }

  /** A connection was open after `idleMs`. */
  stayedOpen(idleMs: number): void {
    if (idleMs > this.#closesAfterMs) this.#closesAfterMs = Number.POSITIVE_INFINITY;
  }

  /** The backend closed a connection that had been idle for `idleMs`. */
  closed(idleMs: number): void {
    if (idleMs >= SETTLED_MS) this.#closesAfterMs = Math.min(this.#closesAfterMs, idleMs);
    else this.#state = this.#state === 'keeps' ? 'unknown' : 'closes';
  }
}
