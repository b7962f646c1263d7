import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type StaticOptions, staticFiles } from '../../src/handlers/files/static.ts';
import { Response } from '../../src/http/response.ts';
import type { StaticMount } from '../../src/static/mount.ts';
import { startChainServer } from './chain-server.ts';
import type { TestServer } from './serve.ts';

/** Serves `mounts` in this process; what they pass on gets `200 passed on`. */
export function startStaticServer(
  mounts: readonly StaticMount[],
  options: Partial<StaticOptions> = {},
): Promise<TestServer> {
  const files = staticFiles({ mounts, cacheBytesMax: 1_000_000, revalidateMs: 0, ...options });
  return startChainServer([files], () => Response.text(200, 'passed on'));
}

/** A new directory and what removes it. */
export function temporaryDirectory(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'viaduct-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
