import { join } from 'node:path';
import { type Program, startProgram } from '../../support/peer.ts';
import { eventually } from '../../support/socket-client.ts';
import { ROOT } from '../../support/viaduct.ts';
import { answers, type Place } from '../addresses.ts';
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

/** An application server that runs, and where it listens for each protocol. */
export interface RunningBackend {
  readonly places: Readonly<Partial<Record<Protocol, Place>>>;
  stop(): Promise<void>;
}

/** Starts an application server that runs `framework`. */
export type StartBackend = (framework: Framework) => Promise<RunningBackend>;

/** Starts a Python server beside the applications and waits until it listens. */
export async function startPython(
  program: string,
  args: readonly string[],
  places: RunningBackend['places'],
): Promise<RunningBackend> {
  const running = startProgram(program, args, { cwd: APPS, env: { PYTHONDONTWRITEBYTECODE: '1', PYTHONPATH: APPS } });
  await listening(running, program, places);
  return { places, stop: running.stop };
}

async function listening(running: Program, name: string, places: RunningBackend['places']): Promise<void> {
  try {
    await eventually(`${name} listens`, async () => {
      if (running.process.exitCode !== null) throw new Error(`${name} did not start`);
      return (await Promise.all(Object.values(places).map(answers))).every((there) => there);
    });
  } catch (error) {
    await running.stop();
    throw new Error(`${(error as Error).message}:\n${running.output()}`);
  }
}
