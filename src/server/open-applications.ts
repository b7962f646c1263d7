import { describeError } from '../log/describe-error.ts';
import type { Log } from '../log/log.ts';
import type { ComposedApplications } from '../site/compose-applications.ts';
import type { Application } from '../wsgi/contract.ts';

/** The applications and middleware that requests may be with: those of the current site, and those that a reload replaced. */
export class OpenApplications {
  readonly #log: Log;
  readonly #callerApplications: ReadonlyMap<string, Application>;
  #current: ComposedApplications | null = null;
  readonly #leaving = new Set<ComposedApplications>();

  /** `callerApplications` are closed with the others, and never before. */
  constructor(log: Log, callerApplications: ReadonlyMap<string, Application>) {
    this.#log = log;
    this.#callerApplications = callerApplications;
  }

  /** Requests go to `next` from now on. Those in its place stay open for `graceMs`, because requests may still be with them. */
  replace(next: ComposedApplications, graceMs: number): void {
    const old = this.#current;
    this.#current = next;
    if (old !== null) this.leave(old, graceMs);
  }

  /** `composed` gets no new requests, and stays open for `graceMs`. */
  leave(composed: ComposedApplications, graceMs: number): void {
    this.#leaving.add(composed);
    setTimeout(() => {
      if (this.#leaving.has(composed)) void this.#close(composed);
    }, graceMs).unref();
  }

  /** Closes all of them. An error goes to the log. */
  async close(): Promise<void> {
    const composed = [...this.#leaving, ...(this.#current === null ? [] : [this.#current])];
    await Promise.all(composed.map((applications) => this.#close(applications)));
    await Promise.allSettled([...this.#callerApplications.values()].map((application) => application.close?.()));
  }

  async #close(composed: ComposedApplications): Promise<void> {
    this.#leaving.delete(composed);
    try {
      await composed.close();
    } catch (error) {
      this.#log.error(describeError(error));
    }
  }
}
