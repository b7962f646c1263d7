import { fstatSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';

/**
 * How Python gets our standard output or error `fd`: as it is when that is a terminal or a file, which take what is written. The
 * reader of a pipe may be stuck. To hand the pipe over would make it blocking for us, too (libuv clears O_NONBLOCK, which belongs to
 * the pipe and not to a process), and one print would then stop the front. So Python gets a pipe of its own, for `passOn`.
 */
export function outputFor(fd: 1 | 2): 'inherit' | 'pipe' {
  const stat = fstatSync(fd);
  return stat.isFIFO() || stat.isSocket() ? 'pipe' : 'inherit';
}

/** Writes to `to` whatever comes from `from`, as fast as it is taken. When `to` has no reader any more, it is thrown away. */
export function passOn(from: Readable | null, to: Writable): void {
  if (from === null) return;
  const resume = (): void => {
    from.resume();
  };
  to.on('drain', resume).on('close', resume);
  from.on('data', (block) => {
    if (to.writable && !to.write(block)) from.pause();
  });
  from.once('close', () => to.off('drain', resume).off('close', resume));
}
