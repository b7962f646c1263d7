import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { describeThrown } from '../errors.ts';
import type { Log } from '../log/log.ts';
import { disarmSignals, STOP_SIGNALS, type StopSignal } from '../os/signals.ts';
import type { RunningServer } from '../server/running-server.ts';

/** Called when a signal starts something. */
export interface SignalEvents {
  readonly onStopping: () => void;
  readonly onReload: () => void;
  /** The files of the logs were renamed, and must be opened again. Returns whether there are any. */
  readonly onReopen: () => boolean;
  /** The server has stopped, and this process ends now. */
  readonly onStopped: () => void;
}

/** A server, with all that belongs to it. */
export type Stoppable = Pick<RunningServer, 'connections' | 'stop' | 'kill'>;

/** Receives signals. Until a server runs, there is nobody whom they could reach. */
export interface SignalReceiver {
  readonly onHangup: () => void;
  readonly onSignal: (signal: NodeJS.Signals) => void;
}

/** One Ctrl-C may arrive twice: from the terminal, and forwarded by a parent such as npm. Two within this time count as one. */
const SAME_INTERRUPT_MS = 400;

/** Signals that people send twice to stop a server at once. The system may repeat the others by itself. */
const IMPATIENT: ReadonlySet<string> = new Set(['SIGTERM', 'SIGINT', 'SIGQUIT']);

/** The signals of this process while it starts: a SIGHUP waits until the server can reload, and signals without a meaning have no effect. */
export class Signals {
  #receiver: SignalReceiver | null = null;
  #hangup = false;

  constructor() {
    process.on('SIGHUP', () => {
      if (this.#receiver !== null) this.#receiver.onHangup();
      else if (terminalIsGone()) dieOfHangup();
      else this.#hangup = true;
    });
    disarmSignals((signal) => this.#receiver?.onSignal(signal));
  }

  /** From now on, `receiver` gets the signals, and the SIGHUP that waits. */
  follow(receiver: SignalReceiver): void {
    this.#receiver = receiver;
    if (this.#hangup) receiver.onHangup();
  }
}

/**
 * Runs until a signal or `stopRequest` ends the server, and resolves to the exit code. SIGHUP reloads. The first of the signals that stop the
 * server stops it gracefully, as `stopRequest` does, a second one at once.
 */
export function runUntilSignal(
  server: Stoppable,
  log: Log,
  signals: Signals,
  stopRequest: AbortSignal,
  events: SignalEvents,
): Promise<number> {
  return new Promise((resolve) => {
    let stoppingSinceMs = Number.POSITIVE_INFINITY;
    const stop = (signal: StopSignal | 'SIGHUP' | null): void => {
      if (stoppingSinceMs < Number.POSITIVE_INFINITY) {
        if (signal === null || !IMPATIENT.has(signal)) return;
        if (signal === 'SIGINT' && performance.now() - stoppingSinceMs < SAME_INTERRUPT_MS) return;
        server.kill();
        resolve(128 + constants.signals[signal]);
        return;
      }
      stoppingSinceMs = performance.now();
      events.onStopping();
      if (server.connections > 0 && process.stdin.isTTY === true && signal === 'SIGINT') {
        process.stderr.write('\nFinishing running requests; press Ctrl-C again to stop now.\n');
      }
      server.stop().then(
        () => {
          events.onStopped();
          if (signal === 'SIGHUP') dieOfHangup();
          else resolve(0);
        },
        (error: unknown) => {
          log.error(describeThrown(error));
          server.kill();
          resolve(1);
        },
      );
    };
    for (const signal of STOP_SIGNALS) process.on(signal, () => stop(signal));
    stopRequest.addEventListener('abort', () => stop(null), { once: true });
    signals.follow({
      onHangup: () => {
        if (terminalIsGone()) stop('SIGHUP');
        else if (stoppingSinceMs === Number.POSITIVE_INFINITY) events.onReload();
      },
      onSignal: (signal) => {
        if (signal !== 'SIGUSR1' || !events.onReopen()) log.info(`${signal} has no effect`);
      },
    });
  });
}

/** Ends as programs do when their terminal is closed. A normal exit would make Node abort, because it could not restore the terminal. */
function dieOfHangup(): void {
  process.removeAllListeners('SIGHUP');
  process.kill(process.pid, 'SIGHUP');
}

/** Whether SIGHUP comes from a closed terminal. Otherwise it asks a service to reload. */
function terminalIsGone(): boolean {
  if (process.stdin.isTTY !== true && process.stderr.isTTY !== true) return false;
  try {
    closeSync(openSync('/dev/tty', 'r'));
    return false;
  } catch {
    return true;
  }
}
