import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readImported } from '../../src/cli/import/open-site.ts';
import { ViaductError } from '../../src/errors.ts';
import { importFile } from '../../src/import/import-file.ts';
import { makeProject } from '../support/project.ts';
import { createRandom } from '../support/random.ts';
import { ROOT } from '../support/viaduct.ts';

const CASES = join(ROOT, 'test/import/cases');
const SEED = 20_261_125;

/** The words of all configurations of a kind, and the configurations. */
function corpus(file: string): { readonly texts: readonly string[]; readonly words: readonly string[] } {
  const directories = readdirSync(CASES).filter((name) => readdirSync(join(CASES, name)).includes(file));
  const texts = directories.map((name) => readFileSync(join(CASES, name, file), 'utf8'));
  return { texts, words: [...new Set(texts.flatMap((text) => text.split(/(?<=[\s;{}=])/)))] };
}

/** The text with some words removed, doubled or replaced by others. */
function changed(text: string, words: readonly string[], random: () => number): string {
  const parts = text.split(/(?<=[\s;{}=])/);
  for (let change = 0; change < 4; change += 1) {
    const at = Math.floor(random() * parts.length);
    const word = words[Math.floor(random() * words.length)] as string;
    parts.splice(at, random() < 0.5 ? 1 : 0, ...(random() < 0.7 ? [word] : []));
  }
  return parts.join('');
}

describe('a configuration with words changed at random', () => {
  for (const [file, rounds] of [
    ['nginx.conf', 250],
    ['uwsgi.ini', 150],
    ['apache.conf', 150],
    ['supervisor.conf', 50],
    ['app.service', 50],
    ['gunicorn.conf.py', 150],
    ['Procfile', 50],
  ] as const) {
    it(`becomes readable settings, or is refused with its line: ${file}`, async (t) => {
      const random = createRandom(SEED);
      const { texts, words } = corpus(file);
      const cwd = makeProject(t, {});
      for (let round = 0; round < rounds; round += 1) {
        const text = changed(texts[Math.floor(random() * texts.length)] as string, words, random);
        writeFileSync(join(cwd, file), text);
        try {
          await importFile({ file, kind: null, cwd, outputDirectory: null, readImported, variablesIn: () => [] });
        } catch (error) {
          const { cause } = error as Error;
          assert.ok(error instanceof ViaductError, `${String(error)}\n${String(cause)}\n${text}`);
          assert.match(error.message, /^Cannot (?:read|import) /);
        }
      }
    });
  }
});
