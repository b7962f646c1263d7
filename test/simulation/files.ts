import { dirname } from 'node:path';

/** A file of the simulated system. */
export interface SimFile {
  readonly size: number;
  /** Copies what is at `position` into `into`. */
  read(into: Buffer, position: number): void;
}

/** A file of plain bytes. */
export class MemoryFile implements SimFile {
  size = 0;
  #bytes: Buffer = Buffer.alloc(0);

  append(block: Uint8Array): void {
    this.write(block, this.size);
  }

  write(block: Uint8Array, position: number): void {
    const end = position + block.length;
    if (end > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(end, 2 * this.#bytes.length));
      this.#bytes.copy(larger);
      this.#bytes = larger;
    }
    this.#bytes.set(block, position);
    this.size = Math.max(this.size, end);
  }

  read(into: Buffer, position: number): void {
    this.#bytes.copy(into, 0, position, Math.min(this.size, position + into.length));
  }
}

const FIRST_DESCRIPTOR = 1_000_000;

/** The files in the runtime directory, and the descriptors that the server has open. */
export class Files {
  readonly byPath = new Map<string, SimFile>();
  readonly #directories = new Set<string>();
  readonly open = new Map<number, { readonly file: SimFile; readonly path: string }>();
  #next = FIRST_DESCRIPTOR;

  openFile(file: SimFile, path: string): number {
    this.#next += 1;
    this.open.set(this.#next, { file, path });
    return this.#next;
  }

  /** @throws ENOENT */
  openPath(path: string): number {
    const file = this.byPath.get(path);
    if (file === undefined) throw systemError('ENOENT', path);
    return this.openFile(file, path);
  }

  /** @throws EBADF, when the descriptor is not open: it was closed twice, or used after that */
  fileOf(descriptor: number): SimFile {
    const opened = this.open.get(descriptor);
    if (opened === undefined) throw systemError('EBADF', `${descriptor}`);
    return opened.file;
  }

  close(descriptor: number): void {
    this.fileOf(descriptor);
    this.open.delete(descriptor);
  }

  makeDirectory(directory: string): string {
    this.#directories.add(directory);
    return directory;
  }

  hasDirectory(path: string): boolean {
    return this.#directories.has(path);
  }

  hasDirectoryOf(path: string): boolean {
    return this.#directories.has(dirname(path));
  }

  removeDirectory(directory: string): void {
    this.#directories.delete(directory);
    for (const path of this.byPath.keys()) if (path.startsWith(`${directory}/`)) this.byPath.delete(path);
  }
}

export function systemError(code: string, subject: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${subject}`), { code });
}
