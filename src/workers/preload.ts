/**
 * Where the application is imported: `always` in the zygote, which forks the workers; `when-safe` there too, unless the
 * import leaves what forked workers cannot share; `never` in the zygote, but in each worker.
 */
export type Preload = 'always' | 'when-safe' | 'never';

/** The meaning of the setting. `isWritten` says whether somebody wrote it, so that it is not the default. */
export function preloadOf(setting: boolean, isWritten: boolean): Preload {
  if (!setting) return 'never';
  return isWritten ? 'always' : 'when-safe';
}

/** How the finding of a lock starts; fork_safety.py has the same text. */
const LOCK = 'a lock on ';

/** Whether the import takes a lock, which one process at a time can hold. */
export function takesLock(findings: readonly string[]): boolean {
  return findings.some((finding) => finding.startsWith(LOCK));
}

/** What the log says of an application whose import leaves these threads, connections, event loops and files. */
export function unsafeWarning(findings: readonly string[], preload: Preload): string {
  const left = `The import of the application leaves what forked workers cannot share: ${findings.join(', ')}`;
  if (takesLock(findings) && preload !== 'always')
    return `${left}. So each worker imports the application by itself. One process at a time can hold a lock: write workers = 1, unless the application goes on without it`;
  return preload === 'always'
    ? `${left}. A thread does not run in the workers, and a connection or a file is one for all of them. Start and open them in the hook after_fork, or set preload = false`
    : `${left}. So each worker imports the application by itself, which takes more memory. Start and open them in the hook after_fork to share it, or write preload = true`;
}
