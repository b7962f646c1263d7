import type { Log } from '../log/log.ts';
import type { RunningServer } from '../server/server.ts';
import type { Configuration } from '../site/configuration.ts';

export interface ReloadEvents {
  /** A reload begins: finds out what the configuration is now. */
  readonly onReloading: () => Promise<Configuration>;
  /** It is over, with a new release or the old one. */
  readonly onReloaded: (outcome: string) => void;
}

/**
 * Returns a function that reloads `server`. Asked for while a reload runs, another one follows it, because what has changed meanwhile may
 * not be in it. One that fails changes nothing and is told in the log.
 */
export function createReload(server: RunningServer, log: Log, events: ReloadEvents): () => void {
  let running = false;
  let wanted = false;
  return () => {
    wanted = true;
    if (running) return;
    running = true;
    void (async () => {
      while (wanted) {
        wanted = false;
        await reload(server, log, events);
      }
      running = false;
    })();
  };
}

async function reload(server: RunningServer, log: Log, { onReloading, onReloaded }: ReloadEvents): Promise<void> {
  const before = performance.now();
  try {
    await server.reload(await onReloading());
    log.info(`Reloaded in ${Math.round(performance.now() - before)} ms`);
    onReloaded('reloaded');
  } catch (error) {
    const { message, cause } = error as Error;
    log.error(
      `Cannot reload, everything goes on as it was: ${message}${typeof cause === 'string' ? `\n${cause.trimEnd()}` : ''}`,
    );
    onReloaded('the reload failed');
  }
}
