/** A watch over one thing at a time, which may become another one, and which ends for good. */
export class MovingWatch<Watched> {
  readonly #begin: (watched: Watched) => () => void;
  #watched: Watched | null = null;
  #end: () => void = () => {};
  #closed = false;

  /** `begin` starts to watch and returns what ends it. */
  constructor(begin: (watched: Watched) => () => void) {
    this.#begin = begin;
  }

  /** Watches this from now on, nothing with null. What is watched already is left alone, with what was noticed and is not yet told. */
  follow(watched: Watched | null): void {
    if (this.#closed || watched === this.#watched) return;
    this.#end();
    this.#watched = watched;
    this.#end = watched === null ? () => {} : this.#begin(watched);
  }

  close(): void {
    this.#closed = true;
    this.#end();
  }
}
