import type { OutputEvents } from './direct-writer.ts';
import type { LostLines } from './lost-lines.ts';

/** What a log loses on its way to another program, and what is reported of it: the first failure, and the end of it. */
export class Losses {
  /** Null: nobody wants to know. */
  events: OutputEvents | null = null;
  readonly #lost: LostLines;
  /** How many were lost before the failure. */
  #before = 0;
  /** Why the other program takes nothing; '' while it does. */
  #reason = '';

  constructor(lost: LostLines) {
    this.#lost = lost;
  }

  /** Messages are lost. */
  lose(reason: string, messages = 1): void {
    this.fail(reason);
    this.#lost.lines += messages;
  }

  /** The other program takes nothing. What waits for it is not lost yet. */
  fail(reason: string): void {
    const isFirst = this.#reason === '';
    this.#reason = reason;
    if (!isFirst) return;
    this.#before = this.#lost.lines;
    this.events?.onFailed(reason);
  }

  /** The other program has taken a message. */
  recover(): void {
    if (this.#reason === '') return;
    const reason = this.#reason;
    this.#reason = '';
    this.events?.onRecovered(this.#lost.lines - this.#before, reason);
  }
}
