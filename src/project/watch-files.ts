import type { FSWatcher } from 'node:fs';
import { realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { openWatch, SETTLE_MS } from './watch.ts';

/**
 * Calls `onChange` when a file at one of `paths` (absolute) is written, replaced, removed or created, once for changes
 * within `settleMs`. For a symbolic link the target file is watched, too.
 *
 * The directories of the files are watched. So a file need not exist yet, and a file that an editor replaces stays
 * watched. Missing directories are skipped. Returns a function that ends the watch.
 */
export function watchFiles(paths: readonly string[], onChange: () => void, settleMs = SETTLE_MS): () => void {
  const names = new Map<string, Set<string>>();
  for (const path of new Set([...paths, ...paths.map(linkTarget)])) {
    const directory = dirname(path);
    names.set(directory, (names.get(directory) ?? new Set()).add(basename(path)));
  }
  let timer: NodeJS.Timeout | null = null;
  const watchers: FSWatcher[] = [];
  for (const [directory, watchedNames] of names) {
    const watcher = openWatch(directory, (name) => {
      if (!watchedNames.has(name)) return;
      if (timer !== null) clearTimeout(timer);
      timer = setTimeout(onChange, settleMs);
    });
    watcher?.on('error', () => watcher.close());
    if (watcher !== null) watchers.push(watcher);
  }
  return () => {
    if (timer !== null) clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  };
}

function linkTarget(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
