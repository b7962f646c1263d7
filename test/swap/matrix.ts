import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Authority, NO_OPENSSL } from '../support/certificates.ts';
import { NO_ADDRESSES } from './addresses.ts';
import type { RunningBackend } from './backends/backend.ts';
import { BACKENDS, type Cell, cellsOf, FRAMEWORKS, type FrontName, runs } from './cells.ts';
import { differs, expected } from './deviations.ts';
import type { Passage, RunningFront } from './fronts/front.ts';
import { BACKEND_PEERS, FRONT_PEERS, isKnown } from './peers.ts';
import { tryCase } from './suite/case.ts';
import { SUITE } from './suite.ts';

/** Cells that are asked at a time: while one waits for a server another one has work. */
const CELLS_AT_A_TIME = 4;

/** Runs the suite with `front` before every application server, over every protocol, with every framework. */
export function testMatrix(front: FrontName): void {
  const peer = FRONT_PEERS[front];
  const cells = cellsOf(front);
  const known = isKnown(peer);
  const there = BACKENDS.filter((backend) => BACKEND_PEERS[backend].missing === false);

  describe(`${front} in front`, {
    skip: peer.missing || NO_OPENSSL || NO_ADDRESSES,
    concurrency: CELLS_AT_A_TIME,
  }, () => {
    let directory = '';
    const running = new Map<string, RunningBackend>();
    let started: RunningFront | null = null;

    before(async () => {
      directory = mkdtempSync(join(tmpdir(), 'viaduct-swap-'));
      chmodSync(directory, 0o755);
      const starts = await Promise.allSettled(
        there.flatMap((backend) =>
          FRAMEWORKS.filter((framework) => runs(backend, framework)).map(async (framework) => {
            running.set(`${backend} ${framework}`, await BACKEND_PEERS[backend].start(framework));
          }),
        ),
      );
      for (const start of starts) if (start.status === 'rejected') throw start.reason;
      const passages = cells.filter(({ backend }) => there.includes(backend)).map((cell) => passageOf(cell, running));
      started = await peer.start({ directory, ...certificates(directory) }, passages);
    });

    after(async () => {
      await started?.stop();
      await Promise.all([...running.values()].map((backend) => backend.stop()));
      rmSync(directory, { recursive: true, force: true });
    });

    for (const cell of cells) {
      const title = `serves ${cell.framework} in ${cell.backend} over ${cell.protocol} as the page says`;
      it(title, { skip: BACKEND_PEERS[cell.backend].missing }, async (t) => {
        const doors = (started as RunningFront).doors(hostOf(cell));
        const wrong: Record<string, string> = {};
        for (const one of SUITE) {
          const difference = differs(expected(cell, one.name), await tryCase(one, doors));
          if (difference !== null) wrong[one.name] = difference;
        }
        if (known) assert.deepEqual(wrong, {});
        else if (Object.keys(wrong).length > 0) t.diagnostic(`another version of ${front}: ${JSON.stringify(wrong)}`);
      });
    }
  });
}

function hostOf({ backend, protocol, framework }: Cell): string {
  return `${backend}-${protocol}-${framework}.test`.toLowerCase();
}

function passageOf(cell: Cell, running: ReadonlyMap<string, RunningBackend>): Passage {
  const place = running.get(`${cell.backend} ${cell.framework}`)?.places[cell.protocol];
  if (place === undefined) throw new Error(`${cell.backend} has no place for ${cell.protocol}`);
  return { host: hostOf(cell), protocol: cell.protocol, place, backend: cell.backend };
}

function certificates(directory: string): { certificate: string; key: string; both: string } {
  const { certificate, key } = new Authority(directory).issue('front', 'ec', ['*.test']);
  const both = join(directory, 'both.pem');
  writeFileSync(both, readFileSync(certificate, 'utf8') + readFileSync(key, 'utf8'));
  return { certificate, key, both };
}
