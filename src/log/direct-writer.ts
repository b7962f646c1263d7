import { writeSync } from 'node:fs';
import type { LostLines } from './lost-lines.ts';

/** What happens to the lines of an output. */
export interface OutputEvents {
  /** The output takes no lines any more, for `reason`. Called once, until it takes lines again. */
  readonly onFailed: (reason: string) => void;
  /** The output takes lines again; `lines` were lost. */
  readonly onRecovered: (lines: number, reason: string) => void;
}

const NEWLINE = 10;

/**
 * Writes lines to a file at once. A failure, such as a full disk, is not an error of the server: lines that the file does not take are lost and
 * counted, and the next line after a torn one starts on a line of its own.
 */
export class DirectWriter {
  /** Null: nobody wants to know. */
  events: OutputEvents | null = null;
  readonly #count: LostLines;
  /** Whether the file ends in the middle of a line. */
  #torn = false;
  #lost = 0;
  #reason = '';

  constructor(count: LostLines) {
    this.#count = count;
  }

  write(fd: number, text: string): void {
    const bytes = Buffer.from(this.#torn ? `\n${text}` : text);
    let at = 0;
    try {
      while (at < bytes.length) at += writeSync(fd, bytes, at);
    } catch (error) {
      this.#fail(bytes, at, error as Error);
      return;
    }
    this.#torn = false;
    this.#recover();
  }

  /** The next line goes to another file. */
  restart(): void {
    this.#torn = false;
  }

  #fail(bytes: Buffer, written: number, { message }: Error): void {
    if (written > 0) this.#torn = bytes[written - 1] !== NEWLINE;
    const isFirst = this.#lost === 0;
    let lines = 0;
    for (let i = written; i < bytes.length; i += 1) if (bytes[i] === NEWLINE) lines += 1;
    this.#lost += lines;
    this.#count.lines += lines;
    this.#reason = message;
    if (isFirst) this.events?.onFailed(message);
  }

  #recover(): void {
    const lost = this.#lost;
    this.#lost = 0;
    if (lost > 0) this.events?.onRecovered(lost, this.#reason);
  }
}
