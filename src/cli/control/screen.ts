import type { ReadStream } from 'node:tty';

/** The other screen of a terminal (xterm's 1049), without the cursor; and back. */
const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
const CLEAR_REST = '\x1b[J';
/** What a keyboard sends for q, Q, Ctrl-C and Ctrl-D. */
const END_KEYS = ['q', 'Q', '\x03', '\x04'];
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The screen of a terminal while a command has all of it. However the command ends, the terminal is as before. */
export class Screen {
  readonly #input: ReadStream;
  readonly #output: NodeJS.WriteStream;
  #isOpen = false;
  #leave: () => void = () => {};

  constructor(input: ReadStream, output: NodeJS.WriteStream) {
    this.#input = input;
    this.#output = output;
  }

  /** Takes the screen. `left` resolves when a person or a signal wants the end. `onResize` is called when the size has changed. */
  enter(onResize: () => void): { readonly left: Promise<void> } {
    const left = new Promise<void>((resolve) => {
      const onKey = (keys: Buffer): void => {
        const typed = keys.toString('latin1');
        if (END_KEYS.some((key) => typed.includes(key))) resolve();
      };
      const onExit = (): void => this.leave();
      for (const signal of SIGNALS) process.on(signal, resolve);
      process.on('exit', onExit); // an error that nobody caught
      this.#output.on('resize', onResize);
      this.#output.on('error', () => resolve()); // the terminal was closed
      if (this.#input.isTTY === true) {
        this.#input.setRawMode(true);
        this.#input.on('data', onKey);
        this.#input.resume();
      }
      this.#leave = () => {
        for (const signal of SIGNALS) process.off(signal, resolve);
        process.off('exit', onExit);
        this.#output.off('resize', onResize);
        if (this.#input.isTTY !== true) return;
        this.#input.off('data', onKey);
        this.#input.setRawMode(false);
        this.#input.pause();
      };
    });
    this.#isOpen = true;
    this.#output.write(ENTER);
    return { left };
  }

  /** Replaces what the screen shows, without a flicker: each line is written over. */
  show(text: string): void {
    if (!this.#isOpen) return;
    const lines = text.trimEnd().split('\n');
    this.#output.write(`${HOME}${lines.map((line) => `${line}${CLEAR_LINE}`).join('\r\n')}${CLEAR_REST}`);
  }

  /** Gives the screen back. */
  leave(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#leave();
    this.#output.write(LEAVE);
  }
}
