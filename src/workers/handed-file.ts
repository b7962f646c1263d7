import { closeSync, constants, fstatSync, open, openSync } from 'node:fs';
import { Response } from '../http/response.ts';
import type { FileRange } from './response-frame.ts';

/** Without O_NONBLOCK, opening a pipe would wait for its other end. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

/**
 * Whether this process may open a worker's files by their descriptors: on Linux, unless access to /proc is restricted.
 * `size` is that of the file with this descriptor.
 */
export function canOpen(pid: number, descriptor: number, size: number): boolean {
  try {
    const fd = openSync(`/proc/${pid}/fd/${descriptor}`, OPEN_FLAGS);
    const isSameFile = fstatSync(fd).size === size;
    closeSync(fd);
    return isSameFile;
  } catch {
    return false;
  }
}

/** Opens a file that a worker has open, as the body of `head`. Calls back with the response, or with why there is none. */
export function openHanded(
  pid: number,
  file: FileRange,
  head: Response,
  onOpened: (response: Response | null, error: string) => void,
): void {
  open(`/proc/${pid}/fd/${file.descriptor}`, OPEN_FLAGS, (error, fd) => {
    if (error !== null) onOpened(null, error.message);
    else if (fstatSync(fd).isFile()) {
      const release = (): void => closeSync(fd);
      const { status, reason, lines, contentLength, has } = head;
      const { start, end } = file;
      onOpened(new Response(status, reason, lines, contentLength, has, { fd, start, end, release }), '');
    } else {
      closeSync(fd);
      onOpened(null, 'it is not a regular file');
    }
  });
}
