import type { FSWatcher } from 'node:fs';
import { realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { openWatch, SETTLE_MS } from './watch.ts';

/**
 * Calls `onChange` when one of the files at `paths` (absolute) was written, replaced, removed or made, once for changes that come together.
 * Of a symbolic link the file behind it counts as well. Their directories are what is watched, so that a file need not be there yet, and
 * one that an editor replaces is not lost; a directory that is missing is left out. Returns a function that ends it.
 */
export function watchFiles(paths: readonly string[], onChange: () => void, settleMs = SETTLE_MS): () => void {
  const names = new Map<string, Set<string>>();
  for (const path of new Set([...paths, ...paths.map(behindLinks)])) {
    const directory = dirname(path);
    names.set(directory, (names.get(directory) ?? new Set()).add(basename(path)));
  }
  let timer: NodeJS.Timeout | null = null;
  const watchers: FSWatcher[] = [];
  for (const [directory, wanted] of names) {
    const watcher = openWatch(directory, (name) => {
      if (!wanted.has(name)) return;
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

function behindLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
