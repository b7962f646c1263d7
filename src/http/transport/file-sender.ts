import { read } from 'node:fs';
import { ViaductError } from '../../errors.ts';
import type { FileBody } from '../message.ts';
import type { BodySender, ResponseChannel } from '../response-channel.ts';
import { FileBlocks } from './file-blocks.ts';

/** Any client can take this much within the write timeout. */
const STEP_BYTES_MIN = 64 * 1024;
/** A client that takes longer for a step gets shorter steps. */
const QUICK_MS = 1000;

/** Sends a part of a file: reads the next block when the socket has taken the previous one. It calls `release` exactly once. */
export class FileSender implements BodySender {
  readonly #channel: ResponseChannel;
  readonly #file: FileBody;
  readonly #whole: boolean;
  readonly #end: number;
  #at: number;
  #head: string;
  #block: Buffer | null = null;
  /** Bytes of the next read: more while the client is quick. Small steps show that a slow client is alive; large steps cost less. */
  #step = STEP_BYTES_MIN;
  #wroteAtMs = 0;
  #state: 'reading' | 'writing' | 'over' = 'writing';

  /** `end` is the position in the file at which to stop. `whole` is false if the head declares more: the connection then breaks off. */
  constructor(channel: ResponseChannel, file: FileBody, end: number, whole: boolean, head: string) {
    this.#channel = channel;
    this.#file = file;
    this.#end = end;
    this.#whole = whole;
    this.#at = file.start;
    this.#head = head;
  }

  start(): void {
    if (this.#at < this.#end) this.#read();
    else {
      this.#channel.socket.write(this.#head, 'latin1');
      this.#finish();
    }
  }

  onDrain(): void {
    // The callback of the write is used instead, because it also shows which block is free.
  }

  cancel(): void {
    if (this.#state === 'over') return;
    const reading = this.#state === 'reading';
    this.#state = 'over';
    if (!reading) this.#release();
  }

  #read(): void {
    const wanted = this.#end - this.#at;
    this.#block ??= FileBlocks.take(wanted);
    this.#state = 'reading';
    read(this.#file.fd, this.#block, 0, Math.min(this.#block.length, this.#step, wanted), this.#at, this.#onRead);
  }

  readonly #onRead = (error: Error | null, bytes: number): void => {
    if (this.#state === 'over') {
      this.#release();
      return;
    }
    if (error !== null || bytes === 0) {
      this.#breakOff(error ?? shortFile(this.#end - this.#at));
      return;
    }
    const { socket } = this.#channel;
    const block = this.#block as Buffer;
    this.#state = 'writing';
    this.#at += bytes;
    this.#wroteAtMs = performance.now();
    socket.cork();
    if (this.#head !== '') socket.write(this.#head, 'latin1');
    this.#head = '';
    const more = socket.write(bytes === block.length ? block : block.subarray(0, bytes), this.#onWritten);
    this.#channel.sent(bytes, more);
    socket.uncork();
  };

  readonly #onWritten = (error?: Error | null): void => {
    if (this.#state === 'over' || (error !== null && error !== undefined)) return;
    const quick = performance.now() - this.#wroteAtMs < QUICK_MS;
    this.#step = quick ? 2 * this.#step : STEP_BYTES_MIN;
    if (this.#at < this.#end) this.#read();
    else this.#finish();
  };

  #finish(): void {
    this.#state = 'over';
    this.#release();
    if (this.#whole) this.#channel.complete();
    else this.#channel.breakOff('length');
  }

  #breakOff(error: Error): void {
    this.#state = 'over';
    this.#release();
    this.#channel.report(error);
    if (this.#head === '') this.#channel.breakOff('length');
    else this.#channel.failUnsent();
  }

  #release(): void {
    if (this.#block !== null) FileBlocks.giveBack(this.#block);
    this.#block = null;
    this.#file.release();
  }
}

function shortFile(bytes: number): ViaductError {
  return new ViaductError('RESPONSE_INVALID', `Cannot complete a response: its file ended ${bytes} bytes early`);
}
