import { read } from 'node:fs';
import type { Socket } from 'node:net';
import type { BodySink, BodySource, FileBody } from './message.ts';

/** Sends the body of one response, as fast as the client takes it. */
export interface Sender {
  /** The socket has room again. */
  drained(): void;
  /** The client is gone: lets go of everything. */
  cancel(): void;
}

/** How a body ended: all of it is with the socket, or it broke off and the connection must not live. */
export type SenderEnd = (bytes: number, error: Error | null) => void;

/** Writes `bytes` in slices, so that a slow client is seen to make progress. */
export class BytesSender implements Sender {
  readonly #socket: Socket;
  readonly #bytes: Uint8Array;
  readonly #onEnd: SenderEnd;
  #sent = 0;

  constructor(socket: Socket, bytes: Uint8Array, onEnd: SenderEnd) {
    this.#socket = socket;
    this.#bytes = bytes;
    this.#onEnd = onEnd;
  }

  start(): void {
    this.drained();
  }

  drained(): void {
    const { length } = this.#bytes;
    while (this.#sent < length) {
      const slice = this.#bytes.subarray(this.#sent, this.#sent + SLICE_BYTES);
      this.#sent += slice.length;
      if (!this.#socket.write(slice) && this.#sent < length) return;
    }
    this.#onEnd(length, null);
  }

  cancel(): void {}
}

/** Reads a file in blocks, each only when the socket has taken the one before. */
export class FileSender implements Sender {
  readonly #socket: Socket;
  readonly #file: FileBody;
  readonly #onEnd: SenderEnd;
  #position: number;
  readonly #stop: number;
  #buffer: Buffer | null = null;
  #state: 'idle' | 'reading' | 'over' = 'idle';

  /** Sends at most `length` bytes; when the file has fewer, the response breaks off. */
  constructor(socket: Socket, file: FileBody, length: number, onEnd: SenderEnd) {
    this.#socket = socket;
    this.#file = file;
    this.#position = file.start;
    this.#stop = file.start + length;
    this.#onEnd = onEnd;
  }

  /** Each block waits for the one before by itself. */
  drained(): void {}

  start(): void {
    this.#next();
  }

  /** Reads and writes the next block. */
  #next(): void {
    const wanted = Math.min(SLICE_BYTES, this.#stop - this.#position);
    if (wanted === 0) {
      this.#end(null);
      return;
    }
    this.#state = 'reading';
    this.#buffer ??= spareBuffers.pop() ?? Buffer.allocUnsafeSlow(SLICE_BYTES);
    read(this.#file.fd, this.#buffer, 0, wanted, this.#position, (error, length) => this.#wasRead(error, length));
  }

  cancel(): void {
    if (this.#state === 'reading') this.#state = 'over';
    else if (this.#state === 'idle') this.#release();
  }

  #wasRead(error: Error | null, length: number): void {
    if (this.#state === 'over') {
      this.#release();
      return;
    }
    this.#state = 'idle';
    if (error !== null || length === 0) {
      this.#end(error ?? new Error('Cannot send a file: it became shorter meanwhile'));
      return;
    }
    this.#position += length;
    const block = (this.#buffer as Buffer).subarray(0, length);
    this.#socket.write(block, (failed) => this.#written(failed));
  }

  /** The kernel has the block, so the buffer is free. */
  #written(failed: Error | null | undefined): void {
    if (this.#state === 'idle' && !failed) this.#next();
  }

  #end(error: Error | null): void {
    const sent = this.#position - this.#file.start;
    this.#release();
    this.#onEnd(sent, error);
  }

  #release(): void {
    this.#state = 'over';
    if (this.#buffer !== null && spareBuffers.length < SPARE_BUFFERS_MAX) spareBuffers.push(this.#buffer);
    this.#buffer = null;
    this.#file.release();
  }
}

/** Passes a stream of blocks on, framed as chunks when `chunked` (RFC 9112 section 7.1), at most `lengthMax` bytes of it. */
export class StreamSender implements Sender, BodySink {
  readonly #socket: Socket;
  readonly #source: BodySource;
  readonly #chunked: boolean;
  readonly #length: number;
  readonly #onEnd: SenderEnd;
  #sent = 0;
  #state: 'open' | 'over' = 'open';

  /** `length` is the declared Content-Length, or -1. */
  constructor(socket: Socket, source: BodySource, chunked: boolean, length: number, onEnd: SenderEnd) {
    this.#socket = socket;
    this.#source = source;
    this.#chunked = chunked;
    this.#length = length;
    this.#onEnd = onEnd;
  }

  drained(): void {
    if (this.#state === 'open') this.#source.resume();
  }

  cancel(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#source.cancel();
  }

  write(block: Uint8Array): void {
    if (this.#state === 'over' || block.length === 0) return;
    let part = block;
    if (this.#length >= 0 && this.#sent + block.length > this.#length) {
      part = block.subarray(0, this.#length - this.#sent);
      if (part.length === 0) return;
    }
    this.#sent += part.length;
    if (!this.#put(part)) this.#source.pause();
  }

  end(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    if (this.#chunked) this.#socket.write('0\r\n\r\n', 'latin1');
    const short = this.#sent < this.#length;
    this.#onEnd(
      this.#sent,
      short ? new Error(`Cannot complete a response: ${this.#sent} of ${this.#length} bytes came`) : null,
    );
  }

  fail(error: Error): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#onEnd(this.#sent, error);
  }

  #put(block: Uint8Array): boolean {
    const socket = this.#socket;
    if (!this.#chunked) return socket.write(block);
    const size = `${block.length.toString(16)}\r\n`;
    if (block.length <= COPY_BYTES_MAX) {
      const chunk = Buffer.allocUnsafe(size.length + block.length + 2);
      chunk.write(size, 0, 'latin1');
      chunk.set(block, size.length);
      chunk.write('\r\n', size.length + block.length, 'latin1');
      return socket.write(chunk);
    }
    socket.cork();
    socket.write(size, 'latin1');
    socket.write(block);
    const room = socket.write('\r\n', 'latin1');
    socket.uncork();
    return room;
  }
}

const SLICE_BYTES = 262_144;
/** Blocks up to this are copied to be written with their framing at once. */
const COPY_BYTES_MAX = 16_384;
/** Buffers for reading files that are kept for the next file. */
const SPARE_BUFFERS_MAX = 16;
const spareBuffers: Buffer[] = [];
