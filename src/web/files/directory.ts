import { constants } from 'node:fs';
import { type FileHandle, open, opendir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { isInside } from './open-file.ts';
import { isVisibleName, nameFromBytes, systemPath } from './path.ts';

/** A directory with more takes long to read, and nobody reads a list of it. */
const ENTRIES_MAX = 2000;

export interface DirectoryEntry {
  /** As `nameFromBytes` writes it. */
  readonly name: string;
  readonly type: 'directory' | 'file';
  /** Bytes; 0 for a directory. */
  readonly size: number;
  readonly modifiedMs: number;
}

export interface Directory {
  /** Directories first, each by name. */
  readonly entries: readonly DirectoryEntry[];
  /** There are more. */
  readonly truncated: boolean;
}

/**
 * What of the directory at `path` can be asked for: files and directories that are not hidden and lie in `root`, links followed. Null when
 * it is no readable directory in `root`. At most 2000 entries are read.
 */
export async function readDirectory(root: string, path: string): Promise<Directory | null> {
  let handle: FileHandle | null = null;
  try {
    handle = await open(systemPath(path), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NONBLOCK);
    const realRoot = await realpath(root);
    if ((await realpath(systemPath(path))) !== realRoot && !(await isInside(root, path, handle))) return null;
    return await readEntries(realRoot, placeOf(path, handle));
  } catch {
    return null;
  } finally {
    await handle?.close();
  }
}

/** The directory that was checked, also when another one takes its place (on Linux). */
function placeOf(path: string, { fd }: FileHandle): string {
  return process.platform === 'linux' ? `/proc/self/fd/${fd}` : path;
}

async function readEntries(realRoot: string, place: string): Promise<Directory> {
  const names: string[] = [];
  let truncated = false;
  for await (const entry of await opendir(place, { encoding: 'buffer' as BufferEncoding })) {
    const name = nameFromBytes(entry.name as unknown as Buffer);
    if (!isVisibleName(name) || name.includes('\\')) continue;
    truncated = names.length === ENTRIES_MAX;
    if (truncated) break;
    names.push(name);
  }
  const found = await Promise.all(names.map((name) => describe(realRoot, place, name)));
  const entries = found.filter((entry) => entry !== null).sort(byTypeAndName);
  return { entries, truncated };
}

async function describe(realRoot: string, place: string, name: string): Promise<DirectoryEntry | null> {
  const path = systemPath(join(place, name));
  try {
    const status = await stat(path);
    const isDirectory = status.isDirectory();
    if (!isDirectory && !status.isFile()) return null;
    const real = await realpath(path);
    if (!real.startsWith(realRoot.endsWith(sep) ? realRoot : realRoot + sep)) return null;
    const size = isDirectory ? 0 : status.size;
    return { name, type: isDirectory ? 'directory' : 'file', size, modifiedMs: status.mtimeMs };
  } catch {
    return null;
  }
}

function byTypeAndName(a: DirectoryEntry, b: DirectoryEntry): number {
  if (a.type !== b.type) return a.type === 'directory' ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}
