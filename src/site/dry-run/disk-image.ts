import { join } from 'node:path';
import type { PageSource } from '../../handlers/pages/page.ts';
import type { Candidate } from '../../static/candidate.ts';
import type { Directory } from '../../static/directory.ts';
import { type FileVersion, StaticFile } from '../../static/static-file.ts';
import type { SiteDisk } from '../route-context.ts';

/** Nothing can be below a device, so that nobody finds a file of this machine by the path of one in the image. */
const ROOT = '/dev/null/dry-run';
/** What a file of the image contains before its own path. No text that people write contains this. */
const MARK = '\u0001file of a dry run\u0001';
/** In each directory, a file whose name shows in a listing which directory it is. */
const DIRECTORY_MARK = 'directory-of-a-dry-run-';

/** What is at a path. */
type KindOf = (path: string) => 'file' | 'directory' | null;

/** Files and directories that are made up, at the paths that they have on another machine. Each file contains its path. */
export class DiskImage implements SiteDisk {
  #kindOf: KindOf = () => null;
  /** The directories that were listed. */
  readonly #listed: string[] = [];
  #missed: string[] = [];

  /** Where `path`, which is absolute, is in the image. */
  place(path: string): string {
    return join(ROOT, path);
  }

  /** From now on, the image has what `kindOf` says. */
  fill(kindOf: KindOf): void {
    this.#kindOf = kindOf;
  }

  /** Nothing is kept: a path has a file after `fill` that it did not have before. */
  fresh(): null {
    return null;
  }

  async load(_key: string, candidates: readonly Candidate[]): Promise<StaticFile | null> {
    const found = candidates.find(({ path }) => this.#isFile(path));
    if (found === undefined) {
      this.#missed.push(...candidates.slice(0, 1).map(({ path }) => outside(path)));
      return null;
    }
    const { root, path, basis } = found;
    const content = contentOf(path);
    const presentation = await found.present(content, []);
    return new StaticFile(path, { ...VERSION, size: BigInt(content.length) }, content, null, {
      root,
      basis,
      presentation,
    });
  }

  /** The files that were looked for and not found since this was asked last, the first candidate of each lookup. */
  missed(): readonly string[] {
    const missed = this.#missed;
    this.#missed = [];
    return missed;
  }

  async readDirectory(_root: string, path: string): Promise<Directory | null> {
    if (!this.#isDirectory(path)) return null;
    const index = this.#listed.push(outside(withoutSlash(path))) - 1;
    return {
      entries: [{ name: `${DIRECTORY_MARK}${index}`, type: 'file', size: 0, modifiedMs: 0 }],
      truncated: false,
    };
  }

  async isDirectory(_root: string, path: string): Promise<boolean> {
    return this.#isDirectory(path);
  }

  page(file: string): PageSource {
    return { file, read: async () => (this.#isFile(file) ? contentOf(file) : null) };
  }

  /** The file or the listed directory that a response has as its content; null for another content. */
  shownIn(text: string): { readonly path: string; readonly listing: boolean } | null {
    if (text.startsWith(MARK)) return { path: text.slice(MARK.length), listing: false };
    if (!text.includes(DIRECTORY_MARK)) return null;
    const index = Number(new RegExp(`${DIRECTORY_MARK}(\\d+)`).exec(text)?.[1]);
    return { path: this.#listed[index] ?? '/', listing: true };
  }

  #isFile(place: string): boolean {
    return this.#kindOf(outside(place)) === 'file';
  }

  #isDirectory(place: string): boolean {
    return this.#kindOf(outside(withoutSlash(place))) === 'directory';
  }
}

const VERSION: Omit<FileVersion, 'size'> = { mtimeMs: 0n, mtimeNs: 0n, ctimeMs: 0n, ctimeNs: 0n, ino: 0n, dev: 0n };

function contentOf(place: string): Buffer {
  return Buffer.from(MARK + outside(place));
}

/** The path of a place on the other machine. */
function outside(place: string): string {
  return place.slice(ROOT.length) || '/';
}

function withoutSlash(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}
