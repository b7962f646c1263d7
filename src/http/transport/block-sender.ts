import type { BodySender, Exchange } from '../response-channel.ts';

/** A client that takes so much within the write timeout is alive. */
const PIECE_BYTES = 256 * 1024;

/** Sends a body that is in memory piece by piece, so that it shows whether the client reads. */
export class BlockSender implements BodySender {
  readonly #exchange: Exchange;
  readonly #body: Uint8Array;
  readonly #whole: boolean;
  #at = 0;

  /** With `whole` false the body is shorter than its head says: the connection breaks off behind it. */
  constructor(exchange: Exchange, body: Uint8Array, whole: boolean) {
    this.#exchange = exchange;
    this.#body = body;
    this.#whole = whole;
  }

  start(head: string): void {
    const { socket } = this.#exchange;
    socket.cork();
    socket.write(head, 'latin1');
    this.onDrain();
    socket.uncork();
  }

  onDrain(): void {
    const { socket } = this.#exchange;
    let more = true;
    while (more && this.#at < this.#body.length) {
      const piece = this.#body.subarray(this.#at, this.#at + PIECE_BYTES);
      this.#at += piece.length;
      more = socket.write(piece);
      this.#exchange.sent(piece.length, more);
    }
    if (this.#at < this.#body.length) return;
    if (this.#whole) this.#exchange.complete();
    else this.#exchange.breakOff('length');
  }

  cancel(): void {
    this.#at = this.#body.length;
  }
}
