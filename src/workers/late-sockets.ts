import type { Socket } from 'node:net';
import { LifeWatch, tickMs } from './life-watch.ts';

/** A socket of a dead process from which nothing arrives for this long is read to the end. */
const SILENCE_MS = 5000;

/**
 * Destroys the sockets of a process that has ended, each when nothing arrives on it any more. They close by themselves, unless another process
 * holds their other end: a child that the application forked in C. A socket that waits for a client is left alone meanwhile. Returns a
 * function that ends the watch.
 */
export function destroyWhenSilent(sockets: readonly Socket[]): () => void {
  const watches = sockets.map((socket) => {
    const life = new LifeWatch();
    let bytesRead = -1;
    return (): void => {
      if (socket.isPaused() || socket.bytesRead !== bytesRead) life.answered();
      bytesRead = socket.bytesRead;
      if (life.tick()) socket.destroy();
    };
  });
  const timer = setInterval(() => {
    for (const watch of watches) watch();
  }, tickMs(SILENCE_MS)).unref();
  return () => clearInterval(timer);
}
