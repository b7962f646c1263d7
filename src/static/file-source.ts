import type { Candidate } from './candidate.ts';
import type { Directory } from './directory.ts';
import type { StaticFile } from './static-file.ts';

/** Where files and directories are found: on the disk, through a `FileCache`. A dry run has a disk of its own. */
export interface FileSource {
  /** The file of `key` if it can be sent without a look at the disk. */
  fresh(key: string): StaticFile | null;
  /**
   * The current version of the first existing file of `candidates`; null when none exists. Concurrent requests for the
   * same key share the work.
   */
  load(key: string, candidates: readonly Candidate[]): Promise<StaticFile | null>;
  /** See `readDirectory` in `directory.ts`. */
  readDirectory(root: string, path: string): Promise<Directory | null>;
  /** Whether `readDirectory` would return a directory. */
  isDirectory(root: string, path: string): Promise<boolean>;
}
