import { ViaductError } from '../errors.ts';
import type { Log } from '../log/log.ts';
import type { ReloadOutcome } from '../server/control/control-api.ts';
import type { RunningServer } from '../server/running-server.ts';
import type { Configuration } from '../site/configuration.ts';
import { unlessAborted } from '../site/unless-aborted.ts';

export interface ReloadEvents {
  /** A reload starts. Resolves to the current configuration. */
  readonly onReloading: () => Promise<Configuration>;
  /** The server starts this configuration now. No later reload has replaced this one. */
  readonly onConfigured: (configuration: Configuration) => void;
  /** The reload is over, with the new release or the old one. */
  readonly onReloaded: (state: string, outcome: ReloadOutcome) => void;
}

/**
 * Returns a function that reloads `server`. If it is called while a reload runs, another reload follows, because the running one may not
 * include the latest change. The running one is given up, whatever it waits for, so an import that hangs blocks nothing. A reload that fails is
 * logged, and the old configuration stays. The result is the outcome of the reload that no later one has replaced.
 */
export function createReload(server: RunningServer, log: Log, events: ReloadEvents): () => Promise<ReloadOutcome> {
  let running: AbortController | null = null;
  let wanted = false;
  const waiting: ((outcome: ReloadOutcome) => void)[] = [];
  const run = async (): Promise<void> => {
    while (wanted) {
      wanted = false;
      running = new AbortController();
      const outcome = await reload(server, log, events, running.signal);
      if (!wanted) for (const resolve of waiting.splice(0)) resolve(outcome);
    }
    running = null;
  };
  return () => {
    wanted = true;
    const outcome = new Promise<ReloadOutcome>((resolve) => waiting.push(resolve));
    if (running === null) void run();
    else {
      running.abort();
      server.cancelReload();
    }
    return outcome;
  };
}

async function reload(
  server: RunningServer,
  log: Log,
  { onReloading, onConfigured, onReloaded }: ReloadEvents,
  replaced: AbortSignal,
): Promise<ReloadOutcome> {
  const before = performance.now();
  const outcome = (error: string | null, traceback: string | null): ReloadOutcome => ({
    error,
    traceback,
    duration_ms: Math.round(performance.now() - before),
  });
  try {
    const configuration = await unlessAborted(replaced, onReloading());
    onConfigured(configuration);
    await server.reload(configuration);
    const reloaded = outcome(null, null);
    log.info(`Reloaded in ${reloaded.duration_ms} ms`);
    onReloaded('reloaded', reloaded);
    return reloaded;
  } catch (error) {
    const { message, cause } = error as Error;
    const failed = outcome(message, typeof cause === 'string' ? cause.trimEnd() : null);
    if (error === replaced.reason) return failed; // before anything of it started
    const advice = error instanceof ViaductError ? error.advice : '';
    const texts = [message, advice, failed.traceback ?? ''].filter((text) => text !== '');
    log.error(`Cannot reload, the old configuration stays: ${texts.join('\n')}`);
    onReloaded('the reload failed', failed);
    return failed;
  }
}
