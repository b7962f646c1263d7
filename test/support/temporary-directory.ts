import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Lifetime } from './lifetime.ts';

/** Makes a directory, and removes it with its content when the lifetime is over. Returns its path. */
export function temporaryDirectory(t: Lifetime): string {
  const path = mkdtempSync(join(tmpdir(), 'viaduct-test-'));
  t.after(() => rmSync(path, { recursive: true, force: true, maxRetries: 5 }));
  return path;
}
