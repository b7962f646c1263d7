import { join } from 'node:path';
import type { Lifetime } from '../../support/lifetime.ts';
import { startPeer } from '../../support/peer.ts';
import { ROOT } from '../../support/viaduct.ts';
import { type Address, isListening } from '../addresses.ts';
import type { Framework, Protocol } from '../cells.ts';

/** The directory of the applications. */
export const APPS = join(ROOT, 'test/swap/apps');

/** The application of each framework, as servers name it. */
export const TARGETS: Readonly<Record<Framework, string>> = {
  Django: 'django_site.wsgi:application',
  Flask: 'flask_app:application',
  WSGI: 'plain:application',
  TypeScript: join(APPS, 'typescript.ts'),
};

/** The address of an application server for each protocol. */
export type Addresses = Readonly<Partial<Record<Protocol, Address>>>;

/** Starts an application server that runs `framework`. */
export type StartBackend = (t: Lifetime, framework: Framework) => Promise<Addresses>;

/** Starts a Python server in the directory of the applications, and waits until it listens. */
export async function startPython(
  t: Lifetime,
  program: string,
  args: readonly string[],
  addresses: Addresses,
): Promise<Addresses> {
  const env = { PYTHONDONTWRITEBYTECODE: '1', PYTHONPATH: APPS };
  const listens = async () => (await Promise.all(Object.values(addresses).map(isListening))).every(Boolean);
  await startPeer(t, program, args, { cwd: APPS, env, ready: listens });
  return addresses;
}
