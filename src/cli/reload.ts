import type { Log } from '../log/log.ts';
import type { RunningServer } from '../server/server.ts';
import type { Configuration } from '../site/configuration.ts';
import { unlessAborted } from '../site/unless-aborted.ts';

export interface ReloadEvents {
  /** A reload starts. Resolves to the current configuration. */
  readonly onReloading: () => Promise<Configuration>;
  /** The server starts this configuration now. No later reload has replaced this one. */
  readonly onConfigured: (configuration: Configuration) => void;
  /** The reload is over, with the new release or the old one. */
  readonly onReloaded: (outcome: string) => void;
}

/**
 * Returns a function that reloads `server`. If it is called while a reload runs, another reload follows, because the running one may not
 * include the latest change. The running one is given up, whatever it waits for, so an import that hangs blocks nothing. A reload that fails is
 * logged, and the old configuration stays.
 */
export function createReload(server: RunningServer, log: Log, events: ReloadEvents): () => void {
  let running: AbortController | null = null;
  let wanted = false;
  return () => {
    wanted = true;
    if (running !== null) {
      running.abort();
      server.cancelReload();
      return;
    }
    void (async () => {
      while (wanted) {
        wanted = false;
        running = new AbortController();
        await reload(server, log, events, running.signal);
      }
      running = null;
    })();
  };
}

async function reload(
  server: RunningServer,
  log: Log,
  { onReloading, onConfigured, onReloaded }: ReloadEvents,
  replaced: AbortSignal,
): Promise<void> {
  const before = performance.now();
  try {
    const configuration = await unlessAborted(replaced, onReloading());
    onConfigured(configuration);
    await server.reload(configuration);
    log.info(`Reloaded in ${Math.round(performance.now() - before)} ms`);
    onReloaded('reloaded');
  } catch (error) {
    if (error === replaced.reason) return; // before anything of it started
    const { message, cause } = error as Error;
    log.error(
      `Cannot reload, the old configuration stays: ${message}${typeof cause === 'string' ? `\n${cause.trimEnd()}` : ''}`,
    );
    onReloaded('the reload failed');
  }
}
