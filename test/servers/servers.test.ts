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
const AT_ONCE = 4;

const measured: Record<string, Recorded> = {};

describe('the behaviour of', { skip: NO_ADDRESSES || NO_PACKAGES, concurrency: AT_ONCE }, () => {
  it('Viaduct is as recorded', async (t) => {
    compare('viaduct', { version: '', behaviour: behaviourOf(await measure(await startOurs(t))) });
  });

  for (const server of SERVERS) {
    const needs = server.name === 'mod_wsgi' ? missing('apache2') : false;
    it(`${server.title} is as recorded, if it is the same version`, { skip: needs }, async (t) => {
      const observations = await measure(await startServer(t, server), server.isOneAtATime ? 1 : undefined);
      compare(server.name, { version: versionOf(server, observations), behaviour: behaviourOf(observations) });
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

function compare(name: string, now: Recorded): void {
  measured[name] = now;
  if (WRITES) return;
  const recorded = readRecording()[name] as Recorded;
  if (recorded.version === now.version) assert.deepEqual(changesOf(recorded, now), [], `rows of ${name} changed`);
}

function versionOf(server: Server, observations: Observations): string {
  if (server.name === 'mod_wsgi') return String(observations.plain?.environ?.['mod_wsgi.version']).replaceAll(',', '.');
  const code =
    server.package === null
      ? 'import sys; print("CPython %d.%d" % sys.version_info[:2])'
      : `from importlib.metadata import version; print(version("${server.package}"))`;
  return execFileSync(PYTHON_WITH_PACKAGES as string, ['-c', code], { encoding: 'utf8' }).trim();
}
