import type { BodySink, BodySource } from '../http/message.ts';

/** The content of a response, as an application produces it block by block. */
export class ResponseStream implements BodySource {
  readonly #onCancel: () => void;
  #sink: BodySink | null = null;
  #state: 'new' | 'flowing' | 'paused' | 'cancelled' | 'over' = 'new';
  /** Blocks that the sink has not taken yet. */
  #waiting: Uint8Array[] = [];
  #outcome: 'open' | 'ended' | Error = 'open';
  #whenReady: (() => void)[] = [];

  constructor(onCancel: () => void) {
    this.#onCancel = onCancel;
  }

  push(block: Uint8Array): void {
    if (this.#state === 'flowing') this.#sink?.write(block);
    else if (this.#state !== 'cancelled') this.#waiting.push(block);
  }

  end(): void {
    if (this.#outcome === 'open') this.#outcome = 'ended';
    this.#pass();
  }

  /** The content will not be complete. */
  fail(error: Error): void {
    if (this.#outcome === 'open') this.#outcome = error;
    this.#pass();
  }

  /** Resolves when the earlier blocks were sent and there is room for another, never within the same turn of the event loop. */
  ready(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(() => {
        if (this.#state === 'new' || this.#state === 'paused') this.#whenReady.push(resolve);
        else resolve();
      });
    });
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    this.#state = 'flowing';
    this.#pass();
  }

  pause(): void {
    if (this.#state === 'flowing') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'flowing';
    this.#pass();
  }

  cancel(): void {
    if (this.#state === 'cancelled' || this.#state === 'over') return;
    this.#state = 'cancelled';
    this.#waiting = [];
    this.#wake();
    this.#onCancel();
  }

  #pass(): void {
    while (this.#flows()) {
      const block = this.#waiting.shift();
      if (block === undefined) break;
      this.#sink?.write(block);
    }
    if (!this.#flows()) return;
    this.#wake();
    if (this.#outcome === 'open') return;
    this.#state = 'over';
    if (this.#outcome === 'ended') this.#sink?.end();
    else this.#sink?.fail(this.#outcome);
  }

  /** A method, because the sink may pause or cancel while it is written to. */
  #flows(): boolean {
    return this.#state === 'flowing';
  }

  #wake(): void {
    const waiting = this.#whenReady;
    this.#whenReady = [];
    for (const resolve of waiting) resolve();
  }
}
