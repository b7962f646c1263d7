import { lstatSync, mkdirSync, realpathSync } from 'node:fs';
import module from 'node:module';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

/** Node has these from 22.1 and 22.10 on. */
interface CompileCache {
  readonly enableCompileCache?: (directory: string) => unknown;
  readonly flushCompileCache?: () => void;
}

const { enableCompileCache, flushCompileCache } = module as unknown as CompileCache;
const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;
/** By then most of what a start compiles has been compiled. */
const STORE_MS = 3000;

/**
 * Lets Node keep the compiled code of modules that are loaded from now on, if it can and there is a safe place. Node runs what it finds there, so
 * a place is safe only if nobody but this user and root can write to it.
 */
export function keepCompiledCode(environment: NodeJS.ProcessEnv = process.env): void {
  if (enableCompileCache === undefined || flushCompileCache === undefined) return;
  const directory = cacheDirectory(environment);
  if (directory === null) return;
  enableCompileCache(directory);
  // Node stores it at the end of the process, which may be one that SIGKILL ends.
  setTimeout(flushCompileCache, STORE_MS).unref();
}

/** The directory for compiled code in `$XDG_CACHE_HOME` or `~/.cache`, which exists afterwards; null if the place is not safe. */
export function cacheDirectory(environment: NodeJS.ProcessEnv, home = homeDirectory()): string | null {
  const user = process.geteuid?.();
  const configured = environment.XDG_CACHE_HOME ?? '';
  const base = configured.startsWith('/') ? configured : home === '' || home === '/' ? '' : join(home, '.cache');
  if (user === undefined || base === '') return null;
  try {
    // `~/.cache` may be missing, but not the home directory. Its own name may be a link, but not those below it.
    const parent = configured.startsWith('/') ? realpathSync(base) : join(realpathSync(home), '.cache');
    const directory = join(parent, 'viaduct', 'compiled');
    if (!directoriesTo(dirname(parent)).every((path) => isSafe(path, user))) return null;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return directoriesTo(directory).every((path) => isSafe(path, user)) ? directory : null;
  } catch {
    return null; // there is no such directory, or the user may not write to it
  }
}

/** `path` and all directories that contain it. */
function directoriesTo(path: string): string[] {
  return dirname(path) === path ? [path] : [path, ...directoriesTo(dirname(path))];
}

/** Whether only this user and root decide what `path` is: in a directory like `/tmp`, others cannot replace what they do not own. */
function isSafe(path: string, user: number): boolean {
  const stats = lstatSync(path);
  const { uid, mode } = stats;
  const isShared = (mode & WRITABLE_BY_OTHERS) !== 0;
  return stats.isDirectory() && (uid === 0 || uid === user) && (!isShared || (mode & STICKY) !== 0);
}

/** '' for a user without one, as in containers that run as a number. */
function homeDirectory(): string {
  try {
    return homedir();
  } catch {
    return '';
  }
}
