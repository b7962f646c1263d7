import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { rssBytes } from '../accounting.mjs';
import { waitUntilReady } from '../probe.mjs';
import { freePort, pidsOf, startPinned, stop } from '../processes.mjs';
import { bareTls } from '../stacks/bare-tls.mjs';
import { APPS } from '../stacks/programs.mjs';

const BENCH = dirname(import.meta.dirname);
const ANSWER = 'Hello, world!\n';
const OPEN_MS = 60_000;

/** HTTP/1.1 in clear text. The first are open before the count starts, so that what a server needs once is not taken for what it needs for each. */
const CLEAR = { before: 500, counted: 10_000 };
const SECURE = { before: 500, counted: 5_000 };

/** Requests on each of so many connections. */
const WAITING = { connections: 60, before: 10, counted: 90 };

const job = { application: 'hello:application', chdir: APPS, workers: 1, threads: 1, collectable: true };
const common = {
  unit: 'bytes each',
  better: 'lower',
  targets: {},
  fresh: true,
  roundsMax: 3,
  answer: ANSWER,
};

/** Connections and requests that are open and do nothing: by how much the stack's resident memory grows for each. */
export const idleScenarios = [
  {
    ...common,
    id: 'idle',
    title: `${number(CLEAR.counted)} idle kept-alive connections`,
    stacks: ['viaduct', 'nginx'],
    limit: 6_000,
    request: { path: '/' },
    impossible: () => tooFewFiles(CLEAR.before + CLEAR.counted),
    job: () => job,
    sample: (server, context) => growth(server, ['hold.mjs', server.port, 'http/1.1'], CLEAR, context),
  },
  {
    ...common,
    id: 'idle-http2',
    title: `${number(SECURE.counted)} idle connections of HTTP/2 over TLS, beyond what a TLS socket of Node needs`,
    stacks: ['viaduct'],
    limit: 4_096,
    request: { path: '/', secure: true },
    impossible: () => tooFewFiles(SECURE.before + SECURE.counted),
    job: () => job,
    sample: beyondSocket,
  },
  {
    ...common,
    id: 'idle-streams',
    title: `${number(WAITING.connections * WAITING.counted)} requests by HTTP/2 that wait for a busy application`,
    stacks: ['viaduct'],
    limit: 1_536,
    request: { path: '/', secure: true },
    job: () => ({
      ...job,
      application: 'waiting:application',
      site: ['queue_max = 100_000', 'graceful_timeout_ms = "1s"'],
    }),
    async sample(server, context) {
      const { connections, ...each } = WAITING;
      return growth(server, ['hold-streams.mjs', server.port, connections], each, context, connections);
    },
  },
];

/** Both servers have the same core and get the same connections, one after the other. */
async function beyondSocket(server, context) {
  const ours = await growth(server, ['hold.mjs', server.port, 'h2'], SECURE, context);
  const port = await freePort();
  const bare = { ...server, name: 'bare TLS', stack: bareTls, port, children: bareTls.start({ ...server.job, port }) };
  try {
    await waitUntilReady(bare, { path: '/', secure: true }, ANSWER);
    const socket = await growth(bare, ['hold.mjs', port, 'tls'], SECURE, context);
    return {
      value: ours.value - socket.value,
      detail: { connection: ours.value, 'TLS socket': socket.value },
      failure: ours.failure ?? socket.failure,
    };
  } finally {
    await Promise.all(bare.children.map(stop));
  }
}

/**
 * By how many bytes the resident memory of `server` grows for each connection, or each request.
 *
 * @param {import('../stacks/index.mjs').Server} server
 * @param {readonly (string | number)[]} program that holds them, with its arguments
 * @param {{ before: number, counted: number }} steps
 * @param {import('../rounds.mjs').Context} context
 * @param {number} [times] how many one of these steps opens
 * @returns {Promise<import('../rounds.mjs').Sample>}
 */
async function growth(server, [program, ...args], { before, counted }, { cores }, times = 1) {
  const options = { core: cores.load, log: server.log, stdio: 'pipe' };
  const holder = startPinned(process.execPath, [join(BENCH, program), ...args.map(String)], options);
  const lines = createInterface({ input: holder.stdout });
  try {
    await hold(holder, lines, before);
    const start = await settled(server);
    const { open } = await hold(holder, lines, before + counted);
    const end = await settled(server);
    const wanted = (before + counted) * times;
    return {
      value: (end - start) / (counted * times),
      failure: open === wanted ? null : `only ${open} of ${wanted} are open`,
    };
  } finally {
    await stop(holder);
  }
}

/** Lets `holder`, whose standard output are `lines`, hold so many connections or requests. */
export async function hold(holder, lines, count) {
  const answer = once(lines, 'line', { signal: AbortSignal.timeout(OPEN_MS) });
  holder.stdin.write(`${count}\n`);
  const [line] = await answer;
  return JSON.parse(line);
}

async function settled(server) {
  for (let times = 0; times < 2; times++) {
    server.stack.collect?.(server);
    await delay(1_500);
  }
  return rssBytes(pidsOf(server.children));
}

/** Why one process cannot hold so many connections here. */
export function tooFewFiles(connections) {
  const needed = connections + 500;
  const limit = Number(
    /^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? Infinity,
  );
  return limit < needed ? `${limit} open files are allowed and ${needed} needed: ulimit -Hn` : undefined;
}

function number(count) {
  return count.toLocaleString('en');
}
