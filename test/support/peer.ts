import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { ROOT } from './viaduct.ts';

const DIRECTORIES = [
  join(ROOT, '.setup/venv/bin'),
  ...(process.env.PATH ?? '').split(delimiter),
  '/usr/sbin',
  '/usr/local/sbin',
  '/opt/homebrew/bin',
];

/** Where a program is that tests drive; null when it is not installed. */
export function findProgram(...names: readonly string[]): string | null {
  for (const name of names) {
    const found = DIRECTORIES.map((directory) => join(directory, name)).find((path) => existsSync(path));
    if (found !== undefined) return found;
  }
  return null;
}

/** For `{ skip: missing('nginx') }`: false when all programs are there, otherwise what is missing. */
export function missing(...names: readonly string[]): string | false {
  const absent = names.filter((name) => findProgram(name) === null);
  return absent.length === 0 ? false : `${absent.join(', ')} ${absent.length === 1 ? 'is' : 'are'} not installed`;
}

/** A program that runs beside the tests. */
export interface Program {
  readonly process: ChildProcess;
  /** What it wrote so far to both outputs. */
  output(): string;
  /** Ends it, with all the processes that it started. */
  stop(): Promise<void>;
}

/** Starts `name` in a process group of its own, so that none of its children outlives it. */
export function startProgram(
  name: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Program {
  const path = findProgram(name);
  if (path === null) throw new Error(`${name} is not installed`);
  const child = spawn(path, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
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
  return {
    process: child,
    output: () => output,
    async stop() {
      if (child.pid === undefined) return;
      signalGroup(child.pid, 'SIGKILL');
      await exited;
    },
  };
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It is over.
  }
}

/** A port of 127.0.0.1 that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
