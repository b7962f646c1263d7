import type { DatagramProcess, OnSent } from './datagram-process.ts';
import type { Losses } from './losses.ts';

/** So many bytes of a log are on their way. */
const WAITING_BYTES_MAX = 1024 * 1024;

/** Sends the messages of one log as datagrams to a Unix socket. What the socket does not take in time is lost and counted. */
export class Datagrams {
  readonly #process: DatagramProcess;
  readonly #losses: Losses;
  readonly #onSent: OnSent;
  #waitingBytes = 0;

  constructor(process: DatagramProcess, losses: Losses) {
    this.#process = process;
    this.#losses = losses;
    this.#onSent = (bytes, reason) => {
      this.#waitingBytes -= bytes;
      if (reason !== '') losses.lose(reason);
      else if (this.#waitingBytes < WAITING_BYTES_MAX / 2) losses.recover();
    };
  }

  send(message: Buffer): void {
    if (this.#waitingBytes + message.length > WAITING_BYTES_MAX) {
      this.#losses.lose('it is slower than the log');
      return;
    }
    this.#waitingBytes += message.length;
    this.#process.send(message, this.#onSent);
  }

  flush(): Promise<void> {
    return this.#process.flush();
  }
}
