import { setTimeout as sleep } from 'node:timers/promises';
import { ViaductError } from '../../errors.ts';
import { escapeControls } from '../../log/escape.ts';
import type { ServerStatus } from '../../server/status.ts';
import { countText } from './amounts.ts';
import { resultOf, send } from './client.ts';

/** A server that does not answer in this time hangs. */
const ANSWER_MS = 15_000;
const READY_CHECK_MS = 100;
/** Without `preload`, each worker imports the application, many of them at the same time. */
const READY_MS_MAX = 5 * 60_000;

/**
 * Changes the number of workers with a `POST` of `target`, waits until as many are ready, and prints their number.
 * Resolves to the exit code.
 *
 * @throws ViaductError `WORKER` if the server refuses, or if they are not ready within five minutes
 */
export async function scale(socket: string, target: string, isJson: boolean): Promise<number> {
  const reply = await send(socket, 'POST', target, ANSWER_MS);
  const value = resultOf(reply, 'change the number of workers', 'WORKER');
  const { application } = value as { readonly application: string };
  const workers = await readyWorkers(socket, application);
  process.stdout.write(
    isJson
      ? `${JSON.stringify({ application, workers }, null, 2)}\n`
      : `${escapeControls(application)} has ${countText(workers, 'worker')}\n`,
  );
  return 0;
}

/** Resolves to the number of workers when all of them are ready. It may be another one by then, with `workers_min`. */
async function readyWorkers(socket: string, name: string): Promise<number> {
  const lastMs = performance.now() + READY_MS_MAX;
  for (;;) {
    const value = resultOf(await send(socket, 'GET', '/status', ANSWER_MS), 'show the status');
    const { ready, wanted } = countsOf(value as ServerStatus, name);
    if (ready === wanted && wanted > 0) return wanted;
    if (performance.now() > lastMs) {
      throw new ViaductError('WORKER', `Cannot wait for the workers of ${name}: ${ready} of ${wanted} are ready`, {
        advice: 'The server goes on to start the others. Its log has the reason if they end.',
      });
    }
    await sleep(READY_CHECK_MS);
  }
}

/** How many workers of the serving release are ready, and how many there should be. */
function countsOf({ processes }: ServerStatus, name: string): { readonly ready: number; readonly wanted: number } {
  let [ready, wanted] = [0, 0];
  for (const { release, workers } of processes
    .flatMap(({ applications }) => applications)
    .filter((application) => application.name === name)) {
    wanted += release?.workers ?? 1;
    ready += workers.filter((worker) => worker.release === release?.number && worker.state === 'ready').length;
  }
  return { ready, wanted };
}
