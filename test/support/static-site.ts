import { deepEqual } from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { StaticMount } from '../../src/static/mount.ts';
import { ask } from './http-client.ts';
import type { HttpAnswer } from './http-message.ts';
import type { Lifetime } from './lifetime.ts';
import { serveFiles } from './serve-files.ts';
import { temporaryDirectory } from './temporary-directory.ts';

/** Makes a directory `root` with `files`, which have their content by their names. `top` is the directory around `root`. */
export function makeSite(t: Lifetime, files: Readonly<Record<string, string>>) {
  const top = temporaryDirectory(t);
  const root = join(top, 'root');
  mkdirSync(root);
  const write = (name: string, content: string) => {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  };
  for (const [name, content] of Object.entries(files)) write(name, content);
  return { root, top, write };
}

/** Runs `use` with a server that has one mount of `root`. The server must report no error. */
export async function withMount(
  t: Lifetime,
  mount: Omit<StaticMount, 'urlPrefix' | 'directories'> & Partial<StaticMount>,
  root: string,
  use: (
    get: (target: string, headers?: readonly (readonly [string, string])[], method?: string) => Promise<HttpAnswer>,
  ) => Promise<void>,
): Promise<void> {
  const server = await serveFiles(t, [{ urlPrefix: '/', directories: [root], ...mount }]);
  await use((target, headers = [], method = 'GET') => ask(server.port, target, { headers, method }));
  deepEqual(server.errors, []);
}
