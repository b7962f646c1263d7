import type { BodySink, BodySource } from '../../http/message.ts';
import { FollowBuffer } from '../../log/follow-buffer.ts';

/** Starts to call `onLine` with lines of the logs. Returns a function that ends this. */
export type Follow = (onLine: (line: string) => void) => () => void;

/** Lines leave ten times a second. */
const FLUSH_MS = 100;

/** The content of an answer that never ends by itself: lines of the logs as they come. A slow client loses lines, and receives their number. */
export class LogFeed implements BodySource {
  readonly #follow: Follow;
  readonly #buffer = new FollowBuffer();
  #sink: BodySink | null = null;
  #stop: () => void = () => {};
  #isPaused = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(follow: Follow) {
    this.#follow = follow;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    this.#stop = this.#follow((line) => {
      this.#buffer.push(line);
      if (!this.#isPaused) this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS);
    });
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#flush();
  }

  cancel(): void {
    this.#stop();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#sink = null;
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const text = this.#isPaused ? '' : this.#buffer.take();
    if (text !== '') this.#sink?.write(Buffer.from(text));
  }
}
