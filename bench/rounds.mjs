import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { completeJob } from './jobs.mjs';
import { waitUntilReady } from './probe.mjs';
import { freePort, stop } from './processes.mjs';
import { STACKS, spoken } from './stacks/index.mjs';

/**
 * What the rounds of a scenario share.
 *
 * @typedef {object} Context
 * @property {{ server: number, load: number }} cores
 * @property {number} rounds
 * @property {number} seconds of one measurement
 * @property {string} directory for what servers write
 * @property {Record<string, import('./stacks/programs.mjs').Inspection>} inspections by the name of the stack
 * @property {(line: string) => void} tell
 */

/**
 * One measurement of one stack.
 *
 * @typedef {object} Sample
 * @property {number} value in the scenario's unit
 * @property {string | null} failure why it does not count
 * @property {number} [cpuMicros] processor time of all the stack's processes per request
 * @property {number} [coreShare] how much of its core the stack used: well below 1 it was not the stack that limited
 */

/**
 * Runs a scenario: every stack in each round, in turns and in alternating order, so that a machine's moods meet all of them. Stacks that
 * are measured together share one core at the same time, each with its own load.
 *
 * @param {import('./scenarios/index.mjs').Scenario} scenario
 * @param {Context} context
 * @returns {Promise<Map<string, { samples: Sample[], skipped?: string, failure?: string }>>} by the name of the stack
 */
export async function runScenario(scenario, context) {
  const outcomes = new Map(scenario.stacks.map((name) => [name, { samples: [] }]));
  for (const [name, outcome] of outcomes) {
    const reason = scenario.impossible?.() ?? context.inspections[name].missing;
    if (reason !== undefined) outcome.skipped = reason;
  }
  const servers = new Map();
  try {
    if (!scenario.fresh && !scenario.together) for (const name of active(outcomes)) await begin(name);
    const rounds = Math.min(context.rounds, scenario.roundsMax ?? context.rounds);
    for (let round = 0; round < rounds; round++) {
      const names = active(outcomes);
      if (scenario.together) await measureTogether(names);
      else for (const name of round % 2 === 0 ? names : names.reverse()) await measure(name);
    }
  } finally {
    await Promise.all([...servers.values()].map(end));
  }
  return outcomes;

  async function begin(name) {
    await attempt(name, async () => {
      servers.set(name, await startServer(name, scenario, context));
      await scenario.warmUp?.(servers.get(name), context);
    });
  }

  async function measure(name) {
    if (scenario.fresh) await begin(name);
    await sample(name);
    if (scenario.fresh && servers.has(name)) await end(servers.get(name));
  }

  async function measureTogether(names) {
    for (const name of names) await begin(name);
    await Promise.all(names.map(sample));
    await Promise.all([...servers.values()].map(end));
  }

  async function sample(name) {
    if (outcomes.get(name).failure !== undefined) return;
    await attempt(name, async () => {
      const found = await scenario.sample(servers.get(name), context);
      outcomes.get(name).samples.push(found);
      if (found.failure !== null) throw new Error(found.failure);
    });
  }

  /** A stack that failed once is out: its figures would be of something else. */
  async function attempt(name, action) {
    try {
      await action();
    } catch (error) {
      outcomes.get(name).failure = error.message;
      context.tell(`  ${name}: ${error.message}`);
    }
  }

  async function end(server) {
    servers.delete(server.name);
    await Promise.all([...server.children, ...server.helpers].map(stop));
    rmSync(server.directory, { recursive: true, force: true });
  }
}

function active(outcomes) {
  return [...outcomes].filter(([, { skipped, failure }]) => (skipped ?? failure) === undefined).map(([name]) => name);
}

async function startServer(name, scenario, context) {
  const stack = STACKS[name];
  const directory = mkdtempSync(join(context.directory, 'stack-'));
  const log = join(directory, 'log');
  const port = await freePort();
  const { cores } = context;
  const request = spoken(stack, scenario.request);
  const wanted = { ...scenario.job(context), tls: request.secure === true };
  const job = await completeJob(wanted, { port, directory, log, cores });
  const children = scenario.unstarted === true ? [] : stack.start(job);
  const server = { name, stack, port, log, directory, job, children, helpers: job.helpers };
  if (scenario.unstarted === true) return server;
  try {
    if (stack.ready !== undefined) await stack.ready(server);
    else await waitUntilReady(server, request, scenario.answer);
    return server;
  } catch (error) {
    await Promise.all([...children, ...job.helpers].map(stop));
    throw error;
  }
}
