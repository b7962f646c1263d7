import type { Log } from '../log/log.ts';
import type { RunningServer } from '../server/server.ts';
import type { Configuration } from '../site/configuration.ts';

export interface ReloadEvents {
  /** A reload starts. Resolves to the current configuration. */
  readonly onReloading: () => Promise<Configuration>;
  /** The reload is over, with the new release or the old one. */
  readonly onReloaded: (outcome: string) => void;
}

/**
 * Returns a function that reloads `server`. If it is called while a reload runs, another reload follows, because the running one may not
 * include the latest change. The running one is given up if it still starts applications, so an import that hangs blocks nothing. A reload
 * that fails is logged, and the old configuration stays.
 */
export function createReload(server: RunningServer, log: Log, events: ReloadEvents): () => void {
  let running = false;
  let wanted = false;
  return () => {
    wanted = true;
    if (running) {
      server.cancelReload();
      return;
    }
    running = true;
    void (async () => {
      while (wanted) {
        wanted = false;
        await reload(server, log, events, () => wanted);
      }
      running = false;
    })();
  };
}

async function reload(
  server: RunningServer,
  log: Log,
  { onReloading, onReloaded }: ReloadEvents,
  isReplaced: () => boolean,
): Promise<void> {
  const before = performance.now();
  try {
    const configuration = await onReloading();
    if (isReplaced()) return;
    await server.reload(configuration);
    log.info(`Reloaded in ${Math.round(performance.now() - before)} ms`);
    onReloaded('reloaded');
  } catch (error) {
    const { message, cause } = error as Error;
    log.error(
      `Cannot reload, the old configuration stays: ${message}${typeof cause === 'string' ? `\n${cause.trimEnd()}` : ''}`,
    );
    onReloaded('the reload failed');
  }
}
