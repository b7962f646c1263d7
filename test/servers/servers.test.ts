import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { missing } from '../support/peer.ts';
import { NO_PACKAGES, PYTHON_WITH_PACKAGES, ROOT } from '../support/viaduct.ts';
import { NO_ADDRESSES } from '../swap/addresses.ts';
import { behaviourOf } from './aspects.ts';
import { measure, type Observations } from './measure.ts';
import { type Recorded, renderIndex, renderServer } from './page.ts';
import { SERVERS, type Server, startOurs, startServer } from './peers.ts';
import { changesOf, readRecording, writeRecording } from './recorded.ts';

/** With it, the recording and the pages are written again. */
const WRITES = process.env.VIADUCT_WRITE_DOCS === '1';
delete process.env.VIADUCT_WRITE_DOCS; // Viaduct knows no such setting
/** They are seldom busy: most of the time is spent on connections that stay open. */
const AT_ONCE = 8;

const measured: Record<string, Recorded> = {};

describe('the behaviour of', { skip: NO_ADDRESSES || NO_PACKAGES, concurrency: AT_ONCE }, () => {
  it('Viaduct is as recorded', async (t) => {
    const recordedOf = (observations: Observations) => ({ version: '', behaviour: behaviourOf(observations) });
    const address = await startOurs(t);
    compare('viaduct', recordedOf(await measure(address, (seen) => isAsRecorded('viaduct', recordedOf(seen)))));
  });

  for (const server of SERVERS) {
    const needs = server.name === 'mod_wsgi' ? missing('apache2') : false;
    it(`${server.title} is as recorded, if it is the same version`, { skip: needs }, async (t) => {
      const recordedOf = (observations: Observations) => ({
        version: versionOf(server, observations),
        behaviour: behaviourOf(observations),
      });
      const isExpected = (seen: Observations) => isAsRecorded(server.name, recordedOf(seen));
      const address = await startServer(t, server);
      compare(server.name, recordedOf(await measure(address, isExpected, server.isOneAtATime ? 1 : undefined)));
    });
  }

  after(() => {
    if (WRITES)
      writeRecording(
        Object.fromEntries(
          ['viaduct', ...SERVERS.map(({ name }) => name)].map((name) => [name, measured[name] as Recorded]),
        ),
      );
  });
});

describe('the pages of docs/servers', () => {
  const pages = (): [path: string, text: string][] => {
    const recording = readRecording();
    return [
      ['docs/servers.md', renderIndex(recording)],
      ...SERVERS.map((server): [string, string] => [`docs/servers/${server.name}.md`, renderServer(server, recording)]),
    ];
  };

  it('say what was recorded', () => {
    for (const [path, text] of pages()) {
      const file = join(ROOT, path);
      mkdirSync(dirname(file), { recursive: true });
      if (WRITES) writeFileSync(file, text);
      else
        assert.equal(
          readFileSync(file, 'utf8'),
          text,
          'run this test with VIADUCT_WRITE_DOCS=1 to write the pages again',
        );
    }
  });
});

function isAsRecorded(name: string, now: Recorded): boolean {
  const recorded = readRecording()[name] as Recorded;
  return !WRITES && (recorded.version !== now.version || changesOf(recorded, now).length === 0);
}

function compare(name: string, now: Recorded): void {
  measured[name] = now;
  if (isAsRecorded(name, now) || WRITES) return;
  assert.deepEqual(changesOf(readRecording()[name] as Recorded, now), [], `rows of ${name} changed`);
}

function versionOf(server: Server, observations: Observations): string {
  if (server.name === 'mod_wsgi') return String(observations.plain?.environ?.['mod_wsgi.version']).replaceAll(',', '.');
  const code =
    server.package === null
      ? 'import sys; print("CPython %d.%d" % sys.version_info[:2])'
      : `from importlib.metadata import version; print(version("${server.package}"))`;
  return execFileSync(PYTHON_WITH_PACKAGES as string, ['-c', code], { encoding: 'utf8' }).trim();
}
