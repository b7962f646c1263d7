import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { Authority, NO_OPENSSL } from '../support/certificates.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { NO_ADDRESSES } from './addresses.ts';
import type { Addresses } from './backends/backend.ts';
import { BACKENDS, type Cell, cellsOf, FRAMEWORKS, type FrontEndName, runs } from './cells.ts';
import { differs, expected } from './deviations.ts';
import type { EntrancesOf, Route } from './front-ends/front-end.ts';
import { BACKEND_PEERS, FRONT_END_PEERS, isKnown } from './peers.ts';
import { tryCase } from './suite/case.ts';
import { SUITE } from './suite.ts';

/** Cells that are tested at the same time. While one waits for a server, another one has work. */
const CELLS_AT_A_TIME = 4;

/** Runs the suite with this front-end proxy before every application server, over every protocol, with every framework. */
export function testMatrix(frontEnd: FrontEndName): void {
  const peer = FRONT_END_PEERS[frontEnd];
  const cells = cellsOf(frontEnd);
  const known = isKnown(peer);
  const installed = BACKENDS.filter((backend) => BACKEND_PEERS[backend].missing === false);

  describe(`${frontEnd} in front`, {
    skip: peer.missing || NO_OPENSSL || NO_ADDRESSES,
    concurrency: CELLS_AT_A_TIME,
  }, () => {
    const suite = suiteLifetime();
    const running = new Map<string, Addresses>();
    let entrancesFor: EntrancesOf | null = null;

    before(async () => {
      const directory = temporaryDirectory(suite);
      chmodSync(directory, 0o755);
      const starts = await Promise.allSettled(
        installed.flatMap((backend) =>
          FRAMEWORKS.filter((framework) => runs(backend, framework)).map(async (framework) => {
            running.set(`${backend} ${framework}`, await BACKEND_PEERS[backend].start(suite, framework));
          }),
        ),
      );
      for (const start of starts) if (start.status === 'rejected') throw start.reason;
      const routes = cells.filter(({ backend }) => installed.includes(backend)).map((cell) => routeOf(cell, running));
      entrancesFor = await peer.start(suite, { directory, ...certificates(directory) }, routes);
    });

    for (const cell of cells) {
      const title = `serves ${cell.framework} in ${cell.backend} over ${cell.protocol} like the page says`;
      it(title, { skip: BACKEND_PEERS[cell.backend].missing }, async (t) => {
        const entrances = (entrancesFor as EntrancesOf)(hostOf(cell));
        const unexpected: Record<string, string> = {};
        for (const testCase of SUITE) {
          const difference = differs(expected(cell, testCase.name), await tryCase(testCase, entrances));
          if (difference !== null) unexpected[testCase.name] = difference;
        }
        if (known) assert.deepEqual(unexpected, {});
        else if (Object.keys(unexpected).length > 0)
          t.diagnostic(`another version of ${frontEnd}: ${JSON.stringify(unexpected)}`);
      });
    }
  });
}

function hostOf({ backend, protocol, framework }: Cell): string {
  return `${backend}-${protocol}-${framework}.test`.toLowerCase();
}

function routeOf(cell: Cell, running: ReadonlyMap<string, Addresses>): Route {
  const address = running.get(`${cell.backend} ${cell.framework}`)?.[cell.protocol];
  if (address === undefined) throw new Error(`${cell.backend} has no address for ${cell.protocol}`);
  return { host: hostOf(cell), protocol: cell.protocol, address, backend: cell.backend };
}

function certificates(directory: string): { certificate: string; key: string; both: string } {
  const { certificate, key } = new Authority(directory).issue('proxy', 'ec', ['*.test']);
  const both = join(directory, 'both.pem');
  writeFileSync(both, readFileSync(certificate, 'utf8') + readFileSync(key, 'utf8'));
  return { certificate, key, both };
}
