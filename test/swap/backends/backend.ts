import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Program, startProgram } from '../../support/peers/program.ts';
import { eventually } from '../../support/socket-client.ts';
import { ROOT } from '../../support/viaduct.ts';
import type { Framework, Protocol } from '../cells.ts';

/** Where the applications are. */
export const APPS = join(ROOT, 'test/swap/apps');

/** What a Python server is told to run. */
export const TARGETS: Readonly<Record<Framework, string>> = {
  Django: 'django_site.wsgi:application',
  Flask: 'flask_app:application',
  WSGI: 'plain:application',
  TypeScript: join(APPS, 'typescript.ts'),
};

/** An application server that runs, and the Unix socket for each protocol. */
export interface RunningBackend {
  readonly sockets: Readonly<Partial<Record<Protocol, string>>>;
  output(): string;
  stop(): Promise<void>;
}

/** Starts an application server that runs `framework`, with its sockets in `directory`. */
export type StartBackend = (framework: Framework, directory: string) => Promise<RunningBackend>;

/** Starts a Python server beside the applications and waits for its sockets. */
export async function startPython(
  program: string,
  args: readonly string[],
  sockets: RunningBackend['sockets'],
): Promise<RunningBackend> {
  const running = startProgram(program, args, { cwd: APPS, env: { PYTHONDONTWRITEBYTECODE: '1', PYTHONPATH: APPS } });
  await listening(running, program, sockets);
  return { sockets, output: running.output, stop: running.stop };
}

async function listening(running: Program, name: string, sockets: RunningBackend['sockets']): Promise<void> {
  try {
    await eventually(`${name} listens`, () => {
      if (running.process.exitCode !== null) throw new Error(`${name} did not start`);
      return Object.values(sockets).every((path) => existsSync(path));
    });
  } catch (error) {
    await running.stop();
    throw new Error(`${(error as Error).message}:\n${running.output()}`);
  }
}
