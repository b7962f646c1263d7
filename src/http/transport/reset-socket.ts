import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

const EMPTY = Buffer.alloc(0);

/**
 * Ends a connection so that the other side can see that something is missing: over TCP with a reset, without the FIN that Node would send
 * before it. With that FIN, a reader to the end of the connection would take a part for the whole. A Unix socket does not have resets: it just
 * closes. So does a connection of TLS to a backend, without the `close_notify` that a whole one has.
 */
export function breakOff(socket: Socket): void {
  const raw = rawOf(socket);
  if (raw?.remoteAddress === undefined || isEnding(raw)) socket.destroy();
  else {
    raw.destroySoon = () => raw.destroy();
    raw.resetAndDestroy();
  }
}

/**
 * Whether everything was sent and the FIN is on its way. Node cannot reset such a socket: it reports EINVAL, keeps the descriptor for ever, and
 * computes for ever when the process exits. Nothing is missing there, so a close says the same.
 */
function isEnding({ writableEnded, writableFinished, writableLength }: Socket): boolean {
  return writableEnded && !writableFinished && writableLength === 0;
}

/**
 * Calls `onEnd` after the event `end` of `socket` if the other side has really ended. When a reset arrives together with bytes, Node reports a
 * normal end, so a part would look whole. An empty write distinguishes the two: after a reset the write fails, and the socket closes. It must
 * not pass through TLS, which reports no failure of an empty write.
 */
export function confirmEnd(socket: Socket, onEnd: () => void): void {
  const raw = rawOf(socket);
  if (raw === null || !raw.writable || raw.writableLength > 0) onEnd();
  else raw.write(EMPTY, (error) => (error ? undefined : onEnd()));
}

/** The socket itself, or what was accepted under a TLS socket. Null under a TLS socket that connected by itself. */
function rawOf(socket: Socket): Socket | null {
  if (!(socket instanceof TLSSocket)) return socket;
  const { _parent: parent } = socket as unknown as { readonly _parent?: unknown };
  return parent instanceof Socket ? parent : null;
}
