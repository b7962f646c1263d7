import { Socket } from 'node:net';

/** One memory for what any plain socket receives. What lies in it is valid until the reader returns. */
const received = Buffer.allocUnsafeSlow(65536);

/** What of a socket's inside is needed to read without a stream. */
interface Handle {
  readonly reading?: boolean;
}

/**
 * Starts to read `accepted` and calls `onBytes`, with the socket as `this`, for all that arrives. Returns the socket to use from now on.
 *
 * Node gives a server's sockets a stream that allocates for each packet. A socket made with `onread` receives into memory that it is
 * given, which takes a fifth off a small request, but a server cannot make its sockets so. Hence, where a socket was accepted with
 * `pauseOnConnect`, a new one is made around its handle; any other, such as one with TLS, is read through its stream.
 */
export function readSocket<S extends Socket>(accepted: Socket, onBytes: (this: S, bytes: Buffer) => void): S {
  const handle = (accepted as unknown as { readonly _handle?: Handle | null })._handle;
  if (accepted.constructor !== Socket || handle === undefined || handle === null || handle.reading === true) {
    accepted.on('data', onBytes as (bytes: Buffer) => void);
    accepted.resume();
    return accepted as S;
  }
  const options = { handle, allowHalfOpen: true, manualStart: true, onread: { buffer: received, callback: onRead } };
  const socket = new Socket(options as ConstructorParameters<typeof Socket>[0]) as S;
  function onRead(length: number): boolean {
    onBytes.call(socket, length === received.length ? received : (received.subarray(0, length) as Buffer));
    return true;
  }
  socket.resume();
  return socket;
}
