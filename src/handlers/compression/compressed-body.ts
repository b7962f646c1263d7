import { ViaductError } from '../../errors.ts';
import { contentMemory } from '../../http/buffering/content-memory.ts';
import type { BodySink, BodySource } from '../../http/message.ts';
import type { Codec, Compressor } from './codings.ts';

/** The source pauses when more bytes than this wait for the compressor. */
const WAITING_BYTES_MAX = 65_536;

export interface CompressedBodyOptions {
  readonly codec: Codec;
  /** Whether to flush each block, so that it reaches the client without the next block. */
  readonly flushes: boolean;
  /** The length that the source announced, or -1. With fewer or more bytes the body fails, because the compressed length cannot show the error. */
  readonly length: number;
}

/**
 * Compresses the blocks of a source. It holds only a few blocks: if the client does not read, the compressor fills up, and then the source pauses. Compressor and
 * source are freed when one of them fails and when the client leaves.
 */
export class CompressedBody implements BodySource, BodySink {
  readonly #source: BodySource;
  readonly #options: CompressedBodyOptions;
  #compressor: Compressor | null = null;
  #sink: BodySink | null = null;
  #state: 'open' | 'ending' | 'over' = 'open';
  #bytes = 0;
  #sourcePaused = false;
  /** Whether the compressor has received bytes since the last flush. */
  #unflushed = false;

  constructor(source: BodySource, options: CompressedBodyOptions) {
    this.#source = source;
    this.#options = options;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    try {
      this.#compressor = this.#options.codec.createCompressor();
    } catch (error) {
      this.#abort(error as Error);
      return;
    }
    contentMemory.hold(this.#options.codec.memoryBytes);
    this.#compressor.on('data', (block: Buffer) => sink.write(block));
    this.#compressor.on('end', () => this.#complete());
    this.#compressor.on('error', (error) => this.#abort(error));
    this.#source.start(this);
  }

  pause(): void {
    this.#compressor?.pause();
  }

  resume(): void {
    this.#compressor?.resume();
  }

  cancel(): void {
    if (this.#state === 'over') return;
    if (this.#state === 'open') this.#source.cancel();
    this.#close();
  }

  /** Called by the source. */
  write(block: Uint8Array): void {
    const compressor = this.#compressor;
    if (this.#state !== 'open' || compressor === null || block.length === 0) return;
    const { length } = this.#options;
    this.#bytes += block.length;
    if (length >= 0 && this.#bytes > length) {
      this.#abort(wrongLength(length, 'more'));
      return;
    }
    this.#unflushed = true;
    compressor.write(block, this.#onTaken);
    if (compressor.writableLength <= WAITING_BYTES_MAX || this.#sourcePaused) return;
    this.#sourcePaused = true;
    this.#source.pause();
  }

  /** Called by the source. */
  end(): void {
    if (this.#state !== 'open') return;
    const { length } = this.#options;
    if (this.#bytes < length) {
      this.#fail(wrongLength(length, `only ${this.#bytes}`));
      return;
    }
    this.#state = 'ending';
    this.#compressor?.end();
  }

  /** Called by the source. */
  fail(error: Error): void {
    if (this.#state === 'open') this.#fail(error);
  }

  /** The compressor took a block. If it has no more work, a flush makes it emit the rest. */
  readonly #onTaken = (error?: Error | null): void => {
    const compressor = this.#compressor as Compressor;
    if (this.#state !== 'open' || (error !== null && error !== undefined)) return;
    if (this.#sourcePaused && compressor.writableLength <= WAITING_BYTES_MAX / 2) {
      this.#sourcePaused = false;
      this.#source.resume();
    }
    if (!this.#options.flushes || !this.#unflushed || compressor.writableLength > 0 || !this.#isOpen()) return;
    this.#unflushed = false;
    compressor.flush(this.#options.codec.flushKind);
  };

  #complete(): void {
    if (this.#state === 'over') return;
    this.#close();
    this.#sink?.end();
  }

  /** Fails because of an error that the source does not know. */
  #abort(error: Error): void {
    if (this.#state === 'open') this.#source.cancel();
    this.#fail(error);
  }

  #fail(error: Error): void {
    if (this.#state === 'over') return;
    this.#close();
    this.#sink?.fail(error);
  }

  #close(): void {
    this.#state = 'over';
    if (this.#compressor === null) return;
    contentMemory.release(this.#options.codec.memoryBytes);
    this.#compressor.destroy();
  }

  /** A method instead of a comparison, because the source may end or fail inside `resume`. */
  #isOpen(): boolean {
    return this.#state === 'open';
  }
}

function wrongLength(length: number, bytes: string): ViaductError {
  return new ViaductError(
    'RESPONSE_INVALID',
    `Cannot complete a response: its Content-Length is ${length}, but ${bytes} bytes came`,
  );
}
