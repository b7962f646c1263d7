import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { within } from '../support/wait.ts';
import { loadScript } from './load.ts';

interface Compilation {
  readonly succeeded: boolean;
  readonly output: string;
}

const { compileAtChanges } = (await loadScript('compile-at-changes.mjs')) as {
  compileAtChanges: (directory: string, onCompiled: (compilation: Compilation) => void) => () => void;
};
const { watchFiles } = (await loadScript('watch-files.mjs')) as {
  watchFiles: (directories: readonly string[], names: RegExp, onChange: (path: string) => void) => () => void;
};

/** A compiler starts in a second, on a busy machine in many. */
const PATIENCE_MS = 60_000;

describe('compilation at changes', () => {
  it('reports each one with its errors', async (t) => {
    const directory = temporary(t);
    mkdirSync(join(directory, 'src'));
    const write = (text: string) => writeFileSync(join(directory, 'src/a.ts'), text);
    write('export const a: number = 1;\n');
    const compilerOptions = { noEmit: true, types: [], module: 'nodenext', target: 'es2023' };
    writeFileSync(join(directory, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['src'] }));
    const compilations = queue<Compilation>();
    t.after(compileAtChanges(directory, compilations.put));
    assert.equal((await compilations.next()).output, '');
    write("export const a: number = '1';\n");
    const { succeeded, output } = await compilations.next();
    assert.equal(succeeded, false);
    assert.match(output, /a\.ts\(1,14\): error TS2322/);
    write('export const a: number = 2;\n');
    assert.equal((await compilations.next()).succeeded, true);
  });
});

describe('watched files', () => {
  it('report a change of a file with such a name, once, also in a directory that appears later', async (t) => {
    const directory = temporary(t);
    mkdirSync(join(directory, 'sub'));
    const changes = queue<string>();
    t.after(watchFiles([directory], /\.py$/, changes.put));
    writeFileSync(join(directory, 'notes.txt'), '');
    writeFileSync(join(directory, 'sub/a.py'), '');
    writeFileSync(join(directory, 'sub/a.py'), 'a = 1\n');
    assert.equal(await changes.next(), join(directory, 'sub/a.py'));
    mkdirSync(join(directory, 'later'));
    const path = join(directory, 'later/b.py');
    writeFileSync(path, '');
    assert.equal(await changes.next(), path);
  });
});

function temporary(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'viaduct-watch-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Values in the order in which they come. */
function queue<T>() {
  const values: T[] = [];
  let wake = (): void => {};
  return {
    put: (value: T): void => {
      values.push(value);
      wake();
    },
    next: (): Promise<T> =>
      within(PATIENCE_MS, 'the next value', async () => {
        while (values.length === 0) await new Promise<void>((resolve) => (wake = resolve));
        return values.shift() as T;
      }),
  };
}
