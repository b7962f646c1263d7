import type { Socket } from 'node:net';

/**
 * Ends a TCP connection with a reset, without the FIN that Node would send before it. With that FIN, a client that reads to the end of
 * the connection would take a part for the whole.
 */
export function resetSocket(socket: Socket): void {
  socket.destroySoon = () => socket.destroy();
  socket.resetAndDestroy();
}

/** Ends a connection so that the other side can see that something is missing. A Unix socket does not have resets: it just closes. */
export function breakOff(socket: Socket): void {
  if (socket.remoteAddress === undefined) socket.destroy();
  else resetSocket(socket);
}
