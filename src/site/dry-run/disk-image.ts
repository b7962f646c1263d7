import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** What a file of the image contains before its own path. No text that people write contains this. */
const MARK = '\u0001file of a dry run\u0001';
/** In each directory, a file whose name shows in a listing which directory it is. */
const DIRECTORY_MARK = 'directory-of-a-dry-run-';

/** Files and directories below a temporary directory, at the paths that they have on another machine. Each file contains its path. */
export class DiskImage {
  readonly #root = mkdtempSync(join(tmpdir(), 'viaduct-dry-run-'));
  readonly #directories: string[] = [];
  readonly #known = new Set<string>();

  /** Where `path`, which is absolute, is in the image. */
  place(path: string): string {
    return join(this.#root, path);
  }

  addFile(path: string): void {
    this.addDirectory(dirname(path));
    writeFileSync(this.place(path), MARK + path);
  }

  addDirectory(path: string): void {
    if (this.#known.has(path)) return;
    this.#known.add(path);
    if (path !== dirname(path)) this.addDirectory(dirname(path));
    mkdirSync(this.place(path), { recursive: true });
    writeFileSync(join(this.place(path), `${DIRECTORY_MARK}${this.#directories.length}`), '');
    this.#directories.push(path);
  }

  /** The file or the listed directory that a response has as its content; null for another content. */
  contentOf(text: string): { readonly path: string; readonly listing: boolean } | null {
    if (text.startsWith(MARK)) return { path: text.slice(MARK.length), listing: false };
    const index = new RegExp(`${DIRECTORY_MARK}(\\d+)`).exec(text)?.[1];
    return index === undefined ? null : { path: this.#directories[Number(index)] ?? '/', listing: true };
  }

  remove(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }
}
