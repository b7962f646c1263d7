import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Disk } from '../../../src/import/check/outcome.ts';

/** Below each root. A path that ends with a slash is an empty directory. */
const IN_BOTH = ['index.html', 'a/index.html', 'a/b/c.css', 'a/x.php', 'static/app.js', 'static/a.css', 'empty/'];
const IN_WWW = [
  'x.css',
  'dir/x.html',
  'dir/y',
  'b',
  '404.html',
  '50x.html',
  'a b+c.html',
  'sub/index.htm',
  'one.d/two',
  'é/ü.html',
];
const IN_OTHER = ['b/c.css', 'x.html', 'app/index.html', 'a/b/index.html', 'index.php', 'c.css', 'dir'];

export const ROOTS = ['www', 'other'] as const;

/** Writes the files that generated configurations serve. Each one contains its own path. */
export function writeSite(directory: string): void {
  for (const root of ROOTS) {
    for (const name of [...IN_BOTH, ...(root === 'www' ? IN_WWW : IN_OTHER)]) {
      const path = join(directory, root, name);
      mkdirSync(name.endsWith('/') ? path : dirname(path), { recursive: true });
      if (!name.endsWith('/')) writeFileSync(path, fileContent(path));
    }
  }
  writeFileSync(join(directory, 'passwords'), 'user:{PLAIN}secret\n');
}

export function fileContent(path: string): string {
  return `file:${path}`;
}

/** Paths of the files in URLs. */
export const FILE_PATHS: readonly string[] = [...IN_BOTH, ...IN_WWW, ...IN_OTHER].flatMap((name) => {
  const path = `/${name}`;
  return [path, dirname(path), `${dirname(path)}/`.replace('//', '/')];
});

/** The disk of this machine. A path that cannot be read counts as missing, as for nginx. */
export const realDisk: Disk = (path) => {
  try {
    const stats = statSync(path);
    return stats.isDirectory() ? 'directory' : stats.isFile() ? 'file' : null;
  } catch {
    return null;
  }
};

/** The files of the disk without its directories. */
export const withoutDirectories: Disk = (path) => {
  const kind = realDisk(path);
  return kind === 'directory' ? null : kind;
};
