import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import type { Lifetime } from './lifetime.ts';
import { ROOT } from './viaduct.ts';
import { eventually } from './wait.ts';

const DIRECTORIES = [
  join(ROOT, '.setup/venv/bin'),
  ...(process.env.PATH ?? '').split(delimiter),
  '/usr/sbin',
  '/usr/local/sbin',
  '/opt/homebrew/bin',
  join(ROOT, '.setup/collector/bin'),
];

/** The path of the first of these programs that is installed; null if none is. */
export function findProgram(...names: readonly string[]): string | null {
  for (const name of names) {
    const path = DIRECTORIES.map((directory) => join(directory, name)).find((candidate) => existsSync(candidate));
    if (path !== undefined) return path;
  }
  return null;
}

/** For `it(title, { skip: missing('nginx') })`: false if all programs are installed, otherwise the reason to skip. */
export function missing(...names: readonly string[]): string | false {
  const absent = names.filter((name) => findProgram(name) === null);
  return absent.length === 0 ? false : `${absent.join(', ')} ${absent.length === 1 ? 'is' : 'are'} not installed`;
}

export interface PeerOptions {
  readonly cwd?: string;
  /** On top of the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Waits until this is true. Without it, the program may still be starting. */
  readonly ready?: (peer: Peer) => boolean | Promise<boolean>;
}

/** Another program that runs beside a test, such as nginx. */
export interface Peer {
  readonly process: ChildProcess;
  /** What it wrote so far to both outputs. */
  output(): string;
  /** Stops it and all processes that it started. The end of its lifetime stops it too. */
  stop(): Promise<void>;
}

/** Starts a program in a process group of its own. Throws with its output if it exits before it is ready. */
export async function startPeer(
  t: Lifetime,
  name: string,
  args: readonly string[],
  { cwd, env = {}, ready }: PeerOptions = {},
): Promise<Peer> {
  const path = findProgram(name);
  if (path === null) throw new Error(`${name} is not installed`);
  const child = spawn(path, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (block: Buffer) => {
      output += block.toString();
    });
  }
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', (error) => {
      output += error.message;
      resolve();
    });
  });
  const stop = async () => {
    if (child.pid === undefined) return;
    signalGroup(child.pid, 'SIGKILL');
    await exited;
  };
  t.after(stop);
  const peer = { process: child, output: () => output, stop };
  if (ready !== undefined) {
    await eventually(`${name} is ready`, () => {
      if (child.exitCode !== null) throw new Error(`${name} exited (${child.exitCode}):\n${output}`);
      return ready(peer);
    }).catch((error: Error) => {
      throw error.message.includes(output) ? error : new Error(`${error.message}:\n${output}`);
    });
  }
  return peer;
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // All of its processes have exited.
  }
}

/** Below the ports that the kernel gives to outgoing connections, so that none takes the port meanwhile. */
const FIRST_PORT = 10_000;
const LAST_PORT = 32_000;

/** A port of 127.0.0.1 that is free now, and that no other test is likely to take. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST_PORT, LAST_PORT);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!free) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}
