import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Lifetime } from './lifetime.ts';
import { ROOT, runViaduct } from './viaduct.ts';

/** The parts of `viaduct status --json` about what runs beside the application. */
export interface BesideStatus {
  readonly sidecars: readonly {
    readonly name: string;
    readonly state: string;
    readonly pid: number | null;
    readonly restarts: number;
    readonly last_end: string | null;
  }[];
  readonly schedules: readonly {
    readonly name: string;
    readonly state: string;
    readonly runs: number;
    readonly skipped: number;
    readonly next_at: string | null;
    readonly last_run: { readonly result: string | null; readonly end: string | null } | null;
  }[];
}

export async function besideStatus(project: string): Promise<BesideStatus> {
  const { output } = await runViaduct(project, 'status', '--json');
  return JSON.parse(output) as BesideStatus;
}

/** The lines of a file that programs of the project write; none while it does not exist. */
export function linesOf(project: string, name: string): string[] {
  const path = join(project, name);
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
}

/** A command on a terminal of its own. */
export interface Terminal {
  readonly pid: number;
  output(): string;
  /** Types a text. */
  type(text: string): void;
  readonly exited: Promise<number | null>;
}

export const CTRL_C = '\x03';

export function startTerminal(
  t: Lifetime,
  command: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Terminal {
  const child = spawn('python3', [join(ROOT, 'test/support/terminal.py'), ...command], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => void child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (block: Buffer) => (output += block.toString()));
  child.stdin.on('error', () => {});
  return {
    pid: child.pid as number,
    output: () => output,
    type: (text) => void child.stdin.write(text),
    exited: new Promise((resolve) => child.once('close', (code) => resolve(code))),
  };
}
