import { statSync } from 'node:fs';
import type { Disk, PathKind } from './outcome.ts';

/** The disk of this machine, as it is when a path is asked for first. A path that cannot be read counts as missing. */
export function realDisk(): Disk {
  const known = new Map<string, PathKind>();
  return (path) => {
    const kind = known.get(path) ?? kindAt(path);
    known.set(path, kind);
    return kind;
  };
}

function kindAt(path: string): PathKind {
  try {
    const stats = statSync(path);
    return stats.isDirectory() ? 'directory' : stats.isFile() ? 'file' : null;
  } catch {
    return null;
  }
}
