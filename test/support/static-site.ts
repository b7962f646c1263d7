import { deepEqual } from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { StaticMount } from '../../src/static/mount.ts';
import { ask, type HttpAnswer } from './http-client.ts';
import { startStaticServer, temporaryDirectory } from './static-server.ts';

/** A directory with `files`, by their names. */
export function site(files: Record<string, string>) {
  const temporary = temporaryDirectory();
  const root = join(temporary.path, 'root');
  mkdirSync(root);
  const write = (name: string, content: string) => {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  };
  for (const [name, content] of Object.entries(files)) write(name, content);
  return { root, top: temporary.path, write, remove: temporary.remove };
}

/** Runs `use` with a server of one mount of `root`. */
export async function serving(
  mount: Omit<StaticMount, 'urlPrefix' | 'directories'> & Partial<StaticMount>,
  root: string,
  use: (
    get: (target: string, headers?: readonly (readonly [string, string])[], method?: string) => Promise<HttpAnswer>,
  ) => Promise<void>,
): Promise<void> {
  const server = await startStaticServer([{ urlPrefix: '/', directories: [root], ...mount }]);
  try {
    await use((target, headers = [], method = 'GET') => ask(server.port, target, { headers, method }));
    deepEqual(server.errors, []);
  } finally {
    server.close();
  }
}
