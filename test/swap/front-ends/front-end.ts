import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lifetime } from '../../support/lifetime.ts';
import { startPeer } from '../../support/peer.ts';
import { type Address, CLIENT, freeAddress, isListening } from '../addresses.ts';
import type { BackendName, Protocol } from '../cells.ts';
import type { Entrance } from '../conversation.ts';
import type { Entrances } from '../suite/case.ts';

/** A route through a front-end proxy: requests for `host` go to `address`. */
export interface Route {
  readonly host: string;
  readonly protocol: Protocol;
  readonly address: Address;
  /** Some application servers need a setting of the front-end proxy. */
  readonly backend: BackendName;
}

/** The files of a front-end proxy. */
export interface ProxyFiles {
  readonly directory: string;
  /** PEM files: the certificate, its key, and both in one file. */
  readonly certificate: string;
  readonly key: string;
  readonly both: string;
}

/** The files and addresses for a configuration. */
export interface Setup extends ProxyFiles {
  readonly plain: Address;
  readonly secure: Address;
}

/** Returns the entrances of a running front-end proxy that lead to the route of `host`. */
export type EntrancesOf = (host: string) => Entrances;

/** Starts a front-end proxy with all routes. */
export type StartFrontEnd = (t: Lifetime, files: ProxyFiles, routes: readonly Route[]) => Promise<EntrancesOf>;

/** Starts a front-end proxy with the configuration of `write`. `CONF` in `args` stands for the path of the configuration. */
export async function startFrontEnd(
  t: Lifetime,
  files: ProxyFiles,
  name: string,
  args: readonly string[],
  write: (setup: Setup) => string,
): Promise<EntrancesOf> {
  const path = join(files.directory, `${name}.conf`);
  const setup = { ...files, plain: freeAddress(), secure: freeAddress() };
  writeFileSync(path, write(setup));
  const options = { cwd: files.directory, ready: () => isListening(setup.plain) };
  await startPeer(
    t,
    name,
    args.map((arg) => arg.replace('CONF', path)),
    options,
  ).catch((error: Error) => {
    throw new Error(`${error.message}${logOf(files.directory)}`);
  });
  return entrancesOf(setup);
}

/** The error log of a front-end proxy that cannot log to a pipe. */
function logOf(directory: string): string {
  const path = join(directory, 'error.log');
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** The entrances of a front-end proxy that has TLS itself. */
export function entrancesOf({ plain, secure }: Pick<Setup, 'plain' | 'secure'>): EntrancesOf {
  return (host) => {
    const entrance: Entrance = { address: plain, host, secure: false, from: CLIENT, fields: [] };
    return { plain: entrance, secure: { ...entrance, address: secure, secure: true } };
  };
}
