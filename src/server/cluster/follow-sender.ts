import { FollowBuffer } from '../../log/follow-buffer.ts';
import type { LogFilter, LogTap } from '../../log/log-tap.ts';

/** Lines leave ten times a second. */
const FLUSH_MS = 100;

/** Sends lines of the logs of this process to the primary, for somebody who follows them. While it does not take them, lines are dropped. */
export class FollowSender {
  readonly #buffer = new FollowBuffer();
  readonly #send: (lines: string, sent: () => void) => void;
  readonly #unfollow: () => void;
  #timer: NodeJS.Timeout | null = null;
  #isSending = false;

  /** `send` passes whole lines on, and calls `sent` when they have left. */
  constructor(tap: LogTap, filter: LogFilter, send: (lines: string, sent: () => void) => void) {
    this.#send = send;
    this.#unfollow = tap.follow(filter, (line) => {
      this.#buffer.push(line);
      if (!this.#isSending) this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS).unref();
    });
  }

  stop(): void {
    this.#unfollow();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #flush(): void {
    this.#timer = null;
    const lines = this.#buffer.take();
    if (lines === '') return;
    this.#isSending = true;
    this.#send(lines, () => {
      this.#isSending = false;
      this.#flush();
    });
  }
}
