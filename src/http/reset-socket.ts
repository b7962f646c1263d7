import type { Socket } from 'node:net';

/**
 * Ends a TCP connection with a reset, and without the FIN that Node would send before it: who reads to the end of a connection must not take a part for the
 * whole.
 */
export function resetSocket(socket: Socket): void {
  socket.destroySoon = () => socket.destroy();
  socket.resetAndDestroy();
}
