import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** Receives the events of a socket. */
export interface Receiver {
  /** The first `length` bytes of `bytes` arrived. They are valid only during the call. */
  receive(bytes: Buffer, length: number): void;
  /** The client has sent its last byte. It may still wait for responses. */
  inputEnded(): void;
  /** The kernel has taken everything that was written: there is room for more, unless the last of it was FIN. */
  drained(): void;
  /** The socket was closed, by either side. */
  closed(): void;
}

/** A client's socket. It has a reference to its receiver, so that all sockets share the same event functions. */
export interface ClientSocket<R extends Receiver> extends Socket {
  receiver: R | null;
}

/** The memory into which all sockets receive. */
const receiveBuffer = Buffer.allocUnsafeSlow(65536);

/**
 * How much a socket holds before it counts as blocked. Node's default differs between versions. With a limit above the size of a file's
 * blocks, no socket would count as blocked: the write timeout would never apply to a client that takes nothing.
 */
const HELD_BYTES_MAX = 16_384;

type AnyClientSocket = ClientSocket<Receiver>;

interface SocketInternals {
  readonly _writableState: { highWaterMark: number };
}

/** What is needed of a socket's handle to read without a stream. */
interface Handle {
  readonly reading?: boolean;
  useUserBuffer?(buffer: Uint8Array): void;
}

/** The names under which Node's sockets keep their `onread`: undefined where they have others. */
const [BUFFER, CALLBACK] = ['kBuffer', 'kBufferCb'].map((name) =>
  Object.getOwnPropertySymbols(new Socket()).find(({ description }) => description === name),
);

/**
 * Prepares to read `accepted`; `attachSocket` starts it. Returns the socket to use from now on.
 *
 * Node gives the sockets of a server a stream that allocates memory for each packet. A socket with `onread` receives into given memory:
 * this saves a fifth of a small request. A server cannot make its sockets in this way. So this function makes a new socket around the
 * handle of a plain socket that was accepted with `pauseOnConnect`, and gives a TLS socket afterwards what `onread` would have given it.
 * Other sockets are read through their stream. A socket that this function prepared and `detachSocket` released is returned as it is;
 * bytes of `unshift` are received first.
 */
export function readSocket<R extends Receiver>(accepted: Socket): ClientSocket<R> {
  const socket = accepted as ClientSocket<R>;
  const { _handle: handle } = accepted as unknown as { readonly _handle?: Handle | null };
  if ('receiver' in accepted || handle === undefined || handle === null) accepted.on('data', onData);
  else if (accepted instanceof TLSSocket) {
    accepted.on('data', onData);
    readInto(socket, handle);
  } else if (accepted.constructor === Socket && handle.reading !== true) return fromHandle(handle);
  else accepted.on('data', onData);
  return socket;
}

function fromHandle<R extends Receiver>(handle: Handle): ClientSocket<R> {
  const options = {
    handle,
    allowHalfOpen: true,
    manualStart: true,
    onread: { buffer: receiveBuffer, callback: onRead },
  };
  const socket = new Socket(options as unknown as ConstructorParameters<typeof Socket>[0]) as ClientSocket<R>;
  socket.receiver = null;
  return socket;
}

/** Does what Node does with the option `onread`, which it ignores for the TLS sockets of a server. */
function readInto(socket: AnyClientSocket, handle: Handle): void {
  if (BUFFER === undefined || CALLBACK === undefined || handle.useUserBuffer === undefined) return;
  handle.useUserBuffer(receiveBuffer);
  socket.receiver = null;
  Object.assign(socket, { [BUFFER]: receiveBuffer, [CALLBACK]: onSecureRead });
}

/** Node calls this with the number of bytes that are in `receiveBuffer`. */
function onRead(this: AnyClientSocket, length: number): boolean {
  const { receiver } = this;
  if (receiver === null) return keep(this, length);
  receiver.receive(receiveBuffer, length);
  return true;
}

/** As `onRead`. TLS may have more after the reader has paused: that waits behind what waits already. */
function onSecureRead(this: AnyClientSocket, length: number): boolean {
  const { receiver } = this;
  if (receiver === null || this.readableFlowing === false || this.readableLength > 0) return keep(this, length);
  receiver.receive(receiveBuffer, length);
  return true;
}

/** Leaves the bytes to the stream. Returns whether it wants more. */
function keep(socket: AnyClientSocket, length: number): boolean {
  return socket.push(Buffer.from(receiveBuffer.subarray(0, length)));
}

/** Connects the events of `socket` to `receiver`, and starts to read. */
export function attachSocket<R extends Receiver>(socket: ClientSocket<R>, receiver: R): void {
  socket.receiver = receiver;
  (socket as unknown as SocketInternals)._writableState.highWaterMark = HELD_BYTES_MAX;
  socket.on('end', onEnd);
  socket.on('drain', onDrain);
  socket.on('finish', onDrain);
  socket.on('error', onError);
  socket.on('close', onClose);
  socket.resume();
}

/** Turns `socket` into an ordinary one: input becomes `data` events. Without a listener for these events the socket pauses. */
export function detachSocket<R extends Receiver>(socket: ClientSocket<R>): void {
  socket.receiver = null;
  socket.off('data', onData);
  socket.off('end', onEnd);
  socket.off('drain', onDrain);
  socket.off('finish', onDrain);
  socket.off('error', onError);
  socket.off('close', onClose);
  if (socket.listenerCount('data') === 0) socket.pause();
}

function onData(this: Socket, bytes: Buffer): void {
  (this as AnyClientSocket).receiver?.receive(bytes, bytes.length);
}

function onEnd(this: AnyClientSocket): void {
  this.receiver?.inputEnded();
}

function onDrain(this: AnyClientSocket): void {
  this.receiver?.drained();
}

/** Nothing to do: `close` follows, and the receiver learns of that. */
function onError(): void {}

function onClose(this: AnyClientSocket): void {
  this.receiver?.closed();
}
