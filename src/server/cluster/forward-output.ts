import type { Readable, Writable } from 'node:stream';

/** A longer line is written in pieces. */
const LINE_BYTES_MAX = 1024 * 1024;
const NEWLINE = 10;

/**
 * Copies `from` to `to` in whole lines, so that the lines of several processes do not mix. Reading pauses while `to` is full. When `to` has no
 * reader any more, the lines are discarded. When `from` ends, the last line is written even if it is not complete. A process has no output
 * if it shares the output of this one (null), or if it could not be started (undefined).
 */
export function forwardOutput(from: Readable | null | undefined, to: Writable): void {
  if (from === null || from === undefined) return;
  let partial: Buffer[] = [];
  let partialBytes = 0;
  const put = (block: Buffer): void => {
    if (to.writable && !to.write(block)) from.pause();
  };
  const resume = (): void => {
    from.resume();
  };
  to.setMaxListeners(to.getMaxListeners() + 1);
  to.on('drain', resume).on('close', resume);
  from.on('data', (block: Buffer) => {
    const end = block.lastIndexOf(NEWLINE) + 1;
    if (end === 0 && partialBytes + block.length < LINE_BYTES_MAX) {
      partial.push(block);
      partialBytes += block.length;
      return;
    }
    const whole = end === 0 ? block : block.subarray(0, end);
    const rest = block.subarray(whole.length);
    put(partial.length === 0 ? whole : Buffer.concat([...partial, whole]));
    partial = rest.length === 0 ? [] : [rest];
    partialBytes = rest.length;
  });
  from.once('close', () => {
    to.off('drain', resume).off('close', resume);
    to.setMaxListeners(to.getMaxListeners() - 1);
    if (partialBytes > 0) put(Buffer.concat([...partial, Buffer.of(NEWLINE)]));
  });
}
