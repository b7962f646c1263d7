import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { rssBytes } from '../accounting.mjs';
import { pidsOf, startPinned, stop } from '../processes.mjs';
import { APPS } from '../stacks/programs.mjs';

const PROGRAM = join(import.meta.dirname, '../hold.mjs');
const CONNECTIONS = 10_000;
/** Open before the count starts, so that what a server needs once is not taken for what it needs for each. */
const BEFORE = 500;
const DESCRIPTORS = CONNECTIONS + BEFORE + 500;
const OPEN_MS = 60_000;

/** Connections that have each had one answer and stay open. The stack's resident memory grows by this much for each. */
export const idleScenario = {
  id: 'idle',
  title: `${CONNECTIONS.toLocaleString('en')} idle kept-alive connections`,
  unit: 'bytes each',
  better: 'lower',
  stacks: ['viaduct', 'nginx'],
  targets: {},
  limit: 6_000,
  fresh: true,
  roundsMax: 3,
  request: { path: '/' },
  answer: 'Hello, world!\n',
  impossible() {
    const limit = Number(
      /^Max open files\s+\d+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? Infinity,
    );
    return limit < DESCRIPTORS ? `${limit} open files are allowed and ${DESCRIPTORS} needed: ulimit -Hn` : undefined;
  },
  job: () => ({ application: 'hello:application', chdir: APPS, workers: 1, threads: 1, collectable: true }),
  async sample(server, { cores }) {
    const options = { core: cores.load, log: server.log, stdio: 'pipe' };
    const holder = startPinned(process.execPath, [PROGRAM, String(server.port)], options);
    const lines = createInterface({ input: holder.stdout });
    try {
      await hold(holder, lines, BEFORE);
      const before = await settled(server);
      const { open } = await hold(holder, lines, BEFORE + CONNECTIONS);
      const after = await settled(server);
      const failure = open === BEFORE + CONNECTIONS ? null : `only ${open} connections are open`;
      return { value: (after - before) / CONNECTIONS, failure };
    } finally {
      await stop(holder);
    }
  },
};

async function hold(holder, lines, connections) {
  const answer = once(lines, 'line', { signal: AbortSignal.timeout(OPEN_MS) });
  holder.stdin.write(`${connections}\n`);
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
