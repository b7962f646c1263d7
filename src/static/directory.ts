import { constants } from 'node:fs';
import { type FileHandle, open, opendir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isBelow, realPathOf } from './open-file.ts';
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
export function readDirectory(root: string, path: string): Promise<Directory | null> {
  return withDirectory(root, path, readEntries);
}

/** Whether `readDirectory` would find something to read. */
export async function isDirectory(root: string, path: string): Promise<boolean> {
  return (await withDirectory(root, path, async () => true)) === true;
}

async function withDirectory<T>(
  root: string,
  path: string,
  use: (realRoot: string, place: string) => Promise<T>,
): Promise<T | null> {
  let handle: FileHandle | null = null;
  try {
    handle = await open(systemPath(path), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NONBLOCK);
    const [realRoot, real] = await Promise.all([realpath(root), realPathOf(path, handle)]);
    if (real === null || (real !== realRoot && !isBelow(realRoot, real))) return null;
    return await use(realRoot, placeOf(path, handle));
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
  const found: Promise<DirectoryEntry | null>[] = [];
  let truncated = false;
  for await (const entry of await opendir(place, { encoding: 'buffer' as BufferEncoding })) {
    const name = nameFromBytes(entry.name as unknown as Buffer);
    if (!isVisibleName(name) || name.includes('\\')) continue;
    truncated = found.length === ENTRIES_MAX;
    if (truncated) break;
    found.push(describe(realRoot, place, name, entry.isSymbolicLink()));
  }
  const entries = (await Promise.all(found)).filter((entry) => entry !== null).sort(byTypeAndName);
  return { entries, truncated };
}

async function describe(realRoot: string, place: string, name: string, link: boolean): Promise<DirectoryEntry | null> {
  const path = systemPath(join(place, name));
  try {
    const status = await stat(path);
    const type = status.isDirectory() ? 'directory' : 'file';
    if (type === 'file' && !status.isFile()) return null;
    if (link && !isBelow(realRoot, await realpath(path))) return null;
    return { name, type, size: type === 'file' ? status.size : 0, modifiedMs: status.mtimeMs };
  } catch {
    return null;
  }
}

function byTypeAndName(a: DirectoryEntry, b: DirectoryEntry): number {
  if (a.type !== b.type) return a.type === 'directory' ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}
