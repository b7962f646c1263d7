import { once } from 'node:events';
import { request as send } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort, isRunning, startPinned, stop, tail } from '../processes.mjs';
import { APPS, ROOT } from '../stacks/programs.mjs';
import { median } from '../statistics.mjs';

/** Starts of one sample. Their median is its value. */
const STARTS = 5;
const POLL_MS = 1;
const PATIENCE_MS = 30_000;
const ANSWER = 'Hello, world!\n';

const common = { unit: 'ms', better: 'lower', unstarted: true, request: { path: '/' }, answer: ANSWER };

/** How long a start takes. A start may use all cores, because a machine that starts a server has nothing else to do. */
export const startScenarios = [
  {
    ...common,
    id: 'start-hello',
    title: 'Start of a WSGI hello, until the first answer',
    stacks: ['viaduct', 'gunicorn'],
    targets: { gunicorn: 1.6 },
    job: () => ({ application: 'hello:application', chdir: APPS, workers: 1, threads: 1 }),
    sample: (server, context) => sampleOf(() => startMs(server, context)),
  },
  {
    ...common,
    id: 'start-django',
    title: 'Start of Django with all middlewares of startproject, until the first answer',
    stacks: ['viaduct', 'gunicorn'],
    targets: { gunicorn: 1.2 },
    job: () => ({ application: 'django_startproject:application', chdir: APPS, workers: 1, threads: 1 }),
    sample: (server, context) => sampleOf(() => startMs(server, context)),
  },
  {
    ...common,
    id: 'start-version',
    title: 'viaduct --version',
    stacks: ['viaduct', 'bare node'],
    targets: { 'bare node': 1.75 },
    job: () => ({}),
    sample: (server, context) => sampleOf(() => commandMs(server, context)),
  },
];

async function sampleOf(measure) {
  const values = [];
  for (let count = 0; count < STARTS; count += 1) values.push(await measure());
  return { value: median(values), failure: null };
}

/** Milliseconds from the start of the stack's first process to the end of its first answer. */
async function startMs({ name, stack, job, log }, { cores }) {
  const port = await freePort();
  const started = performance.now();
  const children = stack.start({ ...job, port, core: `${cores.server},${cores.load}` });
  try {
    while (!(await isAnswered(port))) {
      if (!children.every(isRunning)) throw new Error(`Cannot start ${name}: it ended\n${tail(log)}`);
      if (performance.now() - started > PATIENCE_MS) throw new Error(`Cannot start ${name}: no answer\n${tail(log)}`);
      await delay(POLL_MS);
    }
    return performance.now() - started;
  } finally {
    await Promise.all(children.map(stop));
  }
}

/** Whether the whole answer is there. A connection that is accepted before the application is ready waits for it. */
function isAnswered(port) {
  return new Promise((resolve, reject) => {
    const asked = send({ host: '127.0.0.1', port, agent: false, timeout: PATIENCE_MS }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (block) => (text += block));
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200 && text === ANSWER) resolve(true);
        else reject(new Error(`Cannot measure a start: the answer is ${response.statusCode} ${text.slice(0, 200)}`));
      });
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(false));
    asked.end();
  });
}

/** Milliseconds that a command takes which only prints a version, or nothing. */
async function commandMs({ name, stack, log }, { cores }) {
  const args = name === 'bare node' ? ['-e', '0'] : [join(stack.changes?.root ?? ROOT, 'bin/viaduct.js'), '--version'];
  const started = performance.now();
  const child = startPinned(process.execPath, args, { log, core: `${cores.server},${cores.load}` });
  const [code] = await once(child, 'exit');
  const ms = performance.now() - started;
  await stop(child);
  if (code !== 0) throw new Error(`Cannot measure ${name}: exit code ${code}\n${tail(log)}`);
  return ms;
}
