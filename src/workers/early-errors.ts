import type { ChildProcess } from 'node:child_process';

const HELD_BYTES_MAX = 65_536;

/**
 * What an interpreter writes to a pipe, its standard error, before it takes signals. Ctrl-C ends one that is still starting with a traceback,
 * which nobody wants to see in the terminal. So the text is held until the interpreter takes signals, or has ended of something else.
 */
export class EarlyErrors {
  readonly #held: Buffer[] = [];
  #heldBytes = 0;
  #isShown = false;

  constructor(child: ChildProcess) {
    child.stderr?.on('data', (block: Buffer) => this.#take(block));
    child.once('close', (_code, signal) => {
      if (signal !== 'SIGINT') this.show();
    });
  }

  /** Writes what was held to the standard error of this process, and what follows at once. */
  show(): void {
    this.#isShown = true;
    if (this.#heldBytes > 0) process.stderr.write(Buffer.concat(this.#held.splice(0)));
    this.#heldBytes = 0;
  }

  #take(block: Buffer): void {
    this.#held.push(block);
    this.#heldBytes += block.length;
    if (this.#isShown || this.#heldBytes > HELD_BYTES_MAX) this.show();
  }
}
