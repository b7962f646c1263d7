import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { HeaderList } from '../http/message.ts';
import { contentType, typeByTable } from './content-type.ts';
import { globToRegExp } from './glob.ts';
import { isInManifest, isNamedAfter, looksHashed } from './hashed-names.ts';
import type { Coding, StaticMount } from './mount.ts';
import { systemPath } from './path.ts';

/** Properties of the responses with a file, except those of its version. */
export interface Presentation {
  readonly contentType: string;
  /** Content-Encoding; null for the original file. */
  readonly encoding: Coding | null;
  /** Value of Cache-Control. */
  readonly lifetime: string;
  /** Whether the response depends on Accept-Encoding. */
  readonly varies: boolean;
  /** Fields configured for the mount. */
  readonly mountHeaders: HeaderList;
}

/** Browsers keep the file and revalidate it before each use. */
export const REVALIDATE = 'no-cache';
const IMMUTABLE = 'public, max-age=31536000, immutable';

/** The presentation without any options. */
export function plainPresentation(path: string): Presentation {
  return { contentType: contentType(path), encoding: null, lifetime: REVALIDATE, varies: false, mountHeaders: [] };
}

/** Determines the presentation of the files of one mount. */
export class Presenter {
  readonly #codings: readonly Coding[];
  readonly #rules: readonly { readonly pattern: RegExp; readonly value: string }[];
  readonly #immutable: 'auto' | 'always' | 'never';
  readonly #mountHeaders: HeaderList;
  readonly #types: ReadonlyMap<string, string> | null;
  readonly #defaultType: string | undefined;
  readonly #lifetime: string | null;

  /** `lifetime` replaces the cache rules of the mount. */
  constructor(mount: StaticMount, lifetime: string | null = null) {
    this.#codings = mount.precompressed ?? [];
    this.#rules = (mount.cacheControl ?? []).map(({ pattern, value }) => ({ pattern: globToRegExp(pattern), value }));
    this.#immutable = mount.immutable ?? 'auto';
    this.#mountHeaders = mount.headers ?? [];
    this.#types = mount.types === undefined ? null : new Map(Object.entries(mount.types));
    this.#defaultType = mount.defaultType;
    this.#lifetime = lifetime;
  }

  /** The codings with an encoded file beside `path` that is not older than it, the server's favourite first. */
  encodingsOf(path: string, { mtimeNs }: BigIntStats): Promise<readonly Coding[]> | readonly Coding[] {
    return this.#codings.length === 0 ? NO_CODINGS : encodingsBeside(path, mtimeNs, this.#codings);
  }

  /** `content` is null for a file that is too large for memory. */
  async present(root: string, path: string, content: Buffer | null, varies: boolean): Promise<Presentation> {
    const lifetime =
      this.#lifetime ?? this.#lifetimeByRule(root, path) ?? (await this.#lifetimeByName(root, path, content));
    return { contentType: this.#typeOf(path), encoding: null, lifetime, varies, mountHeaders: this.#mountHeaders };
  }

  #typeOf(path: string): string {
    const types = this.#types;
    return types === null ? contentType(path, this.#defaultType) : typeByTable(path, types, this.#defaultType);
  }

  #lifetimeByRule(root: string, path: string): string | null {
    if (this.#rules.length === 0) return null;
    const below = path.slice(root.endsWith('/') ? root.length - 1 : root.length);
    return this.#rules.find(({ pattern }) => pattern.test(below))?.value ?? null;
  }

  async #lifetimeByName(root: string, path: string, content: Buffer | null): Promise<string> {
    if (this.#immutable === 'never') return REVALIDATE;
    if (content !== null && isNamedAfter(content, path)) return IMMUTABLE;
    if (!looksHashed(path)) return REVALIDATE;
    return this.#immutable === 'always' || (await isInManifest(root, path)) ? IMMUTABLE : REVALIDATE;
  }
}

/** The path of the variant of `path` in `coding`. */
export function encodedPath(path: string, coding: Coding): string {
  return path + EXTENSIONS[coding];
}

const EXTENSIONS: Readonly<Record<Coding, string>> = { br: '.br', zstd: '.zst', gzip: '.gz' };
const NO_CODINGS: readonly Coding[] = [];

/** An encoded file that is older than its original belongs to another version of it. */
async function encodingsBeside(path: string, mtimeNs: bigint, codings: readonly Coding[]): Promise<readonly Coding[]> {
  const exist = await Promise.all(
    codings.map(async (coding) => {
      try {
        const status = await stat(systemPath(encodedPath(path, coding)), { bigint: true });
        return status.isFile() && status.mtimeNs >= mtimeNs;
      } catch {
        return false;
      }
    }),
  );
  return codings.filter((_, i) => exist[i]);
}
