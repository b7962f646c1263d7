import type { Socket } from 'node:net';

/**
 * Ends a TCP connection with a reset, and without the FIN that Node would send before it: who reads to the end of a connection must not take a part for the
 * whole.
 */
export function resetSocket(socket: Socket): void {
  socket.destroySoon = () => socket.destroy();
  socket.resetAndDestroy();
}

/** Ends a connection so that the other side can see that something is missing. A Unix socket knows no reset. */
export function breakOff(socket: Socket): void {
  if (socket.remoteAddress === undefined) socket.destroy();
  else resetSocket(socket);
}
