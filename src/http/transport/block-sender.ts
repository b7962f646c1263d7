import type { BodySender, ResponseChannel } from '../response-channel.ts';

/** A client that takes this much within the write timeout is alive. */
const PIECE_BYTES = 256 * 1024;

/** Sends a body from memory piece by piece: each piece shows whether the client still reads. */
export class BlockSender implements BodySender {
  readonly #channel: ResponseChannel;
  readonly #body: Uint8Array;
  readonly #whole: boolean;
  #at = 0;

  /** `whole` is false if the body is shorter than its head declares: the connection breaks off after such a body. */
  constructor(channel: ResponseChannel, body: Uint8Array, whole: boolean) {
    this.#channel = channel;
    this.#body = body;
    this.#whole = whole;
  }

  start(head: string): void {
    const { socket } = this.#channel;
    socket.cork();
    socket.write(head, 'latin1');
    this.onDrain();
    socket.uncork();
  }

  onDrain(): void {
    const { socket } = this.#channel;
    let more = true;
    while (more && this.#at < this.#body.length) {
      const piece = this.#body.subarray(this.#at, this.#at + PIECE_BYTES);
      this.#at += piece.length;
      more = socket.write(piece);
      this.#channel.sent(piece.length, more);
    }
    if (this.#at < this.#body.length) return;
    if (this.#whole) this.#channel.complete();
    else this.#channel.breakOff('length');
  }

  cancel(): void {
    this.#at = this.#body.length;
  }
}
