import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Lifetime } from './lifetime.ts';
import { within } from './wait.ts';

/** The project's directory. This file runs as `.build/test/support/viaduct.js`. */
export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../../..');
/** The program as users install it. */
export const BIN = join(ROOT, 'bin/viaduct.js');
requireCurrentBuild();

/** The Python applications of the tests, one for each behaviour. */
export const APPS = join(ROOT, 'test/apps');

const TEST_PYTHON = join(ROOT, '.setup/venv/bin/python');
/** A Python interpreter with the packages of `test/requirements.txt`; null if the set-up could not make one. */
export const PYTHON_WITH_PACKAGES = existsSync(TEST_PYTHON) ? TEST_PYTHON : null;
const OLD_GEVENT_PYTHON = join(ROOT, '.setup/old-gevent/bin/python');
/** A Python interpreter with the packages of `test/requirements-old-gevent.txt`; null if the set-up could not make one. */
export const PYTHON_WITH_OLD_GEVENT = existsSync(OLD_GEVENT_PYTHON) ? OLD_GEVENT_PYTHON : null;
const NEWEST_DJANGO_PYTHON = join(ROOT, '.setup/newest-django/bin/python');
/** A Python interpreter with the newest Django, of `test/requirements-newest-django.txt`; null if the set-up could not make one. */
export const PYTHON_WITH_NEWEST_DJANGO = existsSync(NEWEST_DJANGO_PYTHON) ? NEWEST_DJANGO_PYTHON : null;
/** For `it(title, { skip: NO_PACKAGES })`: false if the packages are installed, otherwise the reason to skip. */
export const NO_PACKAGES = PYTHON_WITH_PACKAGES === null ? 'Django and Flask are not installed in .setup/venv' : false;

/** Longest wait for the address. An application takes a second to import, on a busy machine some more. */
const START_MS = 60_000;
const STOP_MS = 30_000;
/** At the end of a lifetime, requests that are still open break off after this time. The server itself would wait for half a minute. */
const CLEAN_UP_MS = 1000;
/** Longest run of a command. */
const RUN_MS = 60_000;

export interface ViaductOptions {
  readonly cwd?: string;
  /** On top of the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** As in the setting `listen`; a free port of 127.0.0.1 by default. */
  readonly listen?: string;
  /** False: do not wait for the address. The result then has no port. */
  readonly awaitReady?: boolean;
  /** The program; by default that of this checkout. */
  readonly program?: string;
}

/** The program in a process of its own. */
export interface Viaduct {
  readonly pid: number;
  /** 0 if what it listens on has no port. */
  readonly port: number;
  readonly url: string;
  /** What it wrote so far to both outputs. */
  output(): string;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /**
   * Stops it with SIGTERM, and with SIGKILL if that does not help. The end of its lifetime stops it too, and does not wait for requests that
   * are still open.
   */
  stop(): Promise<void>;
}

/**
 * Starts the program and waits until it has printed its address. `args` are its arguments, without `--listen`. Throws with its output if it
 * exits first.
 */
export async function startViaduct(
  t: Lifetime,
  args: readonly string[],
  { cwd = ROOT, env = {}, listen = '127.0.0.1:0', awaitReady = true, program = BIN }: ViaductOptions = {},
): Promise<Viaduct> {
  const child = spawn(process.execPath, [program, ...args], {
    cwd,
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
      const match = /^Viaduct \S+ serves .+ on (\S+)/m.exec(output);
      if (match !== null) resolve(match[1] as string);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    void exited.then(({ code, signal }) => reject(new Error(`Viaduct exited (${code ?? signal}):\n${output}`)));
  });
  address.catch(() => {});
  const stop = () => end(child, exited);
  t.after(async () => {
    const timer = setTimeout(() => child.kill('SIGTERM'), CLEAN_UP_MS);
    await stop();
    clearTimeout(timer);
  });
  const url = awaitReady ? await within(START_MS, 'the address', () => address) : '';
  const port = Number(/:(\d+)$/.exec(url)?.[1] ?? 0);
  return { pid: child.pid as number, port, url, output: () => output, exited, stop };
}

/** Runs a command of the program until it exits, at most for a minute. `output` is what it wrote to both outputs. */
export async function runViaduct(
  cwd: string,
  ...args: string[]
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn(process.execPath, [BIN, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout: RUN_MS });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (block: Buffer) => {
      output += block.toString();
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

async function end(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  await exited;
  clearTimeout(timer);
}

/** A program that was built before the last change of the sources would be tested in vain. */
function requireCurrentBuild(): void {
  const built = statSync(join(ROOT, 'dist/main.js'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = ['src', 'ui'].flatMap((name) =>
    readdirSync(join(ROOT, name), { recursive: true, encoding: 'utf8' }).map((path) => join(ROOT, name, path)),
  );
  const isOld = sources.some((path) => /\.(?:tsx?|css|html)$/.test(path) && statSync(path).mtimeMs > built);
  if (isOld) throw new Error('Cannot test the program: dist is older than src or ui. Run npm run build');
}
