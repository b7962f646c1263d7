import type { CreateServerOptions } from './server-options.ts';
import { startConfigured } from './start-configured.ts';
import { type ViaductServer, viaductServer } from './viaduct-server.ts';

/**
 * Starts a server inside another program or a test, and resolves when it listens and all its applications are up. It touches no signal, writes nothing
 * to standard output unless `accessLog` is set, and never ends the process.
 *
 * For one application on one address, `serve` is shorter.
 *
 * @throws ViaductError `SETTINGS` with every wrong option, one per line; `LISTEN` for an address that cannot be bound; `CERTIFICATE` for one that cannot
 * be used; and what applications throw when they start, such as `APPLICATION_BROKEN`
 *
 * @example
 * ```ts
 * import { createServer, pythonApp } from 'viaduct';
 *
 * await using server = await createServer({
 *   application: pythonApp({ project: 'shop.wsgi:application' }),
 *   listen: '127.0.0.1:0',
 *   route: [{ path: '/api/*', rateLimit: { rate: '20/s', burst: 40 } }],
 * });
 * console.log(server.url);
 * ```
 */
export async function createServer(options: CreateServerOptions = {}): Promise<ViaductServer> {
  return viaductServer(await startConfigured(options));
}
