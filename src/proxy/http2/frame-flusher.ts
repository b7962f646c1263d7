import type { Socket } from 'node:net';
import type { SessionOutput } from '../../http/http2/session-output.ts';

/**
 * Gives a socket the frames that a session has gathered. What one turn of the event loop produces leaves in one write.
 * Content waits until the backend's windows and the socket take it.
 */
export class FrameFlusher {
  readonly #output: SessionOutput;
  readonly #onSent: (bytes: number) => void;
  #socket: Socket | null = null;
  /** Whether a flush will follow anyway. */
  #held = false;
  #flushing = false;
  #scheduled = false;

  /** `onSent` is called with the number of bytes of each write. */
  constructor(output: SessionOutput, onSent: (bytes: number) => void) {
    this.#output = output;
    this.#onSent = onSent;
  }

  /** Starts to write to `socket`. */
  open(socket: Socket): void {
    this.#socket = socket;
    socket.on('drain', () => {
      this.#output.queue.blocked = false;
      this.flush();
    });
  }

  /** Writes what is left and closes the socket. */
  close(): void {
    const socket = this.#socket;
    if (socket === null) return;
    this.#write(socket);
    socket.destroySoon();
    this.#socket = null;
  }

  /** Keeps all frames until `flush`. */
  hold(): void {
    this.#held = true;
  }

  /** Writes the frames and as much of the content as possible. */
  flush(): void {
    this.#held = false;
    if (this.#flushing) return;
    this.#flushing = true;
    const { queue } = this.#output;
    do {
      queue.pump();
    } while (this.#socket !== null && this.#write(this.#socket) && queue.isWaiting);
    this.#flushing = false;
  }

  /** The frames leave at the end of this turn of the event loop at the latest. */
  schedule(): void {
    if (this.#held || this.#scheduled || this.#flushing) return;
    this.#scheduled = true;
    process.nextTick(flushScheduled, this);
  }

  flushScheduled(): void {
    this.#scheduled = false;
    this.flush();
  }

  /** Returns whether something was written, and the socket takes more. */
  #write(socket: Socket): boolean {
    const { writer, queue } = this.#output;
    if (writer.bytes === 0) return false;
    this.#onSent(writer.bytes);
    const more = writer.writeTo(socket);
    queue.blocked = !more;
    return more;
  }
}

function flushScheduled(flusher: FrameFlusher): void {
  flusher.flushScheduled();
}
