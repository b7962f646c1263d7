import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { within } from './socket-client.ts';

/** The project's directory; this file runs as `.build/test/support/viaduct.js`. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../../..');
/** The program as it is installed. */
export const BIN = join(ROOT, 'bin/viaduct.js');

const TEST_PYTHON = join(ROOT, '.setup/venv/bin/python');
/** An interpreter with what `test/requirements.txt` names, null where the set-up could not make one. */
export const PYTHON_WITH_PACKAGES = existsSync(TEST_PYTHON) ? TEST_PYTHON : null;
/** For `it(title, { skip: NO_PACKAGES })`: false when the packages are there, otherwise what is missing. */
export const NO_PACKAGES = PYTHON_WITH_PACKAGES === null ? 'Django and Flask are not installed in .setup/venv' : false;

/** Longest wait for the address; importing an application takes a second, a busy machine some more. */
const START_MS = 60_000;
const STOP_MS = 30_000;

export interface ViaductOptions {
  /** All but `--listen`. */
  readonly args: readonly string[];
  /** On top of this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What to listen on; by default a free port of 127.0.0.1. */
  readonly listen?: string;
  /** False: returns while it still starts; it then has no port. */
  readonly awaitReady?: boolean;
}

/** A Viaduct that runs. */
export interface Viaduct {
  readonly pid: number;
  /** 0 when it listens on something that has none. */
  readonly port: number;
  readonly url: string;
  /** What it wrote so far to both outputs. */
  output(): string;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Ends it with SIGTERM when it still runs, with SIGKILL when that does not help. */
  stop(): Promise<void>;
}

/** Starts the real program and waits until it printed its address. Throws with its output when it ends before. */
export async function startViaduct({
  args,
  env,
  cwd,
  listen = '127.0.0.1:0',
  awaitReady = true,
}: ViaductOptions): Promise<Viaduct> {
  const child = spawn(process.execPath, [BIN, ...args], {
    cwd: cwd ?? ROOT,
    env: { ...process.env, ...env, VIADUCT_LISTEN: listen },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  let output = '';
  const address = new Promise<string>((resolve, reject) => {
    const take = (block: Buffer) => {
      output += block.toString();
      const found = /^Viaduct \S+ serves .+ on (\S+)/m.exec(output);
      if (found !== null) resolve(found[1] as string);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    void exited.then(({ code, signal }) => reject(new Error(`Viaduct ended (${code ?? signal}):\n${output}`)));
  });
  const stop = () => end(child, exited);
  address.catch(() => {});
  if (!awaitReady) return { pid: child.pid as number, port: 0, url: '', output: () => output, exited, stop };
  try {
    const url = await within(START_MS, 'the address', () => address);
    const port = Number(/:(\d+)$/.exec(url)?.[1] ?? 0);
    return { pid: child.pid as number, port, url, output: () => output, exited, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function end(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await exited;
  clearTimeout(timer);
}
