import { ViaductError } from '../../errors.ts';
import type { BodySink, BodySource } from '../../http/message.ts';
import type { Codec, Compressor } from './codings.ts';

/** Of what the compressor has not taken yet, this much may wait before the source does. */
const WAITING_BYTES_MAX = 65_536;

export interface CompressedBodyOptions {
  readonly codec: Codec;
  /** Whether each block reaches the client although the next may be long in coming. */
  readonly flushes: boolean;
  /** Bytes that the source announced, -1 when it did not: fewer or more make the body fail, which the length itself shows no longer. */
  readonly length: number;
}

/**
 * What a source pushes, compressed. Holds no more than a few blocks: when the client does not read, the compressor fills up, and then the
 * source waits. Compressor and source are freed when either fails and when the client goes.
 */
export class CompressedBody implements BodySource, BodySink {
  readonly #source: BodySource;
  readonly #options: CompressedBodyOptions;
  #compressor: Compressor | null = null;
  #sink: BodySink | null = null;
  #state: 'open' | 'ending' | 'over' = 'open';
  #bytes = 0;
  #sourceWaits = false;
  /** Something went into the compressor since the last flush. */
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
      this.#break(error as Error);
      return;
    }
    this.#compressor.on('data', (block: Buffer) => sink.write(block));
    this.#compressor.on('end', () => this.#complete());
    this.#compressor.on('error', (error) => this.#break(error));
    this.#source.start(this);
  }

  pause(): void {
    this.#compressor?.pause();
  }

  resume(): void {
    this.#compressor?.resume();
  }

  cancel(): void {
    if (this.#state === 'open') this.#source.cancel();
    this.#state = 'over';
    this.#compressor?.destroy();
  }

  /** From the source. */
  write(block: Uint8Array): void {
    const compressor = this.#compressor;
    if (this.#state !== 'open' || compressor === null || block.length === 0) return;
    const { length } = this.#options;
    this.#bytes += block.length;
    if (length >= 0 && this.#bytes > length) {
      this.#break(wrongLength(length, 'more'));
      return;
    }
    this.#unflushed = true;
    compressor.write(block, this.#onTaken);
    if (compressor.writableLength <= WAITING_BYTES_MAX || this.#sourceWaits) return;
    this.#sourceWaits = true;
    this.#source.pause();
  }

  /** From the source. */
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

  /** From the source. */
  fail(error: Error): void {
    if (this.#state === 'open') this.#fail(error);
  }

  /** The compressor took a block; when it has nothing to do now, it gives out what it still holds. */
  readonly #onTaken = (error?: Error | null): void => {
    const compressor = this.#compressor as Compressor;
    if (this.#state !== 'open' || (error !== null && error !== undefined)) return;
    if (this.#sourceWaits && compressor.writableLength <= WAITING_BYTES_MAX / 2) {
      this.#sourceWaits = false;
      this.#source.resume();
    }
    if (!this.#options.flushes || !this.#unflushed || compressor.writableLength > 0 || !this.#isOpen()) return;
    this.#unflushed = false;
    compressor.flush(this.#options.codec.flushKind);
  };

  #complete(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#sink?.end();
  }

  /** Fails for a reason that the source does not know. */
  #break(error: Error): void {
    if (this.#state === 'open') this.#source.cancel();
    this.#fail(error);
  }

  #fail(error: Error): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#compressor?.destroy();
    this.#sink?.fail(error);
  }

  /** A method, because the source may end or fail while it is told to resume. */
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
