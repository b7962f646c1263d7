import { ViaductError } from '../../errors.ts';
import type { BodySink, BodySource } from '../message.ts';
import { RequestBodyError } from '../refusal.ts';
import type { BodyFraming, BodySender, ResponseChannel } from '../response-channel.ts';
import { lastChunk } from '../semantics/trailers.ts';

/**
 * Sends the blocks that a source pushes, and pauses the source when the client does not read. It never sends more than the declared
 * length. If the source ends early or fails, it breaks off the connection, so that the client does not take the part for the whole.
 */
export class StreamSender implements BodySender, BodySink {
  readonly #channel: ResponseChannel;
  readonly #source: BodySource;
  readonly #framing: BodyFraming;
  readonly #chunked: boolean;
  /** Bytes of a declared length still to come; -1 without one. */
  #left: number;
  #state: 'flowing' | 'paused' | 'over' = 'flowing';
  /** The head, until it was sent together with the first block; then ''. */
  #head: string;
  #corked = false;

  constructor(channel: ResponseChannel, source: BodySource, framing: BodyFraming, length: number, head: string) {
    this.#channel = channel;
    this.#source = source;
    this.#framing = framing;
    this.#chunked = framing === 'chunked';
    this.#left = framing === 'length' ? length : -1;
    this.#head = head;
  }

  /** Starts the source. Blocks that it pushes at once are sent together with the head. */
  start(): void {
    const { socket } = this.#channel;
    socket.cork();
    this.#source.start(this);
    if (this.#state !== 'over') this.#sendHead();
    socket.uncork();
  }

  write(block: Uint8Array, onReleased?: () => void): void {
    if (this.#state === 'over' || block.length === 0) return;
    const excess = this.#left >= 0 && block.length > this.#left;
    const part = excess ? block.subarray(0, this.#left) : block;
    if (this.#left >= 0) this.#left -= part.length;
    if (part.length > 0) this.#send(part, onReleased);
    if (!excess || this.#isOver()) return;
    this.#channel.report(excessError());
    this.cancel();
    this.#complete();
  }

  end(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    if (this.#left > 0) {
      this.#channel.report(shortageError(this.#left));
      this.#sendHead();
      this.#channel.breakOff('length');
      return;
    }
    this.#complete();
  }

  fail(error: Error): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    if (!(error instanceof RequestBodyError)) this.#channel.report(error); // the client's error was reported already
    if (this.#head === '') this.#channel.breakOff(this.#framing);
    else this.#channel.failUnsent();
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

  #send(block: Uint8Array, onReleased?: () => void): void {
    const { socket } = this.#channel;
    if (!this.#corked) {
      this.#corked = true;
      socket.cork();
      process.nextTick(uncork, this);
    }
    this.#sendHead();
    let more: boolean;
    if (this.#chunked) {
      socket.write(`${block.length.toString(16)}\r\n`, 'latin1');
      socket.write(block, onReleased);
      more = socket.write('\r\n', 'latin1');
    } else more = socket.write(block, onReleased);
    this.#channel.sent(block.length, more);
    if (more || this.#state !== 'flowing') return;
    this.#state = 'paused';
    this.#source.pause();
  }

  /** Ends what `#send` corked: blocks that arrive together are sent together. */
  uncork(): void {
    this.#corked = false;
    this.#channel.socket.uncork();
  }

  #sendHead(): void {
    if (this.#head === '') return;
    this.#channel.socket.write(this.#head, 'latin1');
    this.#head = '';
  }

  #complete(): void {
    this.#sendHead();
    if (this.#chunked) this.#channel.socket.write(lastChunk(this.#source.trailers), 'latin1');
    this.#channel.complete();
  }

  /** A method, so that TypeScript does not assume the earlier state: the source may end or cancel during `#send`. */
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
