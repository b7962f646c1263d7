import { type FSWatcher, watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Backend } from '../backend.ts';
import type { Discovery } from './discovery.ts';

export interface FileOptions {
  readonly path: string;
  readonly parse: (url: string) => Backend | null;
  /** Interval for reading the file when no change event arrives. */
  readonly pollMs: number;
  readonly onError: (message: string) => void;
}

const BYTES_MAX = 16 * 1024 * 1024;
/** A file that is being written produces several change events. */
const SETTLE_MS = 20;

/**
 * Reads backends from a file. Each line contains a URL, then optionally `weight=N` and `backup`; `#` starts a comment.
 * The file is read again when it or its directory changes. When the file is invalid, the last valid backends stay in
 * use.
 */
export function fileDiscovery({ path, parse, pollMs, onError }: FileOptions): Discovery {
  let last: string | null = null;
  let failing = false;
  let stopped = false;
  let watcher: FSWatcher | null = null;
  let poll: NodeJS.Timeout | null = null;
  let settle: NodeJS.Timeout | null = null;

  async function read(onBackends: (backends: readonly Backend[]) => void): Promise<void> {
    try {
      const text = await readFile(path, 'utf8');
      if (stopped || text === last) return;
      last = text;
      if (text.length > BYTES_MAX) throw new Error('the file is too long');
      const backends = parseLines(text, parse);
      failing = false;
      onBackends(backends);
    } catch (error) {
      if (!failing && !stopped) onError(`Cannot read backends from "${path}": ${(error as Error).message}`);
      failing = true;
    }
  }

  return {
    start(onBackends) {
      const readSoon = (): void => {
        settle ??= setTimeout(() => {
          settle = null;
          void read(onBackends);
        }, SETTLE_MS);
      };
      try {
        watcher = watch(dirname(path), readSoon);
        watcher.on('error', () => {});
        watcher.unref();
      } catch {
        // Without a watch, polling still finds changes.
      }
      poll = setInterval(() => void read(onBackends), pollMs).unref();
      void read(onBackends);
    },
    stop() {
      stopped = true;
      watcher?.close();
      if (poll !== null) clearInterval(poll);
      if (settle !== null) clearTimeout(settle);
    },
  };
}

function parseLines(text: string, parse: (url: string) => Backend | null): Backend[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    const [url = '', ...options] = line
      .replace(/(?:^|\s)#.*$/, '')
      .trim()
      .split(/\s+/);
    if (url === '') return [];
    const backend = parse(url);
    if (backend === null) throw new Error(`line ${index + 1}: "${url}" is not a backend`);
    return [options.reduce((changed, option) => withOption(changed, option, index + 1), backend)];
  });
}

function withOption(backend: Backend, option: string, line: number): Backend {
  if (option === 'backup') return { ...backend, backup: true };
  const weight = Number(/^weight=(\d{1,3})$/.exec(option)?.[1]);
  if (weight >= 1 && weight <= 100) return { ...backend, weight };
  throw new Error(`line ${line}: "${option}" is neither "backup" nor "weight=1" to "weight=100"`);
}
