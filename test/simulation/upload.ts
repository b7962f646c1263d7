import type { BodySink, RequestBody } from '../../src/http/message.ts';
import type { Machine } from './machine.ts';
import { pattern } from './pattern.ts';

/** Clients share one buffer, as a connection does: a block is valid only during the call. */
const SHARED = Buffer.alloc(65536);

/** The content of a request, which its client sends in blocks, at its own speed, and perhaps not to the end. */
export class Upload implements RequestBody {
  /** The announced length; -1 for chunked content. */
  readonly length: number;
  readonly trailers = [];
  state: 'new' | 'flowing' | 'paused' | 'over' = 'new';
  readonly #machine: Machine;
  readonly #token: number;
  readonly #size: number;
  readonly #blockMax: number;
  #sink: BodySink | null = null;
  #sent = 0;
  #scheduled = false;

  constructor(machine: Machine, token: number, size: number) {
    const { random } = machine;
    this.#machine = machine;
    this.#token = token;
    this.#size = size;
    this.length = random.chance(0.5) ? size : -1;
    this.#blockMax = Math.ceil(random.magnitude(1, SHARED.length));
    if (this.#blockMax * 50 < size) this.#blockMax = Math.min(SHARED.length, Math.ceil(size / 50));
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    this.state = 'flowing';
    this.#continue();
  }

  pause(): void {
    if (this.state === 'flowing') this.state = 'paused';
  }

  resume(): void {
    if (this.state !== 'paused') return;
    this.state = 'flowing';
    this.#continue();
  }

  cancel(): void {
    this.state = 'over';
  }

  /** The client has left, was too slow, or sent what is not HTTP. */
  breakOff(): void {
    if (this.state === 'over') return;
    this.state = 'over';
    this.#sink?.fail(new Error('the content broke off'));
  }

  #continue(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    const { schedule, server } = this.#machine;
    schedule.after(server, this.#machine.delay(), 'content', () => {
      this.#scheduled = false;
      if (this.state === 'flowing') this.#send();
    });
  }

  #send(): void {
    const length = Math.min(this.#size - this.#sent, this.#machine.random.integer(1, this.#blockMax));
    if (length === 0) {
      this.state = 'over';
      this.#sink?.end();
      return;
    }
    const block = SHARED.subarray(0, length);
    pattern(this.#token, this.#sent, length).copy(block);
    this.#sent += length;
    this.#sink?.write(block);
    block.fill(0xee);
    this.#continue();
  }
}
