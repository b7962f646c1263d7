import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { largeNginxConf } from '../nginx-conf.mjs';
import { startPinned, stop, tail } from '../processes.mjs';
import { ROOT } from '../stacks/programs.mjs';

/** Milliseconds that the largest import may take. */
const LIMIT_MS = 3_000;
const CPU_AT_EXIT = pathToFileURL(join(ROOT, 'bench/cpu-at-exit.mjs')).href;

/** How long it takes to convert a large configuration and to check the result. It may use all cores. */
export const importScenario = {
  id: 'import',
  title: 'viaduct import of an nginx.conf with 200 servers and 5,057 lines',
  unit: 'ms',
  better: 'lower',
  stacks: ['viaduct'],
  targets: {},
  limit: LIMIT_MS,
  unstarted: true,
  request: { path: '/' },
  answer: '',
  job: () => ({}),
  sample,
};

async function sample({ stack, directory, log }, { cores }) {
  writeFileSync(join(directory, 'nginx.conf'), largeNginxConf());
  const report = join(directory, 'cpu.json');
  const program = join(stack.changes?.root ?? ROOT, 'bin/viaduct.js');
  const words = ['import', 'nginx.conf', '--output', 'viaduct.toml', '--force'];
  const options = { log, cwd: directory, core: `${cores.server},${cores.load}`, env: { CPU_REPORT: report } };
  const started = performance.now();
  const child = startPinned(process.execPath, ['--import', CPU_AT_EXIT, program, ...words], options);
  const [code] = await once(child, 'exit');
  const value = performance.now() - started;
  await stop(child);
  if (code !== 0) throw new Error(`Cannot measure an import: exit code ${code}\n${tail(log)}`);
  const { user, system } = JSON.parse(readFileSync(report, 'utf8'));
  return { value, detail: { 'ms of processor time': (user + system) / 1000 }, failure: null };
}
