import { readSync } from 'node:fs';
import { Socket } from 'node:net';

interface Handle {
  readonly fd?: number;
  reading?: boolean;
  readStop?(): number;
}

type Receive = (data: Buffer, isLent: boolean) => void;

/** The most that one read takes from a socket whose other end is closed. */
const REST_BYTES = 65_536;
/** More than the kernel keeps for a socket. A peer that lives and sends on gets no more attention. */
const REST_READS_MAX = 64;

/**
 * Makes the paused socket `accepted` read into given memory: `memory` is called for each read, and `receive` with what has
 * arrived there. Node offers this (`onread`) for sockets that connect, and not for those that a server accepts. So the
 * returned socket is a new one around the same connection. If that is impossible, it is `accepted`, which reads into
 * memory of its own: then `isLent` is false. Lent data is valid only during the call.
 */
export function readInto(accepted: Socket, memory: () => Buffer, receive: Receive): Socket {
  const { _handle: handle } = accepted as unknown as { readonly _handle?: Handle | null };
  if (handle?.readStop === undefined || accepted.constructor !== Socket) {
    accepted.on('data', (data: Buffer) => receive(data, false));
    return accepted;
  }
  handle.readStop();
  handle.reading = false;
  const callback = (length: number, buffer: Buffer): boolean => {
    receive(buffer.subarray(0, length), true);
    return true;
  };
  const options = { handle, manualStart: true, onread: { buffer: memory, callback } };
  const socket = new ReadingSocket(options as unknown as ConstructorParameters<typeof Socket>[0], handle, receive);
  socket.on('error', ignore);
  return socket;
}

/**
 * A socket that loses nothing of what its peer has sent. A write to a process that has died fails, and Node then destroys
 * the socket, although the last responses of that process may still be unread.
 */
class ReadingSocket extends Socket {
  readonly #fd: number;
  readonly #receive: Receive;

  constructor(options: ConstructorParameters<typeof Socket>[0], { fd = -1 }: Handle, receive: Receive) {
    super(options);
    this.#fd = fd;
    this.#receive = receive;
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (error !== null && error !== undefined && this.#fd >= 0) this.#readRest();
    super._destroy(error, callback);
  }

  #readRest(): void {
    try {
      for (let reads = 0; reads < REST_READS_MAX; reads += 1) {
        const block = Buffer.allocUnsafe(REST_BYTES);
        const length = readSync(this.#fd, block, 0, REST_BYTES, null);
        if (length === 0) return;
        this.#receive(block.subarray(0, length), false);
      }
    } catch {
      // nothing is left, or the connection was reset
    }
  }
}

/** The close event that follows is sufficient. */
function ignore(): void {}
