import type { BodySink, BodySource } from '../../src/http/message.ts';

/** A body whose blocks a test gives out one by one, and that tells what was asked of it. */
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

  /** Where the blocks go, as soon as somebody wants them. */
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

  /** Waits until pause, resume or cancel brought about what `condition` looks for. */
  async until(condition: (source: BlockSource) => boolean): Promise<void> {
    while (!condition(this)) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
