import { stat } from 'node:fs/promises';
import type { TlsTerminator } from './tls-terminator.ts';

export interface WatchEvents {
  /** New certificates are in use. `warnings` is what clients will complain of. */
  onReplaced(warnings: readonly string[]): void;
  /** Files have changed and cannot be used: the old ones stay in use. */
  onFailed(error: Error): void;
}

const EVERY_MS = 2000;

/**
 * Loads certificates anew when their files have changed. The files are looked at again and again, because they are often symbolic links
 * whose target changes, and are taken when they have stayed the same from one look to the next: so a certificate is not taken without its key.
 */
export class CertificateWatch {
  readonly #terminator: TlsTerminator;
  readonly #events: WatchEvents;
  readonly #everyMs: number;
  #timer: NodeJS.Timeout | null = null;
  /** What the files were like when they were loaded, or could not be. */
  #taken = '';
  #seen = '';

  constructor(terminator: TlsTerminator, events: WatchEvents, everyMs = EVERY_MS) {
    this.#terminator = terminator;
    this.#events = events;
    this.#everyMs = everyMs;
  }

  /** Remembers what the files are like now, and begins. */
  async start(): Promise<void> {
    this.#taken = await this.#state();
    this.#seen = this.#taken;
    this.#wait();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Looks once. */
  async look(): Promise<void> {
    const state = await this.#state();
    const settled = state === this.#seen;
    this.#seen = state;
    if (!settled || state === this.#taken) return;
    this.#taken = state;
    try {
      this.#events.onReplaced(this.#terminator.load());
    } catch (error) {
      this.#events.onFailed(error as Error);
    }
  }

  #wait(): void {
    this.#timer = setTimeout(() => {
      void this.look().then(() => {
        if (this.#timer !== null) this.#wait();
      });
    }, this.#everyMs);
    this.#timer.unref();
  }

  async #state(): Promise<string> {
    const states = this.#terminator.files.map(async (path) => {
      const stats = await stat(path).catch(() => null);
      return stats === null
        ? `${path} missing`
        : `${path} ${stats.dev} ${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs}`;
    });
    return (await Promise.all(states)).join('\n');
  }
}
