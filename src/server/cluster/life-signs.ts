import type { Log } from '../../log/log.ts';
import type { ServerProcess } from './server-process.ts';

/** Server processes report once a second that they are alive. */
const LIFE_SIGN_MS_MAX = 5000;

/** Tells whether the event loops of all server processes turn. What changes goes to the log once. */
export class LifeSigns {
  readonly #log: Pick<Log, 'error'>;
  #areMissing = false;

  constructor(log: Pick<Log, 'error'>) {
    this.#log = log;
  }

  /** Whether every process has reported lately that it is alive, as of `nowMs` (`performance.now()`). */
  check(processes: readonly Pick<ServerProcess, 'state' | 'lifeSignMs' | 'pid'>[], nowMs: number): boolean {
    const silent = processes.filter(
      ({ state, lifeSignMs }) => state !== 'gone' && nowMs - lifeSignMs > LIFE_SIGN_MS_MAX,
    );
    if (silent.length > 0 && !this.#areMissing)
      this.#log.error('Server processes do not respond', { pids: silent.map(({ pid }) => pid).join(' ') });
    this.#areMissing = silent.length > 0;
    return !this.#areMissing;
  }
}
