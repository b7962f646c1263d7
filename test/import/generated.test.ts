import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readImported } from '../../src/cli/import/open-site.ts';
import { importFile } from '../../src/import/import-file.ts';
import { makeProject } from '../support/project.ts';
import { render } from './judge/configuration.ts';
import { generate } from './judge/generate.ts';
import { preparePlace } from './judge/place.ts';

const SEED = 900_090;
const COUNT = 60;

describe('a generated configuration of nginx', () => {
  it(`becomes settings that a server reads, and is checked: ${COUNT} with seed ${SEED}`, async (t) => {
    const cwd = makeProject(t, {});
    const place = await preparePlace(t);
    for (let index = 0; index < COUNT; index += 1) {
      const text = `http {\n${render(generate(SEED + index, place))}}\n`;
      writeFileSync(join(cwd, 'nginx.conf'), text);
      try {
        const { checked } = await importFile({
          file: 'nginx.conf',
          kind: 'nginx',
          cwd,
          outputDirectory: null,
          readImported,
          variablesIn: () => [],
        });
        assert.ok(Array.isArray(checked.findings));
      } catch (error) {
        assert.fail(`seed ${SEED + index}: ${String(error)}\n${String((error as Error).cause ?? '')}\n${text}`);
      }
    }
  });
});
