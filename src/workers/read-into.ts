import { Socket } from 'node:net';

interface Handle {
  reading?: boolean;
  readStop?(): number;
}

/**
 * Makes the paused socket `accepted` read into given memory: `memory` is called for each read, and `receive` with what has
 * arrived there. Node offers this (`onread`) for sockets that connect, and not for those that a server accepts. So the
 * returned socket is a new one around the same connection. If that is impossible, it is `accepted`, which reads into
 * memory of its own: then `isLent` is false. Lent data is valid only during the call.
 */
export function readInto(
  accepted: Socket,
  memory: () => Buffer,
  receive: (data: Buffer, isLent: boolean) => void,
): Socket {
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
  const socket = new Socket(options as unknown as ConstructorParameters<typeof Socket>[0]);
  socket.on('error', ignore);
  return socket;
}

/** The close event that follows is sufficient. */
function ignore(): void {}
