import { closeSync, openSync } from 'node:fs';
import type { Log } from '../log/log.ts';
import type { RunningServer } from '../server/server.ts';

/** Who wants to know what a signal has begun. */
export interface SignalEvents {
  readonly onStopping: () => void;
  readonly onReload: () => void;
}

/** A Ctrl-C may arrive twice: from the terminal, and passed on by whoever started us, such as npm. Two within this time are one. */
const SAME_INTERRUPT_MS = 400;

/** Every signal only adds to what is to be done; the first to stop is graceful, a second one is not. */
export function runUntilSignal(server: RunningServer, log: Log, events: SignalEvents): Promise<number> {
  return new Promise((resolve) => {
    let stoppingSinceMs = Number.POSITIVE_INFINITY;
    const stop = (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP'): void => {
      if (stoppingSinceMs < Number.POSITIVE_INFINITY) {
        if (signal === 'SIGINT' && performance.now() - stoppingSinceMs < SAME_INTERRUPT_MS) return;
        server.kill();
        resolve(signal === 'SIGINT' ? 130 : 143);
        return;
      }
      stoppingSinceMs = performance.now();
      events.onStopping();
      if (server.connections > 0 && process.stdin.isTTY === true && signal === 'SIGINT') {
        process.stderr.write('\nFinishing what runs; press Ctrl-C again to stop now.\n');
      }
      server.stop().then(
        () => (signal === 'SIGHUP' ? dieOfHangup() : resolve(0)),
        (error: unknown) => {
          log.error(String(error));
          server.kill();
          resolve(1);
        },
      );
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
    process.on('SIGHUP', (signal) => {
      if (terminalIsGone()) stop(signal as 'SIGHUP');
      else if (stoppingSinceMs === Number.POSITIVE_INFINITY) events.onReload();
    });
  });
}

/** The usual end when the terminal is closed. Leaving by itself Node would fail to give the terminal back its modes, and abort. */
function dieOfHangup(): void {
  process.removeAllListeners('SIGHUP');
  process.kill(process.pid, 'SIGHUP');
}

/** SIGHUP asks a service to reload; from a terminal that was closed it means what its name says. */
function terminalIsGone(): boolean {
  if (process.stdin.isTTY !== true && process.stderr.isTTY !== true) return false;
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return false;
  } catch {
    return true;
  }
}
