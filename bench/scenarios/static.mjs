import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadScenario } from './load-scenario.mjs';

const SIZES = [
  { name: '1k', size: '1 KB', bytes: 1_000, connections: 64, streams: 16 },
  { name: '100k', size: '100 KB', bytes: 100_000, connections: 64, streams: 16 },
  { name: '10m', size: '10 MB', bytes: 10_000_000, connections: 8, streams: 1 },
];

const CLEAR = { prefix: '', title: '', stacks: ['viaduct', 'nginx', 'nginx/no sendfile'], targets: [1.1, 0.85, 1.3] };
const TLS = { prefix: 'tls-', title: ' over TLS', stacks: ['viaduct', 'nginx'], targets: [] };
const HTTP2 = {
  prefix: 'http2-',
  title: ' over HTTP/2',
  stacks: ['viaduct', 'nginx', 'h2o', 'caddy'],
  targets: [2.5, 1.3, 1.2],
};

/** Files that the server process sends. nginx keeps the files' descriptors open, and has `sendfile` for clear text. */
export const staticScenarios = [
  ...SIZES.map((size, index) => file(CLEAR, size, index, {})),
  ...SIZES.map((size, index) => file(TLS, size, index, { secure: true })),
  ...SIZES.map((size, index) => file(HTTP2, size, index, { secure: true, streams: size.streams })),
];

function file({ prefix, title, stacks, targets }, { name, size, bytes, connections }, index, request) {
  const fileName = `static-${name}.bin`;
  const scenario = loadScenario({
    id: `${prefix}static-${name}`,
    title: `Static file of ${size}${title}`,
    stacks,
    targets: targets[index] === undefined ? {} : { nginx: targets[index] },
    application: 'hello:application',
    request: { path: `/static/${fileName}`, ...request },
    answer: bytes,
    connections: request.streams === undefined ? connections : 8,
  });
  const job = (context) => ({ ...scenario.job(context), files: makeFile(context.directory, fileName, bytes) });
  return { ...scenario, job };
}

function makeFile(directory, name, bytes) {
  const files = join(directory, 'files');
  mkdirSync(files, { recursive: true });
  writeFileSync(join(files, name), Buffer.alloc(bytes, 'viaduct '));
  return files;
}
