import { type FSWatcher, lstatSync, readdirSync, watch } from 'node:fs';
import { join, sep } from 'node:path';

/** Changes within this time are reported together. */
export const SETTLE_MS = 150;
const DIRECTORIES_MAX = 2000;
/** The files of a directory that an application reads once and keeps in memory. */
export interface KeptFiles {
  readonly names: RegExp;
  /** Whether all files below a directory named `templates` are included. */
  readonly templates: boolean;
}

/** Files of a Python project: code, templates (Django and Jinja cache them) and translations. */
export const PROJECT_FILES: KeptFiles = { names: /\.(?:py|wsgi|html?|jinja2?|j2|mo|ini)$/, templates: true };
/** Files of a TypeScript application: its code. */
export const MODULE_FILES: KeptFiles = { names: /\.(?:[cm]?[jt]sx?|json)$/, templates: false };
const TEMPLATES = `${sep}templates${sep}`;
const SKIPPED_NAMES = new Set(['node_modules', '__pycache__', 'venv', 'env', 'site-packages']);

/**
 * Calls `onChange` when a file that an application keeps in memory changes below `directory`, once for changes within
 * `settleMs`. Virtual environments and hidden directories are skipped. Directories created later are watched, too.
 * Returns a function that ends the watch.
 */
export function watchProject(
  directory: string,
  onChange: () => void,
  kept: KeptFiles = PROJECT_FILES,
  settleMs = SETTLE_MS,
): () => void {
  const watchers = new Map<string, FSWatcher>();
  let timer: NodeJS.Timeout | null = null;
  const changed = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(onChange, settleMs);
  };
  const watchBelow = (top: string): void => {
    for (const path of directoriesBelow(top)) {
      if (watchers.size >= DIRECTORIES_MAX || watchers.has(path)) continue;
      const watcher = openWatch(path, (name) => {
        if (isKept(kept, path, name)) changed();
        else if (isWatched(path, name)) {
          const added = directoriesBelow(join(path, name));
          watchBelow(join(path, name));
          if (added.some((at) => namesIn(at).some((file) => isKept(kept, at, file)))) changed();
        }
      });
      watcher?.on('error', () => {
        watcher.close();
        watchers.delete(path);
      });
      if (watcher !== null) watchers.set(path, watcher);
    }
  };
  watchBelow(directory);
  return () => {
    if (timer !== null) clearTimeout(timer);
    for (const watcher of watchers.values()) watcher.close();
  };
}

/** Watches a directory. Returns null when it does not exist or the system has no watches left. */
export function openWatch(path: string, onEvent: (name: string) => void): FSWatcher | null {
  try {
    return watch(path, (_event, name) => name !== null && onEvent(name));
  } catch {
    return null;
  }
}

function isKept({ names, templates }: KeptFiles, directory: string, name: string): boolean {
  return names.test(name) || (templates && `${directory}${sep}`.includes(TEMPLATES));
}

function directoriesBelow(top: string): string[] {
  const directories = [top];
  for (let next = 0; next < directories.length && directories.length < DIRECTORIES_MAX; next += 1) {
    const at = directories[next] as string;
    for (const name of namesIn(at)) if (isWatched(at, name)) directories.push(join(at, name));
  }
  return directories;
}

/** Whether `name` is a directory that may contain code. */
function isWatched(parent: string, name: string): boolean {
  if (name.startsWith('.') || SKIPPED_NAMES.has(name)) return false;
  return lstatSync(join(parent, name), { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Empty for a directory that was removed meanwhile. */
function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
