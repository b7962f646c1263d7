import type { BackendChange } from '../../proxy/backend-control.ts';
import { workerShare } from './process-configuration.ts';
import type { ServerProcess } from './server-process.ts';

/** What operators have changed by commands. A server process that starts later must get it too. */
export class OperatorChanges {
  readonly #backends = new Map<string, BackendChange>();
  /** Numbers of workers by application. */
  readonly #scaled = new Map<string, number>();
  #draining = false;

  /** Earlier changes to the backends of this name stay, unless `change` has the same key. */
  changeBackend(name: string, change: BackendChange): void {
    this.#backends.set(name, { ...this.#backends.get(name), ...change });
  }

  /** The number of workers of an application in all server processes together. */
  scale(application: string, workers: number): void {
    this.#scaled.set(application, workers);
  }

  drain(draining: boolean): void {
    this.#draining = draining;
  }

  /** A reload returns to the numbers of workers in the configuration. */
  reloaded(): void {
    this.#scaled.clear();
  }

  /** Makes all changes in a process that has started: number `index` (from 0) of `count`. */
  repeatIn(serverProcess: Pick<ServerProcess, 'ask'>, count: number, index: number): void {
    for (const [name, change] of this.#backends) void serverProcess.ask({ about: 'backend', name, change });
    for (const [application, all] of this.#scaled)
      void serverProcess.ask({ about: 'scale', application, workers: workerShare(all, count, index) });
    if (this.#draining) void serverProcess.ask({ about: 'drain', draining: true });
  }
}
