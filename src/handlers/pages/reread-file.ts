import type { BigIntStats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';

/** A longer one is no page: it is not read. */
const BYTES_MAX = 1_048_576;
/** A file written to more recently may be written to again without a sign: clocks of file systems tick up to two seconds apart. */
const SETTLED_MS = 2000;

/** A small file in memory, that is read again when the one on disk is another. */
export class RereadFile {
  readonly #path: string;
  readonly #checkMs: number;
  #content: Buffer | null = null;
  /** Which one was read; '' when that is not certain. */
  #version = '';
  #checkedAtMs = Number.NEGATIVE_INFINITY;
  #loading: Promise<Buffer | null> | null = null;

  /** Looks at the disk when `checkMs` have passed since it last did. */
  constructor(path: string, checkMs: number) {
    this.#path = path;
    this.#checkMs = checkMs;
  }

  /** Null when there is no such file, it cannot be read, or it is longer than 1 MiB. */
  async read(): Promise<Buffer | null> {
    if (performance.now() - this.#checkedAtMs < this.#checkMs) return this.#content;
    this.#loading ??= this.#load();
    return this.#loading;
  }

  async #load(): Promise<Buffer | null> {
    try {
      const status = await stat(this.#path, { bigint: true });
      const version = versionOf(status);
      if (version === '' || version !== this.#version) {
        this.#content = status.isFile() && status.size <= BYTES_MAX ? await readFile(this.#path) : null;
      }
      this.#version = version;
    } catch {
      this.#content = null;
      this.#version = '';
    }
    this.#checkedAtMs = performance.now();
    this.#loading = null;
    return this.#content;
  }
}

function versionOf({ dev, ino, size, mtimeMs, mtimeNs, ctimeMs, ctimeNs }: BigIntStats): string {
  const settled = Math.max(Number(mtimeMs), Number(ctimeMs)) < Date.now() - SETTLED_MS;
  return settled ? `${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}` : '';
}
