import { Socket } from 'node:net';

/** Who is told what happens to a socket. */
export interface Receiver {
  /** The first `length` of `bytes` came. They are valid only during the call. */
  receive(bytes: Buffer, length: number): void;
  /** The client sends no more: it may still wait for its answers. */
  inputEnded(): void;
  /** What was written is with the kernel: there is room for more. */
  drained(): void;
  /** The socket is closed, by whichever side. */
  closed(): void;
}

/** A client's socket. It knows its receiver, so that all sockets share their event functions. */
export interface ClientSocket<R extends Receiver> extends Socket {
  receiver: R | null;
}

/** One memory for what any plain socket receives. */
const received = Buffer.allocUnsafeSlow(65536);

/**
 * What a socket holds before it counts as blocked. Node's default differs between its versions, and where it is larger than the blocks
 * that files are sent in, a client that takes none of them would never be waited for.
 */
const HELD_BYTES_MAX = 16_384;

interface Inside {
  readonly _writableState: { highWaterMark: number };
}

/** What of a socket's inside is needed to read without a stream. */
interface Handle {
  readonly reading?: boolean;
}

/**
 * Prepares to read `accepted`; `resume` starts it, once the socket has its receiver. Returns the socket to use from now on.
 *
 * Node gives a server's sockets a stream that allocates for each packet. A socket made with `onread` receives into memory that it is
 * given, which takes a fifth off a small request, but a server cannot make its sockets so. Hence, where a socket was accepted with
 * `pauseOnConnect`, a new one is made around its handle; any other, such as one with TLS, is read through its stream. A socket that
 * was made here and left again (`detachSocket`) is returned as it is, and what was put back into it (`unshift`) is received first.
 */
export function readSocket<R extends Receiver>(accepted: Socket): ClientSocket<R> {
  if ('receiver' in accepted) {
    accepted.on('data', onData);
    return accepted as ClientSocket<R>;
  }
  const handle = (accepted as unknown as { readonly _handle?: Handle | null })._handle;
  if (accepted.constructor !== Socket || handle === undefined || handle === null || handle.reading === true) {
    accepted.on('data', onData);
    return accepted as ClientSocket<R>;
  }
  const options = { handle, allowHalfOpen: true, manualStart: true, onread: { buffer: received, callback: onRead } };
  const socket = new Socket(options as ConstructorParameters<typeof Socket>[0]) as ClientSocket<R>;
  socket.receiver = null;
  function onRead(length: number): boolean {
    if (socket.receiver === null) return socket.push(Buffer.from(received.subarray(0, length)));
    socket.receiver.receive(received, length);
    return true;
  }
  return socket;
}

/** Begins to tell `receiver` what happens to `socket`. */
export function attachSocket<R extends Receiver>(socket: ClientSocket<R>, receiver: R): void {
  socket.receiver = receiver;
  (socket as unknown as Inside)._writableState.highWaterMark = HELD_BYTES_MAX;
  socket.on('end', onEnd);
  socket.on('drain', onDrain);
  socket.on('error', onError);
  socket.on('close', onClose);
  socket.resume();
}

/** Makes `socket` an ordinary one: it has no receiver any more, what comes is `data`. Pauses it when nobody listens to that. */
export function detachSocket<R extends Receiver>(socket: ClientSocket<R>): void {
  socket.receiver = null;
  socket.off('data', onData);
  socket.off('end', onEnd);
  socket.off('drain', onDrain);
  socket.off('error', onError);
  socket.off('close', onClose);
  if (socket.listenerCount('data') === 0) socket.pause();
}

type AnyClientSocket = ClientSocket<Receiver>;

function onData(this: Socket, bytes: Buffer): void {
  (this as AnyClientSocket).receiver?.receive(bytes, bytes.length);
}

function onEnd(this: AnyClientSocket): void {
  this.receiver?.inputEnded();
}

function onDrain(this: AnyClientSocket): void {
  this.receiver?.drained();
}

/** The close that follows says all there is to say. */
function onError(): void {}

function onClose(this: AnyClientSocket): void {
  this.receiver?.closed();
}
