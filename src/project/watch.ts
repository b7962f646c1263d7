import { type FSWatcher, lstatSync, readdirSync, watch } from 'node:fs';
import { join, sep } from 'node:path';

/** Changes that are not further apart come together. */
export const SETTLE_MS = 150;
const DIRECTORIES_MAX = 2000;
/** Which files of a directory an application reads once and keeps. */
export interface KeptFiles {
  readonly names: RegExp;
  /** Whether all files below a directory `templates` count too. */
  readonly templates: boolean;
}

/** Of a Python project: its code, its templates (Django and Jinja cache them), its translations. */
export const PROJECT_FILES: KeptFiles = { names: /\.(?:py|html?|jinja2?|j2|mo)$/, templates: true };
/** Of an application in TypeScript: its code. */
export const MODULE_FILES: KeptFiles = { names: /\.(?:[cm]?[jt]sx?|json)$/, templates: false };
const TEMPLATES = `${sep}templates${sep}`;
const NOT_WATCHED = new Set(['node_modules', '__pycache__', 'venv', 'env', 'site-packages']);

/**
 * Calls `onChange` when a file below `directory` changed that an application keeps, once for changes that come together. Virtual environments and
 * hidden directories are left out, directories that come later are not. Returns a function that ends it.
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

/** Watches a directory: null for one that is not there, or when the system has no watch left. */
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
  const found = [top];
  for (let next = 0; next < found.length && found.length < DIRECTORIES_MAX; next += 1) {
    const at = found[next] as string;
    for (const name of namesIn(at)) if (isWatched(at, name)) found.push(join(at, name));
  }
  return found;
}

/** Whether `name` is a directory that may hold code. */
function isWatched(parent: string, name: string): boolean {
  if (name.startsWith('.') || NOT_WATCHED.has(name)) return false;
  return lstatSync(join(parent, name), { throwIfNoEntry: false })?.isDirectory() === true;
}

/** Empty for a directory that is gone again. */
function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
