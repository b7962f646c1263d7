import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Candidate } from './candidate.ts';
import { type Directory, isDirectory, readDirectory } from './directory.ts';
import type { FileSource } from './file-source.ts';
import type { Coding } from './mount.ts';
import { openFile } from './open-file.ts';
import { systemPath } from './path.ts';
import type { StaticFile } from './static-file.ts';

/** Files up to this size are kept in memory completely; for larger ones only the open descriptor is kept. */
const MEMORY_FILE_BYTES_MAX = 1024 * 1024;
/** Limit for descriptors of large files that stay open while nobody sends them. */
const DESCRIPTORS_MAX = 64;

export interface FileCacheOptions {
  /** Memory for small files. A larger file is not read into memory. */
  readonly bytesMax: number;
  /** A file in memory is checked again when its last check is older than this. */
  readonly revalidateMs: number;
}

interface Entry {
  readonly file: StaticFile;
  checkedMs: number;
}

/** The caches of this process, as long as a site uses them. Only metrics read it. */
const caches = new Set<WeakRef<FileCache>>();

/** The memory of all caches of files in this process. */
export function cachedFileBytes(): number {
  let bytes = 0;
  for (const reference of caches) {
    const cache = reference.deref();
    if (cache === undefined) caches.delete(reference);
    else bytes += cache.bytes;
  }
  return bytes;
}

/**
 * Caches files by key: small ones in memory, large ones as open descriptors. Both are limited; the least recently
 * checked file is removed first.
 */
export class FileCache implements FileSource {
  readonly #options: FileCacheOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #loading = new Map<string, Promise<StaticFile | null>>();
  #bytes = 0;
  #descriptors = 0;

  constructor(options: FileCacheOptions) {
    this.#options = options;
    caches.add(new WeakRef(this));
  }

  /** What the files in memory need. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Returns the file if it is in memory and was checked recently. */
  fresh(key: string): StaticFile | null {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.file.content === null) return null;
    return performance.now() - entry.checkedMs < this.#options.revalidateMs ? entry.file : null;
  }

  load(key: string, candidates: readonly Candidate[]): Promise<StaticFile | null> {
    const running = this.#loading.get(key);
    if (running !== undefined) return running;
    const loading = this.#load(key, candidates).finally(() => this.#loading.delete(key));
    this.#loading.set(key, loading);
    return loading;
  }

  /** Directories are not cached. */
  readDirectory(root: string, path: string): Promise<Directory | null> {
    return readDirectory(root, path);
  }

  isDirectory(root: string, path: string): Promise<boolean> {
    return isDirectory(root, path);
  }

  async #load(key: string, candidates: readonly Candidate[]): Promise<StaticFile | null> {
    const known = this.#entries.get(key)?.file;
    for (const candidate of candidates) {
      const status = await statusOf(candidate.path);
      if (status === null) continue;
      const result = candidate.encodings(status);
      const encodings = result instanceof Promise ? await result : result;
      const current = known !== undefined && isSame(known, candidate, encodings) && known.isCurrent(status);
      const file = current ? known : await openFile(candidate, this.#memoryFileBytesMax, encodings);
      if (file === null) continue;
      this.#keep(key, file);
      return file;
    }
    this.#remove(key);
    return null;
  }

  get #memoryFileBytesMax(): number {
    return Math.min(MEMORY_FILE_BYTES_MAX, this.#options.bytesMax);
  }

  /** Makes `file` the most recent entry. */
  #keep(key: string, file: StaticFile): void {
    const previous = this.#entries.get(key)?.file;
    if (previous === file) this.#entries.delete(key);
    else {
      this.#remove(key);
      this.#bytes += file.memoryBytes;
      if (file.content === null) this.#descriptors += 1;
    }
    this.#entries.set(key, { file, checkedMs: performance.now() });
    this.#evict(key);
  }

  #evict(kept: string): void {
    for (const [key, { file }] of this.#entries) {
      const tooManyBytes = this.#bytes > this.#options.bytesMax;
      const tooManyDescriptors = this.#descriptors > DESCRIPTORS_MAX;
      if (!tooManyBytes && !tooManyDescriptors) return;
      if (key !== kept && (tooManyBytes || file.content === null)) this.#remove(key);
    }
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.file.memoryBytes;
    if (entry.file.content === null) this.#descriptors -= 1;
    entry.file.retire();
  }
}

/** Whether the file has the candidate's path and would get the same presentation. */
function isSame(file: StaticFile, { path, basis }: Candidate, encodings: readonly Coding[]): boolean {
  return file.path === path && file.basis === basis && (file.encodings ?? []).join() === encodings.join();
}

/**
 * Null when `path` is not a regular file. The check precedes opening, because opening a device may have side effects.
 */
async function statusOf(path: string): Promise<BigIntStats | null> {
  try {
    const status = await stat(systemPath(path), { bigint: true });
    return status.isFile() ? status : null;
  } catch {
    return null;
  }
}
