import { type FSWatcher, readdirSync, watch } from 'node:fs';
import { join, sep } from 'node:path';

const SETTLE_MS = 150;
const DIRECTORIES_MAX = 2000;
/** What an application reads once and keeps: its code, its templates (Django and Jinja cache them), its translations. */
const KEPT = /\.(?:py|html?|jinja2?|j2|mo)$/;
const TEMPLATES = `${sep}templates${sep}`;
const NOT_WATCHED = new Set(['node_modules', '__pycache__', 'venv', 'env', 'site-packages']);

/**
 * Calls `onChange` when code or a template below `directory` changed, once for changes that come together. Virtual environments and
 * hidden directories are left out. Returns a function that ends it.
 */
export function watchProject(directory: string, onChange: () => void): () => void {
  const watchers: FSWatcher[] = [];
  let timer: NodeJS.Timeout | null = null;
  for (const path of directoriesBelow(directory)) {
    const watcher = watch(path, (_event, name) => {
      if (name === null || !(KEPT.test(name) || `${path}${sep}`.includes(TEMPLATES))) return;
      if (timer !== null) clearTimeout(timer);
      timer = setTimeout(onChange, SETTLE_MS);
    });
    watcher.on('error', () => watcher.close());
    watchers.push(watcher);
  }
  return () => {
    if (timer !== null) clearTimeout(timer);
    for (const watcher of watchers) watcher.close();
  };
}

function directoriesBelow(top: string): string[] {
  const found = [top];
  for (let next = 0; next < found.length && found.length < DIRECTORIES_MAX; next += 1) {
    const at = found[next] as string;
    for (const entry of readdirSync(at, { withFileTypes: true })) {
      if (entry.isDirectory() && !entry.name.startsWith('.') && !NOT_WATCHED.has(entry.name))
        found.push(join(at, entry.name));
    }
  }
  return found;
}
