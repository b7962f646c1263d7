import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { cpuSeconds } from '../accounting.mjs';
import { APPS } from '../stacks/programs.mjs';

const ROUTES = 200;
const WORKERS = 32;
const SCRAPES = 100;
const ANSWER = 'Hello, world!\n';
const ACCEPT = 'application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5';

/** What a scrape costs the server process. Compression takes place in another thread, so it is in brackets. */
export const metricsScenarios = [
  {
    id: 'scrape',
    title: `A scrape of the metrics with ${ROUTES} routes and ${WORKERS} workers`,
    unit: 'ms CPU',
    better: 'lower',
    stacks: ['viaduct'],
    targets: {},
    limit: 10,
    fresh: true,
    roundsMax: 3,
    request: { path: '/' },
    answer: ANSWER,
    job: ({ directory }) => ({
      application: 'hello:application',
      chdir: APPS,
      workers: WORKERS,
      threads: 1,
      site: [`admin = "unix:${socketIn(directory)}"`, ...Array.from({ length: ROUTES }, (_, index) => route(index))],
    }),
    warmUp: useAll,
    sample: scrape,
  },
];

function socketIn(directory) {
  return join(directory, 'admin.sock');
}

function route(index) {
  return `[[route]]\nname = "route ${index}"\npath = "/${index}/*"\napp = "main"`;
}

/** Each route answers two methods: two series of durations, in seventeen lines each. */
async function useAll({ port }) {
  for (let index = 0; index < ROUTES; index += 1) {
    for (const method of ['GET', 'POST']) await (await fetch(`http://127.0.0.1:${port}/${index}/`, { method })).text();
  }
}

async function scrape({ children }, { directory }) {
  const agent = new Agent({ keepAlive: true });
  const [{ pid }] = children;
  try {
    const plain = await scrapes(pid, directory, agent, 'identity');
    const coded = await scrapes(pid, directory, agent, 'gzip');
    const detail = { 'with gzip': coded.ms, 'bytes as gzip': coded.bytes };
    return { value: plain.ms, detail, failure: null };
  } finally {
    agent.destroy();
  }
}

/** What a scrape costs, and how long its exposition is. The first ones are not counted. */
async function scrapes(pid, directory, agent, coding) {
  for (let count = 0; count < SCRAPES; count += 1) await get(directory, agent, coding);
  const before = cpuSeconds([pid]);
  let bytes = 0;
  for (let count = 0; count < SCRAPES; count += 1) bytes = await get(directory, agent, coding);
  return { ms: ((cpuSeconds([pid]) - before) / SCRAPES) * 1000, bytes };
}

/** The length of the exposition as it was sent. */
async function get(directory, agent, coding) {
  const headers = { host: 'localhost', accept: ACCEPT, 'accept-encoding': coding };
  const message = request({ socketPath: socketIn(directory), path: '/metrics', agent, headers }).end();
  const [response] = await once(message, 'response');
  let bytes = 0;
  response.on('data', (block) => (bytes += block.length));
  await once(response, 'end');
  if (response.statusCode !== 200) throw new Error(`Cannot scrape: status ${response.statusCode}`);
  return bytes;
}
