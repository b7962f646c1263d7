import { readdirSync, watch } from 'node:fs';
import { join } from 'node:path';

/** Editors write a file in several steps, and a checkout writes many files. */
const SETTLE_MS = 150;
const NOT_WATCHED = new Set(['node_modules', '__pycache__', '.venv']);

/**
 * Calls `onChange` after a file below the directories has changed: once for changes that come together. Directories that appear later are
 * watched too.
 *
 * @param {readonly string[]} directories
 * @param {RegExp} names which names of files count
 * @param {(path: string) => void} onChange gets one of the changed files
 * @returns {() => void} a function that ends it
 */
export function watchFiles(directories, names, onChange) {
  /** @type {Map<string, import('node:fs').FSWatcher>} */
  const watchers = new Map();
  let timer = null;
  let changed = null;
  const note = (directory, name) => {
    if (names.test(name)) changed = join(directory, name);
    clearTimeout(timer);
    timer = setTimeout(settle, SETTLE_MS);
  };
  const watchNew = (isFirst) => {
    for (const directory of directories.flatMap(directoriesBelow)) {
      if (watchers.has(directory)) continue;
      const watcher = watch(directory, (_event, name) => note(directory, name ?? ''));
      watchers.set(directory, watcher);
      watcher.on('error', () => {
        watcher.close();
        watchers.delete(directory);
      });
      if (!isFirst) for (const name of readdirSync(directory)) note(directory, name);
    }
  };
  const settle = () => {
    const path = changed;
    changed = null;
    watchNew(false);
    if (path !== null) onChange(path);
  };
  watchNew(true);
  return () => {
    clearTimeout(timer);
    for (const watcher of watchers.values()) watcher.close();
  };
}

function directoriesBelow(top) {
  const below = readdirSync(top, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !NOT_WATCHED.has(entry.name))
    .flatMap((entry) => directoriesBelow(join(top, entry.name)));
  return [top, ...below];
}
