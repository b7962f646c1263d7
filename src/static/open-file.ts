import { constants } from 'node:fs';
import { type FileHandle, open, readlink, realpath, stat } from 'node:fs/promises';
import { sep } from 'node:path';
import type { Candidate } from './candidate.ts';
import type { Coding } from './mount.ts';
import { systemPath } from './path.ts';
import { StaticFile } from './static-file.ts';

/** Prevents blocking when a fifo has replaced the file. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

/**
 * Opens the regular file at the candidate's path if it is really in its root; null otherwise. Content of up to
 * `memoryBytesMax` is read. All checks use the open file. Replacing a link or a directory meanwhile therefore has no
 * effect.
 */
export async function openFile(
  candidate: Candidate,
  memoryBytesMax: number,
  encodings: readonly Coding[] = [],
): Promise<StaticFile | null> {
  const { root, path, basis } = candidate;
  let handle: FileHandle | null = null;
  try {
    handle = await open(systemPath(path), OPEN_FLAGS);
    const status = await handle.stat({ bigint: true });
    if (!status.isFile() || !(await isInside(root, path, handle))) return null;
    if (status.size > memoryBytesMax) {
      const presentation = await candidate.present(null, encodings);
      const file = new StaticFile(path, status, null, handle, { root, basis, encodings, presentation });
      handle = null;
      return file;
    }
    const content = Buffer.allocUnsafeSlow(Number(status.size));
    const { bytesRead } = await handle.read(content, 0, content.length, 0);
    if (bytesRead !== content.length) return null;
    const presentation = await candidate.present(content, encodings);
    return new StaticFile(path, status, content, null, { root, basis, encodings, presentation });
  } catch {
    return null;
  } finally {
    await handle?.close();
  }
}

async function isInside(root: string, path: string, handle: FileHandle): Promise<boolean> {
  const [realRoot, real] = await Promise.all([realpath(root), realPathOf(path, handle)]);
  return real !== null && isBelow(realRoot, real);
}

/** Whether a path without links is below another one. */
export function isBelow(realRoot: string, real: string): boolean {
  return real.startsWith(realRoot.endsWith(sep) ? realRoot : realRoot + sep);
}

/**
 * Linux knows the path of an open file or directory. Elsewhere the path is resolved again and must lead to the same
 * file.
 */
export async function realPathOf(path: string, handle: FileHandle): Promise<string | null> {
  if (process.platform === 'linux') {
    try {
      return await readlink(`/proc/self/fd/${handle.fd}`);
    } catch {
      // without /proc: as on other systems
    }
  }
  const real = await realpath(systemPath(path));
  const [resolved, opened] = await Promise.all([stat(real, { bigint: true }), handle.stat({ bigint: true })]);
  return resolved.ino === opened.ino && resolved.dev === opened.dev ? real : null;
}
