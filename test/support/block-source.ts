import type { BodySink, BodySource } from '../../src/http/message.ts';

/** A body whose blocks a test sends one by one. It records whether its reader has paused it, and how often it was cancelled. */
export class BlockSource implements BodySource {
  readonly #started: Promise<BodySink>;
  #onStart: (sink: BodySink) => void = () => {};
  #wake: (() => void)[] = [];
  cancelled = 0;
  paused = false;

  constructor() {
    this.#started = new Promise((resolve) => {
      this.#onStart = resolve;
    });
  }

  /** Takes the blocks. Resolves once a reader has started the body. */
  get sink(): Promise<BodySink> {
    return this.#started;
  }

  start(sink: BodySink): void {
    this.#onStart(sink);
  }

  pause(): void {
    this.paused = true;
    this.#changed();
  }

  resume(): void {
    this.paused = false;
    this.#changed();
  }

  cancel(): void {
    this.cancelled += 1;
    this.#changed();
  }

  /** Waits until calls of pause, resume or cancel have made `condition` true. */
  async until(condition: (source: BlockSource) => boolean): Promise<void> {
    while (!condition(this)) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
