import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadScenario } from './load-scenario.mjs';

/** Files from the front. nginx has `sendfile` and keeps the files' descriptors open. */
export const staticScenarios = [
  file('static-1k', 'Static file of 1 KB', 1_000, 64, 1.1),
  file('static-100k', 'Static file of 100 KB', 100_000, 64, 0.85),
  file('static-10m', 'Static file of 10 MB', 10_000_000, 8, 1.3),
];

function file(id, title, bytes, connections, target) {
  const name = `${id}.bin`;
  const scenario = loadScenario({
    id,
    title,
    stacks: ['viaduct', 'nginx', 'nginx/no sendfile'],
    targets: { nginx: target },
    application: 'hello:application',
    request: { path: `/static/${name}` },
    answer: bytes,
    connections,
  });
  const job = (context) => ({ ...scenario.job(context), files: makeFile(context.directory, name, bytes) });
  return { ...scenario, job };
}

function makeFile(directory, name, bytes) {
  const files = join(directory, 'files');
  mkdirSync(files, { recursive: true });
  writeFileSync(join(files, name), Buffer.alloc(bytes, 'viaduct '));
  return files;
}
