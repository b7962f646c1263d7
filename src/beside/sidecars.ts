import type { Log } from '../log/log.ts';
import type { Keeper } from './keeper.ts';
import type { BesideOptions } from './options.ts';
import { Sidecar, type SidecarStatus } from './sidecar.ts';

/** The sidecars of a server. */
export class Sidecars {
  readonly #keeper: Keeper;
  readonly #log: Log;
  #sidecars: readonly Sidecar[] = [];

  constructor(keeper: Keeper, log: Log) {
    this.#keeper = keeper;
    this.#log = log;
  }

  /** Starts those of a configuration, restarts those that run already unless a reload keeps them, and stops those that it does not have. */
  use({ sidecars, python }: BesideOptions): void {
    const known = new Map(this.#sidecars.map((sidecar) => [sidecar.name, sidecar]));
    const used = sidecars.map((options) => {
      const sidecar = known.get(options.name) ?? new Sidecar(options, python, this.#keeper, this.#log);
      if (known.has(options.name)) sidecar.reload(options, python);
      else sidecar.start();
      return sidecar;
    });
    const removed = this.#sidecars.filter((sidecar) => !used.includes(sidecar));
    this.#sidecars = [...used, ...removed];
    for (const sidecar of removed) void sidecar.stop().then(() => this.#forget(sidecar));
  }

  /** A reload may have brought it back meanwhile. */
  #forget(sidecar: Sidecar): void {
    if (sidecar.state === 'ended') this.#sidecars = this.#sidecars.filter((one) => one !== sidecar);
  }

  /** None is started again from now on. */
  freeze(): void {
    for (const sidecar of this.#sidecars) sidecar.freeze();
  }

  /** Asks all to end. Resolves when they have ended. */
  async stop(): Promise<void> {
    await Promise.all(this.#sidecars.map((sidecar) => sidecar.stop()));
  }

  status(): readonly SidecarStatus[] {
    return this.#sidecars.map((sidecar) => sidecar.status());
  }
}
