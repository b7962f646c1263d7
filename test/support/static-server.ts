import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Connections } from '../../src/http/connections.ts';
import type { Handler, Next } from '../../src/http/handler.ts';
import { Response } from '../../src/http/response.ts';
import { compose } from '../../src/web/compose.ts';
import type { StaticMount } from '../../src/web/files/mount.ts';
import { type StaticOptions, staticFiles } from '../../src/web/handlers/static.ts';

export interface StaticServer {
  readonly port: number;
  /** What was reported to the log. */
  readonly errors: readonly unknown[];
  close(): void;
}

/** Serves `mounts` in this process; what they pass on gets `200 passed on`. */
export function startStaticServer(
  mounts: readonly StaticMount[],
  options: Partial<StaticOptions> = {},
): Promise<StaticServer> {
  const files = staticFiles({ mounts, cacheBytesMax: 1_000_000, revalidateMs: 0, ...options });
  return startHandlers([files], () => Response.text(200, 'passed on'));
}

/** Serves a chain of handlers in this process. */
export async function startHandlers(handlers: readonly Handler[], last: Next): Promise<StaticServer> {
  const errors: unknown[] = [];
  const connections = new Connections({
    handle: compose(handlers, last),
    limits: {},
    onAnswered: null,
    onError: (error) => errors.push(error),
  });
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) => connections.accept(socket, 0));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    server.close();
    connections.destroy();
  };
  return { port: (server.address() as AddressInfo).port, errors, close };
}

/** A new directory and what removes it. */
export function temporaryDirectory(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'viaduct-test-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}
