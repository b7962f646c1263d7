import type { HeaderList } from '../http/message.ts';

/** Content codings of files that lie compressed beside others. */
export type Coding = 'br' | 'zstd' | 'gzip';

/** Files below a path, and how they are served. What is not said is as without the option. */
export interface StaticMount {
  /** Where the files appear, not percent-encoded: begins and ends with a slash. */
  readonly urlPrefix: string;
  /** Absolute, in order: the first that has the file wins. */
  readonly directories: readonly string[];
  /**
   * Codings whose files beside the original (`app.js.br`, `.zst`, `.gz`) are sent to clients that take them, the one that is liked best
   * first. Empty by default.
   */
  readonly precompressed?: readonly Coding[];
  /** Names of the files that stand for their directory, such as `index.html`. None by default. */
  readonly index?: readonly string[];
  /** A file below the directories that answers what has no file, when the client takes HTML. None by default. */
  readonly fallback?: string;
  /** `pages`, the default: only paths without a dot in their last segment; `all`: also those that look like a missing asset. */
  readonly fallbackFor?: 'pages' | 'all';
  /** Files to try in order; `{path}` is the path below the prefix. `['{path}']` by default. */
  readonly tryFiles?: readonly string[];
  /**
   * Which files with a hash in their name never change. `auto`, the default: those whose name holds their content's MD5 (Django), or
   * that a manifest of the build tool names; `always`: all whose name looks like it; `never`: none.
   */
  readonly immutable?: 'auto' | 'always' | 'never';
  /** Cache-Control for files below the directories; the first rule that fits wins, also over `immutable`. */
  readonly cacheControl?: readonly CacheRule[];
  /** Fields of every answer with a file; they replace Viaduct's own of the same name. */
  readonly headers?: HeaderList;
  /** Lists directories that have no index. */
  readonly listing?: boolean;
  /** Passes on what there is no file for, and other methods. By default only the mount at `/` does. */
  readonly fallthrough?: boolean;
}

export interface CacheRule {
  /** A glob: without a slash for the file's name (`*.css`), with one for its path below the mount (`/img/**`). */
  readonly pattern: string;
  /** Value of Cache-Control. */
  readonly value: string;
}

/** Whether a path that no mount has a file for goes on. */
export function fallsThrough({ urlPrefix, fallthrough }: StaticMount): boolean {
  return fallthrough ?? urlPrefix === '/';
}
