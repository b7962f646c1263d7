import { setTimeout as sleep } from 'node:timers/promises';

/** The two times of a server that stops: it still accepts requests for a while, and then waits for those that run. */
export class GracefulStop {
  readonly #accepting = new AbortController();
  #waiting: NodeJS.Timeout | null = null;

  /** Resolves after `ms`, or at a `cancel`. */
  async accept(ms: number): Promise<void> {
    await sleep(ms, null, { signal: this.#accepting.signal }).catch(() => {});
  }

  /** Resolves to whether `finished` has resolved within `ms`. After a `cancel` it resolves only with `finished`. */
  async wait(ms: number, finished: Promise<unknown>): Promise<boolean> {
    const late = new Promise<false>((resolve) => {
      this.#waiting = setTimeout(() => resolve(false), ms);
    });
    const inTime = await Promise.race([finished.then(() => true), late]);
    this.#endWait();
    return inTime;
  }

  /** The server ends at once. No timer keeps the process alive. */
  cancel(): void {
    this.#accepting.abort();
    this.#endWait();
  }

  #endWait(): void {
    if (this.#waiting !== null) clearTimeout(this.#waiting);
    this.#waiting = null;
  }
}
