import { ViaductError } from '../../errors.ts';
import { lastChunk } from '../http1/trailers.ts';
import type { BodySink, BodySource } from '../message.ts';
import { RequestBodyError } from '../refusal.ts';
import type { BodyFraming, BodySender, Exchange } from '../response-channel.ts';

/**
 * Sends what a source pushes, and makes it wait when the client does not read. Never sends more than was declared; when less comes, or
 * the source fails, it breaks off, so that no client takes the part for the whole.
 */
export class StreamSender implements BodySender, BodySink {
  readonly #exchange: Exchange;
  readonly #source: BodySource;
  readonly #framing: BodyFraming;
  readonly #chunked: boolean;
  /** Bytes of a declared length still to come; -1 without one. */
  #left: number;
  #state: 'flowing' | 'paused' | 'over' = 'flowing';
  /** The head, until the first block gives it company. */
  #head: string;
  #corked = false;

  constructor(exchange: Exchange, source: BodySource, framing: BodyFraming, length: number, head: string) {
    this.#exchange = exchange;
    this.#source = source;
    this.#framing = framing;
    this.#chunked = framing === 'chunked';
    this.#left = framing === 'length' ? length : -1;
    this.#head = head;
  }

  /** Starts the source. What it pushes at once leaves together with the head. */
  start(): void {
    const { socket } = this.#exchange;
    socket.cork();
    this.#source.start(this);
    if (this.#state !== 'over') this.#sendHead();
    socket.uncork();
  }

  write(block: Uint8Array): void {
    if (this.#state === 'over' || block.length === 0) return;
    const excess = this.#left >= 0 && block.length > this.#left;
    const part = excess ? block.subarray(0, this.#left) : block;
    if (this.#left >= 0) this.#left -= part.length;
    if (part.length > 0) this.#send(part);
    if (!excess || this.#isOver()) return;
    this.#exchange.report(excessError());
    this.cancel();
    this.#complete();
  }

  end(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    if (this.#left > 0) {
      this.#exchange.report(shortageError(this.#left));
      this.#sendHead();
      this.#exchange.breakOff('length');
      return;
    }
    this.#complete();
  }

  fail(error: Error): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    if (!(error instanceof RequestBodyError)) this.#exchange.report(error); // the client's mistake, and no news
    if (this.#head === '') this.#exchange.breakOff(this.#framing);
    else this.#exchange.failUnsent();
  }

  onDrain(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'flowing';
    this.#source.resume();
  }

  cancel(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#source.cancel();
  }

  #send(block: Uint8Array): void {
    const { socket } = this.#exchange;
    if (!this.#corked) {
      this.#corked = true;
      socket.cork();
      process.nextTick(uncork, this);
    }
    this.#sendHead();
    let more: boolean;
    if (this.#chunked) {
      socket.write(`${block.length.toString(16)}\r\n`, 'latin1');
      socket.write(block);
      more = socket.write('\r\n', 'latin1');
    } else more = socket.write(block);
    this.#exchange.sent(block.length, more);
    if (more || this.#state !== 'flowing') return;
    this.#state = 'paused';
    this.#source.pause();
  }

  /** Blocks that came together leave together. */
  uncork(): void {
    this.#corked = false;
    this.#exchange.socket.uncork();
  }

  #sendHead(): void {
    if (this.#head === '') return;
    this.#exchange.socket.write(this.#head, 'latin1');
    this.#head = '';
  }

  #complete(): void {
    this.#sendHead();
    if (this.#chunked) this.#exchange.socket.write(lastChunk(this.#source.trailers), 'latin1');
    this.#exchange.complete();
  }

  /** A method, because the source may cancel or end while it is told to pause. */
  #isOver(): boolean {
    return this.#state === 'over';
  }
}

function uncork(sender: StreamSender): void {
  sender.uncork();
}

function excessError(): ViaductError {
  return new ViaductError('RESPONSE_INVALID', 'Cannot send all of a response: it is longer than its Content-Length');
}

function shortageError(bytes: number): ViaductError {
  return new ViaductError(
    'RESPONSE_INVALID',
    `Cannot complete a response: ${bytes} bytes of its Content-Length are missing`,
  );
}
