import type { HeaderList } from '../http/message.ts';

/** Content codings of precompressed files. */
export type Coding = 'br' | 'zstd' | 'gzip';

/** Files below a path, and how they are served. */
export interface StaticMount {
  /** The prefix of the files' URLs, not percent-encoded; starts and ends with a slash. */
  readonly urlPrefix: string;
  /** Absolute paths; the first directory that contains the file wins. */
  readonly directories: readonly string[];
  /**
   * Codings of precompressed files beside the original (`app.js.br`, `.zst`, `.gz`), in order of preference. They are
   * sent to clients that accept them. Empty by default.
   */
  readonly precompressed?: readonly Coding[];
  /** Names of files that represent their directory, such as `index.html`. None by default. */
  readonly index?: readonly string[];
  /**
   * Path below the directories of a file for paths without a file, sent when the client accepts HTML. None by default.
   */
  readonly fallback?: string;
  /**
   * `pages`, the default: only paths without a dot in their last segment; `all`: also paths that look like a missing
   * asset.
   */
  readonly fallbackFor?: 'pages' | 'all';
  /** Files to try in order; `{path}` is the path below the prefix. `['{path}']` by default. */
  readonly tryFiles?: readonly string[];
  /**
   * Which files with a hash in their name never change. `auto`, the default: names that contain the MD5 of their
   * content (Django), and names in a manifest of the build tool; `always`: all names that look hashed; `never`: none.
   */
  readonly immutable?: 'auto' | 'always' | 'never';
  /** Cache-Control for files by pattern. The first matching rule wins and overrides `immutable`. */
  readonly cacheControl?: readonly CacheRule[];
  /**
   * Media types by extension, in lower case and without a dot, instead of the usual ones. With an empty table, all files
   * have the `defaultType`.
   */
  readonly types?: Readonly<Record<string, string>>;
  /** Media type of files whose extension is not known; `application/octet-stream` by default. */
  readonly defaultType?: string;
  /** Fields for every response with a file. They replace Viaduct's own fields of the same name. */
  readonly headers?: HeaderList;
  /** Whether directories without an index are listed. */
  readonly listing?: boolean;
  /** Whether paths without a file, and other methods, are passed on. By default only the mount at `/` does so. */
  readonly fallthrough?: boolean;
}

/** A rule for Cache-Control. */
export interface CacheRule {
  /** A glob: without a slash for the file's name (`*.css`), with a slash for its path below the mount (`/img/**`). */
  readonly pattern: string;
  /** Value of Cache-Control. */
  readonly value: string;
}

/** Whether the mount passes on paths without a file. */
export function fallsThrough({ urlPrefix, fallthrough }: StaticMount): boolean {
  return fallthrough ?? urlPrefix === '/';
}
