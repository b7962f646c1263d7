import type { BigIntStats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';

/** A longer file is not a page, so it is not read. */
const BYTES_MAX = 1_048_576;
/** For this time after a write, a file can change again with the same time stamps: clocks of file systems tick up to two seconds apart. */
const SETTLED_MS = 2000;

/** A small file in memory. It is read again when the file on disk has changed. */
export class RereadFile {
  readonly #path: string;
  readonly #checkMs: number;
  #content: Buffer | null = null;
  /** The version that was read; '' if it is uncertain. */
  #version = '';
  #checkedAtMs = Number.NEGATIVE_INFINITY;
  #loading: Promise<Buffer | null> | null = null;

  /** The disk is checked when `checkMs` milliseconds have passed since the last check. */
  constructor(path: string, checkMs: number) {
    this.#path = path;
    this.#checkMs = checkMs;
  }

  /** The content; null if the file does not exist, cannot be read, or is longer than 1 MiB. */
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
