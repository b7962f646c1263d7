import type { Writable } from 'node:stream';

/** Resolves when the system has all that was written to `stream`, or when that failed. */
export function written(stream: Writable | null | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (stream === null || stream === undefined) resolve();
    else stream.write('', () => resolve());
  });
}
