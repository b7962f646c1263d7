import { type StaticOptions, staticFiles } from '../../src/handlers/files/static.ts';
import { Response } from '../../src/http/response.ts';
import type { StaticMount } from '../../src/static/mount.ts';
import type { Lifetime } from './lifetime.ts';
import { serveHandler, type TestServer } from './serve-handler.ts';

/** Starts a server in this process that serves the files of `mounts`. What they pass on is answered with `200 passed on`. */
export function serveFiles(
  t: Lifetime,
  mounts: readonly StaticMount[],
  options: Partial<StaticOptions> = {},
): Promise<TestServer> {
  const files = staticFiles({ mounts, cacheBytesMax: 1_000_000, revalidateMs: 0, ...options });
  return serveHandler(t, [files, () => Response.text(200, 'passed on')]);
}
