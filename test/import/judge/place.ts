import { chmodSync } from 'node:fs';
import { Authority } from '../../support/certificates.ts';
import type { Lifetime } from '../../support/lifetime.ts';
import { freePort } from '../../support/peer.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { writeSite } from './site.ts';
import { type Stubs, startStubs } from './stubs.ts';

/** What generated configurations may use. */
export interface Place {
  readonly directory: string;
  readonly ports: readonly [plain: number, other: number, secure: number];
  readonly certificate: string;
  readonly key: string;
  readonly stubs: Stubs;
}

/** A directory with files, a certificate, backends and free ports for generated configurations. */
export async function preparePlace(t: Lifetime): Promise<Place> {
  const directory = temporaryDirectory(t);
  // without a master process, nginx may serve as another user
  chmodSync(directory, 0o755);
  writeSite(directory);
  const { certificate, key } = new Authority(directory).issue('site', 'ec', ['example.org']);
  const ports = [await freePort(), await freePort(), await freePort()] as const;
  return { directory, ports, certificate, key, stubs: await startStubs(t, directory) };
}
