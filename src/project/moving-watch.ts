/** A watch on one thing at a time. The watched thing may change until `close`. */
export class MovingWatch<Watched> {
  readonly #start: (watched: Watched) => () => void;
  #watched: Watched | null = null;
  #end: () => void = () => {};
  #closed = false;

  /** `start` starts a watch and returns the function that ends it. */
  constructor(start: (watched: Watched) => () => void) {
    this.#start = start;
  }

  /**
   * Watches `watched` from now on; null watches nothing. If `watched` is already watched, the watch continues with its
   * pending changes.
   */
  follow(watched: Watched | null): void {
    if (this.#closed || watched === this.#watched) return;
    this.#end();
    this.#watched = watched;
    this.#end = watched === null ? () => {} : this.#start(watched);
  }

  close(): void {
    this.#closed = true;
    this.#end();
  }
}
