import type { ChildProcess } from 'node:child_process';
import { fstatSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';

/**
 * How a Python process gets the server's standard output or error `fd`. A terminal or a file is inherited, because
 * writing to it does not block for long. A pipe is different, because its reader may be stuck. Inheriting the pipe
 * would make it blocking for the server, too: libuv clears O_NONBLOCK, which belongs to the pipe and not to a process.
 * A single print could then block the server process. So Python gets a separate pipe for `passOn`.
 */
export function outputFor(fd: 1 | 2): 'inherit' | 'pipe' {
  const stat = fstatSync(fd);
  return stat.isFIFO() || stat.isSocket() ? 'pipe' : 'inherit';
}

/** Copies what a Python process writes to the outputs of this one, where `outputFor` gave it pipes. */
export function passOnOutputs({ stdout, stderr }: ChildProcess): void {
  passOn(stdout, process.stdout);
  passOn(stderr, process.stderr);
}

/** Copies `from` to `to` with back-pressure. When `to` has no reader any more, the output is discarded. */
export function passOn(from: Readable | null | undefined, to: Writable): void {
  if (from === null || from === undefined) return; // undefined if the process has no descriptors left
  const resume = (): void => {
    from.resume();
  };
  to.setMaxListeners(to.getMaxListeners() + 1);
  to.on('drain', resume).on('close', resume);
  from.on('data', (block) => {
    if (to.writable && !to.write(block)) from.pause();
  });
  from.once('close', () => {
    to.off('drain', resume).off('close', resume);
    to.setMaxListeners(to.getMaxListeners() - 1);
  });
}
