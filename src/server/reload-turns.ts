/** Lets reloads run one after another. The one that runs can be ended; the next one has its turn then. */
export class ReloadTurns {
  /** The last one that was requested. */
  #last: Promise<unknown> = Promise.resolve();
  #running = new AbortController();

  /** Aborted when what runs has to end: the start of the server, or a reload. */
  get signal(): AbortSignal {
    return this.#running.signal;
  }

  /** Calls `reload` after all earlier ones, also if they fail. Resolves or rejects as it does. */
  take(reload: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const turn = this.#last.then(() => {
      this.#running = new AbortController();
      return reload(this.#running.signal);
    });
    this.#last = turn.catch(() => {});
    return turn;
  }

  /** Ends the one that runs, with `error` as the reason. Those that wait are not affected. */
  abort(error: Error): void {
    this.#running.abort(error);
  }
}
