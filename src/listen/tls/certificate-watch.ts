import { stat } from 'node:fs/promises';
import type { TlsTerminator } from './tls-terminator.ts';

export interface WatchEvents {
  /** New certificates are in use. `warnings` says why clients may refuse them. */
  onReplaced(warnings: readonly string[]): void;
  /** The changed files cannot be used: the old certificates stay in use. */
  onFailed(error: Error): void;
}

const EVERY_MS = 2000;

/**
 * Reloads certificates when their files have changed. It checks the files at intervals, because they are often symbolic links whose target
 * changes. It loads them only when they are the same in two checks in a row: so a certificate is never loaded with an old key.
 */
export class CertificateWatch {
  readonly #terminator: TlsTerminator;
  readonly #events: WatchEvents;
  readonly #everyMs: number;
  #timer: NodeJS.Timeout | null = null;
  /** The state of the files at the last attempt to load them. */
  #loaded = '';
  /** The state of the files at the last check. */
  #seen = '';

  constructor(terminator: TlsTerminator, events: WatchEvents, everyMs = EVERY_MS) {
    this.#terminator = terminator;
    this.#events = events;
    this.#everyMs = everyMs;
  }

  /** Remembers the present state of the files, and starts to watch. */
  async start(): Promise<void> {
    this.#loaded = await this.#state();
    this.#seen = this.#loaded;
    this.#wait();
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Checks the files once. */
  async check(): Promise<void> {
    const state = await this.#state();
    const isUnchanged = state === this.#seen;
    this.#seen = state;
    if (!isUnchanged || state === this.#loaded) return;
    this.#loaded = state;
    try {
      this.#events.onReplaced(this.#terminator.load());
    } catch (error) {
      this.#events.onFailed(error as Error);
    }
  }

  #wait(): void {
    this.#timer = setTimeout(() => {
      void this.check().then(() => {
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
