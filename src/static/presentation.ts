import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { HeaderList } from '../http/message.ts';
import { contentType } from './content-type.ts';
import { globToRegExp } from './glob.ts';
import { isInManifest, isNamedAfter, looksHashed } from './hashed-names.ts';
import type { Coding, StaticMount } from './mount.ts';
import { systemPath } from './path.ts';

/** What the answers with a file say about it besides its version. */
export interface Presentation {
  readonly contentType: string;
  /** Content-Encoding; null for the file itself. */
  readonly encoding: Coding | null;
  /** Cache-Control. */
  readonly lifetime: string;
  /** The answer depends on Accept-Encoding. */
  readonly varies: boolean;
  /** Fields of the mount. */
  readonly more: HeaderList;
}

/** A browser keeps the file, and asks whether it is still right. */
export const ASK_AGAIN = 'no-cache';
const FOR_GOOD = 'public, max-age=31536000, immutable';

/** As without any option. */
export function plainPresentation(path: string): Presentation {
  return { contentType: contentType(path), encoding: null, lifetime: ASK_AGAIN, varies: false, more: [] };
}

/** How the files of one mount are presented. */
export class Presenter {
  readonly #codings: readonly Coding[];
  readonly #rules: readonly { readonly pattern: RegExp; readonly value: string }[];
  readonly #immutable: 'auto' | 'always' | 'never';
  readonly #more: HeaderList;
  readonly #lifetime: string | null;

  /** With `lifetime` the rules of the mount do not count. */
  constructor(mount: StaticMount, lifetime: string | null = null) {
    this.#codings = mount.precompressed ?? [];
    this.#rules = (mount.cacheControl ?? []).map(({ pattern, value }) => ({ pattern: globToRegExp(pattern), value }));
    this.#immutable = mount.immutable ?? 'auto';
    this.#more = mount.headers ?? [];
    this.#lifetime = lifetime;
  }

  /** The codings of `path` that lie beside it and are not older than it, the server's favourite first. */
  encodingsOf(path: string, { mtimeNs }: BigIntStats): Promise<readonly Coding[]> | readonly Coding[] {
    return this.#codings.length === 0 ? NO_CODINGS : encodingsBeside(path, mtimeNs, this.#codings);
  }

  /** `content` is null where the file is too large to be in memory. */
  async present(root: string, path: string, content: Buffer | null, varies: boolean): Promise<Presentation> {
    const lifetime = this.#lifetime ?? this.#ruled(root, path) ?? (await this.#automatic(root, path, content));
    return { contentType: contentType(path), encoding: null, lifetime, varies, more: this.#more };
  }

  #ruled(root: string, path: string): string | null {
    if (this.#rules.length === 0) return null;
    const below = path.slice(root.endsWith('/') ? root.length - 1 : root.length);
    return this.#rules.find(({ pattern }) => pattern.test(below))?.value ?? null;
  }

  async #automatic(root: string, path: string, content: Buffer | null): Promise<string> {
    if (this.#immutable === 'never') return ASK_AGAIN;
    if (content !== null && isNamedAfter(content, path)) return FOR_GOOD;
    if (!looksHashed(path)) return ASK_AGAIN;
    return this.#immutable === 'always' || (await isInManifest(root, path)) ? FOR_GOOD : ASK_AGAIN;
  }
}

/** The path of the file that holds `path` in `coding`. */
export function encodedPath(path: string, coding: Coding): string {
  return path + EXTENSIONS[coding];
}

const EXTENSIONS: Readonly<Record<Coding, string>> = { br: '.br', zstd: '.zst', gzip: '.gz' };
const NO_CODINGS: readonly Coding[] = [];

/** A file that is older than its original was made of another version of it. */
async function encodingsBeside(path: string, mtimeNs: bigint, codings: readonly Coding[]): Promise<readonly Coding[]> {
  const found = await Promise.all(
    codings.map(async (coding) => {
      try {
        const status = await stat(systemPath(encodedPath(path, coding)), { bigint: true });
        return status.isFile() && status.mtimeNs >= mtimeNs;
      } catch {
        return false;
      }
    }),
  );
  return codings.filter((_, i) => found[i]);
}
