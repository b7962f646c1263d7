import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readImported } from '../../src/cli/import/open-site.ts';
import { findingLine } from '../../src/import/check/finding.ts';
import type { Disk } from '../../src/import/check/outcome.ts';
import { realDisk } from '../../src/import/check/real-disk.ts';
import { importFile } from '../../src/import/import-file.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describe('the check of an imported configuration', () => {
  it('also compares what both servers make of the files of this machine', async (t) => {
    const cwd = temporaryDirectory(t);
    mkdirSync(join(cwd, 'www/d'), { recursive: true });
    // no made-up disk has the second index without the first one
    writeFileSync(join(cwd, 'www/d/second.html'), '');
    writeFileSync(
      join(cwd, 'nginx.conf'),
      `server { listen 8080; root ${cwd}/www;
      location /d/ { index first.html second.html; }
      location = /d/second.html { return 200 text; } }`,
    );
    const findings = async (disk?: Disk): Promise<string[]> => {
      const options = { file: 'nginx.conf', kind: null, cwd, outputDirectory: null, readImported } as const;
      const imported = await importFile({ ...options, variablesIn: () => [], ...(disk === undefined ? {} : { disk }) });
      return imported.checked.findings.map((finding) => findingLine(finding, 'nginx'));
    };
    const before = await findings();
    const found = (await findings(realDisk())).filter((line) => !before.includes(line));
    assert.equal(found.length, 1);
    assert.match(
      found[0] ?? '',
      /location \/d\/: another answer: for GET .*\/d\/ .* nginx answers 200 .*, Viaduct answers 404/,
    );
  });

  it('takes what cannot be read for missing', () => {
    const disk = realDisk();
    assert.deepEqual(
      ['/', '/dev/null', '/dev/null/below', 'no\0name'].map((path) => disk(path)),
      ['directory', null, null, null],
    );
  });
});
