import type { Readable, Writable } from 'node:stream';

/** A longer line is passed on in pieces. */
const LINE_BYTES_MAX = 1024 * 1024;
const NEWLINE = 10;

/**
 * Writes what comes from `from` to `to` in whole lines, so that those of several processes do not run into each other; as fast as it is
 * taken, and into nothing when `to` has no reader any more. The last line is passed on when `from` ends, whole or not.
 */
export function passLines(from: Readable | null, to: Writable): void {
  if (from === null) return;
  let begun: Buffer[] = [];
  let begunBytes = 0;
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
    if (end === 0 && begunBytes + block.length < LINE_BYTES_MAX) {
      begun.push(block);
      begunBytes += block.length;
      return;
    }
    const whole = end === 0 ? block : block.subarray(0, end);
    const rest = block.subarray(whole.length);
    put(begun.length === 0 ? whole : Buffer.concat([...begun, whole]));
    begun = rest.length === 0 ? [] : [rest];
    begunBytes = rest.length;
  });
  from.once('close', () => {
    to.off('drain', resume).off('close', resume);
    to.setMaxListeners(to.getMaxListeners() - 1);
    if (begunBytes > 0) put(Buffer.concat([...begun, Buffer.of(NEWLINE)]));
  });
}
