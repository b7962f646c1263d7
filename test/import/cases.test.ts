import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readImported } from '../../src/cli/import/open-site.ts';
import { sourceLocationOf } from '../../src/config/site-entries.ts';
import { ViaductError } from '../../src/errors.ts';
import { importFile } from '../../src/import/import-file.ts';
import { reportText } from '../../src/import/report-text.ts';
import { parseAddress } from '../../src/listen/address.ts';
import { createLog } from '../../src/log/log.ts';
import { buildSite } from '../../src/site/build.ts';
import { loadConfiguration } from '../../src/site/load-configuration.ts';
import { notFound } from '../../src/site/not-found.ts';
import { trustedBy } from '../../src/site/policies.ts';
import { ROOT } from '../support/viaduct.ts';

const CASES = join(ROOT, 'test/import/cases');
const FILES = [
  ...['nginx.conf', 'gunicorn.conf.py', 'uwsgi.ini', 'uwsgi.yaml', 'uwsgi.xml', 'uwsgi.json', 'apache.conf'],
  ...['Procfile', 'supervisor.conf', 'app.service'],
];

/** Directories with a configuration, and the expected settings. */
const ALL = readdirSync(CASES).map((name) => {
  const directory = join(CASES, name);
  return { name, directory, file: FILES.find((file) => existsSync(join(directory, file))) ?? '' };
});

describe('an imported configuration', () => {
  it('is found', () => assert.ok(ALL.length >= 25));

  for (const { name, directory, file } of ALL) {
    it(`becomes the settings beside it: ${name}`, async () => {
      const imported = await importFile({
        file,
        kind: null,
        cwd: directory,
        outputDirectory: null,
        readImported,
        variablesIn: () => [],
      });
      assert.equal(imported.toml, readFileSync(join(directory, 'expected.toml'), 'utf8'));
      const { lines } = reportText(imported, new Set(), true);
      assert.equal(lines.map((line) => `${line}\n`).join(''), readFileSync(join(directory, 'expected.txt'), 'utf8'));
    });

    it(`is accepted, with all its routes: ${name}`, async () => {
      const config = {
        name: 'config',
        values: [{ raw: join(directory, 'expected.toml'), shown: 'config' }],
        origin: 'test',
      } as const;
      const loaded = await loadConfiguration({ flags: [config], errors: [], environment: {}, cwd: directory });
      for (const address of loaded.settings.listen) parseAddress(address);
      const { site, settings } = loaded;
      if (site === null) return;
      trustedBy({ settings } as Parameters<typeof trustedBy>[0]);
      try {
        buildSite(site, parts(directory, settings.listen)).destroy();
      } catch (error) {
        assert.ok(error instanceof ViaductError);
        // the files that it names exist only on the machine of the configuration
        const others = error.message
          .split('\n')
          .filter((line) => !/no such file|does not exist|is not there|ENOENT/.test(line));
        assert.deepEqual(others, []);
      }
    });
  }
});

function parts(directory: string, addresses: readonly string[]): Parameters<typeof buildSite>[1] {
  return {
    locate: sourceLocationOf(new Map()),
    baseOf: () => directory,
    application: () => notFound,
    filesOf: () => [],
    main: null,
    dev: false,
    staticCacheBytesMax: 0,
    bodyBytesMax: 1024,
    listeners: [],
    addresses,
    onError: () => {},
    onRefused: () => {},
    log: createLog('text', process.stderr),
    overrides: new Map(),
    discovered: new Map(),
  };
}
