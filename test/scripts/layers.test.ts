import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { ROOT } from '../support/viaduct.ts';

const REFUSED: readonly (readonly [path: string, source: string, why: RegExp])[] = [
  ...(
    [
      ['errors.ts', './http/message.ts'],
      ['http/new.ts', '../site/build.ts'],
      ['http/http1/new.ts', '../../workers/lane.ts'],
      ['listen/tls/new.ts', '../../handlers/pages/page.ts'],
      ['handlers/limits/above.ts', '../../proxy/balancer.ts'],
      ['proxy/health/new.ts', '../../listen/listener.ts'],
      ['config/site/new.ts', '../../http/message.ts'],
      ['site/new.ts', '../server/server.ts'],
    ] as const
  ).map(([path, target]) => [path, `import type { X } from '${target}';\nexport type Y = X;\n`, /may import/] as const),
  ['handlers/limits/sideways.ts', "export { cors } from '../headers/cors.ts';\n", /imports no other handler/],
  ['http/engine.ts', "import { request } from 'node:http';\nexport const y = request;\n", /node:http is for/],
  ['wsgi/left.ts', "import type { Right } from './right.ts';\nexport type Left = Right;\n", /part of a cycle/],
];
const ALLOWED: readonly (readonly [path: string, source: string])[] = [
  ['handlers/limits/below.ts', "import type { Request } from '../../http/message.ts';\nexport type Y = Request;\n"],
  ['wsgi/right.ts', "import type { Left } from './left.ts';\nexport type Right = Left;\n"],
];

describe('the layers of src/', () => {
  const directory = mkdtempSync(join(tmpdir(), 'viaduct-layers-'));
  after(() => rmSync(directory, { recursive: true }));
  const cycles = { level: 'error', options: { ignoreTypes: false } };
  const biome = { extends: ['./biome.layers.json'], linter: { rules: { suspicious: { noImportCycles: cycles } } } };
  copyFileSync(join(ROOT, 'biome.layers.json'), join(directory, 'biome.layers.json'));
  writeFileSync(join(directory, 'biome.json'), JSON.stringify(biome));
  for (const [path, source] of [...REFUSED, ...ALLOWED]) {
    const file = join(directory, 'src', path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, source);
  }
  const program = join(ROOT, 'node_modules/@biomejs/biome/bin/biome');
  const args = [program, 'lint', '--colors=off', '--max-diagnostics=none'];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: directory, encoding: 'utf8' });
  const reports = (stdout + stderr).split(/^(?=src\/\S+:\d+:\d+ lint\/)/m);
  const reportsOf = (path: string) => reports.filter((report) => report.startsWith(`src/${path}:`)).join('');

  for (const [path, source, why] of REFUSED) {
    it(`are kept when ${path} says ${source.slice(0, source.indexOf('\n'))}`, () => {
      assert.match(reportsOf(path), why);
    });
  }

  it('allow an import from a layer below', () => {
    assert.doesNotMatch(reportsOf('handlers/limits/below.ts'), /may import/);
  });
});
