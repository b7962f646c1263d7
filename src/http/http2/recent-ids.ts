/** The last ids that were added: what came before them is forgotten. */
export class RecentIds {
  readonly #ids: Int32Array;
  #next = 0;

  constructor(count: number) {
    this.#ids = new Int32Array(count);
  }

  add(id: number): void {
    this.#ids[this.#next] = id;
    this.#next = (this.#next + 1) % this.#ids.length;
  }

  has(id: number): boolean {
    return this.#ids.includes(id);
  }
}
