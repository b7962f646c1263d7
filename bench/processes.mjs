import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { startTime, tree } from './accounting.mjs';

const STOP_MS = 8_000;
const live = new Set();

/**
 * Starts a program on one core. What it writes goes to `log`.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ core: number, log: string, cwd?: string, env?: Record<string, string>, stdio?: 'log' | 'pipe' }} options `pipe` gives
 *   its standard input and output to the caller
 */
export function startPinned(command, args, { core, log, cwd, env = {}, stdio = 'log' }) {
  const output = openSync(log, 'a');
  const child = spawn('taskset', ['-c', String(core), command, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: stdio === 'pipe' ? ['pipe', 'pipe', output] : ['ignore', output, output],
  });
  closeSync(output);
  live.add(child);
  child.once('error', () => live.delete(child));
  return child;
}

/**
 * Runs a program on one core to its end.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ core: number, timeoutMs: number }} options
 * @returns {Promise<string>} what it wrote to its standard output; rejects when it failed or took too long
 */
export async function runPinned(command, args, { core, timeoutMs }) {
  const child = spawn('taskset', ['-c', String(core), command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  live.add(child);
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (text) => (output[name] += text));
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  try {
    const [code] = await once(child, 'close');
    if (code === 0) return output.stdout;
    throw new Error(
      `Cannot run "${command}": ${code === null ? `ended by ${child.signalCode}` : `exit code ${code}`}\n${output.stderr}`,
    );
  } finally {
    clearTimeout(timer);
    live.delete(child);
  }
}

/** True while it runs. */
export function isRunning(child) {
  return child.pid !== undefined && child.exitCode === null && child.signalCode === null;
}

/** All processes of these programs. */
export function pidsOf(children) {
  return children.filter(isRunning).flatMap((child) => tree(child.pid));
}

/** Ends a program and whatever it started: politely first, and each by its id. Resolves when none is left. */
export async function stop(child) {
  if (!live.has(child)) return;
  const members = pidsOf([child]).map((pid) => ({ pid, started: startTime(pid) }));
  child.kill('SIGTERM');
  await gone(members, STOP_MS);
  for (const { pid } of members.filter(isThere)) signal(pid, 'SIGKILL');
  await gone(members, STOP_MS);
  live.delete(child);
}

/** Ends everything that was started and is still there. */
export async function stopAll() {
  await Promise.all([...live].map(stop));
}

/** The last resort, for `process.on('exit')`, where nothing can wait. */
export function killAll() {
  for (const pid of pidsOf([...live]).reverse()) signal(pid, 'SIGKILL');
}

/** The end of what a program wrote, for messages. */
export function tail(log, lines = 12) {
  try {
    return readFileSync(log, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '';
  }
}

/** A TCP port of 127.0.0.1 that was free a moment ago. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function gone(members, patienceMs) {
  const deadline = Date.now() + patienceMs;
  while (members.some(isThere) && Date.now() < deadline) await delay(20);
}

function isThere({ pid, started }) {
  return started !== null && startTime(pid) === started;
}

function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch {
    // It has gone meanwhile.
  }
}
