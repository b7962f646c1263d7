import { constants } from 'node:fs';
import { type FileHandle, open, opendir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isBelow, realPathOf } from './open-file.ts';
import { isVisibleName, nameFromBytes, systemPath } from './path.ts';

/** Limit for the entries of a listing. A larger directory takes long to read, and nobody reads such a list. */
const ENTRIES_MAX = 2000;

export interface DirectoryEntry {
  /** In the form of `nameFromBytes`. */
  readonly name: string;
  readonly type: 'directory' | 'file';
  /** Bytes; 0 for a directory. */
  readonly size: number;
  readonly modifiedMs: number;
}

export interface Directory {
  /** Directories first, sorted by name. */
  readonly entries: readonly DirectoryEntry[];
  /** Whether the directory has more entries. */
  readonly truncated: boolean;
}

/**
 * The entries of the directory at `path` that can be requested: visible files and directories in `root`, with links
 * followed. Null when `path` is not a readable directory in `root`. At most 2000 entries are read.
 */
export function readDirectory(root: string, path: string): Promise<Directory | null> {
  return withDirectory(root, path, readEntries);
}

/** Whether `readDirectory` would return a directory. */
export async function isDirectory(root: string, path: string): Promise<boolean> {
  return (await withDirectory(root, path, async () => true)) === true;
}

async function withDirectory<T>(
  root: string,
  path: string,
  read: (realRoot: string, directoryPath: string) => Promise<T>,
): Promise<T | null> {
  let handle: FileHandle | null = null;
  try {
    handle = await open(systemPath(path), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NONBLOCK);
    const [realRoot, real] = await Promise.all([realpath(root), realPathOf(path, handle)]);
    if (real === null || (real !== realRoot && !isBelow(realRoot, real))) return null;
    return await read(realRoot, checkedPath(path, handle));
  } catch {
    return null;
  } finally {
    await handle?.close();
  }
}

/**
 * A path to the directory that was checked. On Linux it remains valid when another directory replaces the checked one.
 */
function checkedPath(path: string, { fd }: FileHandle): string {
  return process.platform === 'linux' ? `/proc/self/fd/${fd}` : path;
}

async function readEntries(realRoot: string, directoryPath: string): Promise<Directory> {
  const pending: Promise<DirectoryEntry | null>[] = [];
  let truncated = false;
  for await (const entry of await opendir(directoryPath, { encoding: 'buffer' as BufferEncoding })) {
    const name = nameFromBytes(entry.name as unknown as Buffer);
    if (!isVisibleName(name) || name.includes('\\')) continue;
    truncated = pending.length === ENTRIES_MAX;
    if (truncated) break;
    pending.push(describe(realRoot, directoryPath, name, entry.isSymbolicLink()));
  }
  const entries = (await Promise.all(pending)).filter((entry) => entry !== null).sort(byTypeAndName);
  return { entries, truncated };
}

async function describe(
  realRoot: string,
  directoryPath: string,
  name: string,
  link: boolean,
): Promise<DirectoryEntry | null> {
  const path = systemPath(join(directoryPath, name));
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
