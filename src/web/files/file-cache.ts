import { constants } from 'node:fs';
import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { StaticFile } from './static-file.ts';

/** Files up to this are kept in memory whole; of larger ones only the open descriptor. */
const MEMORY_FILE_BYTES_MAX = 262_144;
const ENTRIES_MAX = 1024;
const OPEN_FILES_MAX = 128;
/** An open file that nobody asks for is closed after this long: while it is open, a deleted file still takes its place on the disk. */
const OPEN_IDLE_MS = 10_000;
/** A file is looked at again when it was not for this long. */
const REVALIDATE_MS = 1000;
/** A fifo must not block, and a descriptor must not leak into programs that are started. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

interface Entry {
  readonly file: StaticFile;
  checkedMs: number;
}

/**
 * The files of some directories by the URL path they were asked for: small ones in memory, large ones as open descriptors. Both
 * are bounded; the entry that was looked at least recently goes first. A changed, replaced or removed file is noticed within a
 * second.
 */
export class FileCache {
  readonly #directories: readonly string[];
  readonly #bytesMax: number;
  readonly #entries = new Map<string, Entry>();
  readonly #loading = new Map<string, Promise<StaticFile | null>>();
  #bytes = 0;
  #openFiles = 0;
  #closer: NodeJS.Timeout | null = null;

  constructor(directories: readonly string[], bytesMax: number) {
    this.#directories = directories;
    this.#bytesMax = bytesMax;
  }

  /** The file, when it was looked at less than a second ago. */
  fresh(key: string): StaticFile | null {
    const entry = this.#entries.get(key);
    return entry !== undefined && performance.now() - entry.checkedMs < REVALIDATE_MS ? entry.file : null;
  }

  /** The file as it is now, or null when there is none that may be served. Requests for the same path share the work. */
  load(key: string, relative: string): Promise<StaticFile | null> {
    const running = this.#loading.get(key);
    if (running !== undefined) return running;
    const loading = this.#load(key, relative).finally(() => this.#loading.delete(key));
    this.#loading.set(key, loading);
    return loading;
  }

  async #load(key: string, relative: string): Promise<StaticFile | null> {
    const entry = this.#entries.get(key);
    if (entry !== undefined && (await unchanged(entry.file))) {
      entry.checkedMs = performance.now();
      this.#entries.delete(key);
      this.#entries.set(key, entry);
      return entry.file;
    }
    this.#remove(key);
    for (const directory of this.#directories) {
      const file = await openFile(directory, relative);
      if (file !== null) {
        this.#add(key, file);
        return file;
      }
    }
    return null;
  }

  #add(key: string, file: StaticFile): void {
    this.#entries.set(key, { file, checkedMs: performance.now() });
    this.#bytes += file.memoryBytes;
    if (file.isOpen) {
      this.#openFiles += 1;
      this.#closer ??= setInterval(() => this.#closeIdle(), OPEN_IDLE_MS).unref();
    }
    for (const [oldest, entry] of this.#entries) {
      const tooManyOpen = this.#openFiles > OPEN_FILES_MAX;
      if (this.#entries.size <= ENTRIES_MAX && this.#bytes <= this.#bytesMax && !tooManyOpen) break;
      if (!tooManyOpen || entry.file.isOpen) this.#remove(oldest);
    }
  }

  #closeIdle(): void {
    const now = performance.now();
    for (const [key, { file, checkedMs }] of this.#entries) {
      if (file.isOpen && now - checkedMs > OPEN_IDLE_MS) this.#remove(key);
    }
    if (this.#openFiles > 0 || this.#closer === null) return;
    clearInterval(this.#closer);
    this.#closer = null;
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.file.memoryBytes;
    if (entry.file.isOpen) this.#openFiles -= 1;
    entry.file.retire();
  }
}

async function unchanged(file: StaticFile): Promise<boolean> {
  try {
    return file.isSame(await stat(file.path, { bigint: true }));
  } catch {
    return false;
  }
}

/** Opens first and asks afterwards, so that what was checked is what is served. */
async function openFile(directory: string, relative: string): Promise<StaticFile | null> {
  const path = join(directory, relative);
  let handle: FileHandle | null = null;
  try {
    handle = await open(path, OPEN_FLAGS);
    const status = await handle.stat({ bigint: true });
    if (!status.isFile() || !(await inside(directory, path, status))) return null;
    const size = Number(status.size);
    if (size > MEMORY_FILE_BYTES_MAX) {
      const file = new StaticFile(path, status, null, handle);
      handle = null;
      return file;
    }
    const content = Buffer.allocUnsafeSlow(size);
    const { bytesRead } = await handle.read(content, 0, size, 0);
    return bytesRead === size ? new StaticFile(path, status, content, null) : null;
  } catch {
    return null;
  } finally {
    await handle?.close();
  }
}

/** Whether the opened file really lies in the directory: a link may lead out of it. */
async function inside(directory: string, path: string, opened: { ino: bigint; dev: bigint }): Promise<boolean> {
  const [root, real] = await Promise.all([realpath(directory), realpath(path)]);
  if (!real.startsWith(root.endsWith(sep) ? root : root + sep)) return false;
  const status = await stat(real, { bigint: true });
  return status.ino === opened.ino && status.dev === opened.dev;
}
