/** How many requests run, by key and together. */
export class RunningRequests {
  /** A key without requests is removed. */
  readonly #byKey = new Map<string, number>();
  #total = 0;

  /** Counts a request, unless so many of its key, or of all keys, run already. */
  enter(key: string, max: number, totalMax: number): boolean {
    const count = this.#byKey.get(key) ?? 0;
    if (count >= max || this.#total >= totalMax) return false;
    this.#byKey.set(key, count + 1);
    this.#total += 1;
    return true;
  }

  /** A request that `enter` counted has ended. */
  leave(key: string): void {
    const left = (this.#byKey.get(key) ?? 1) - 1;
    if (left === 0) this.#byKey.delete(key);
    else this.#byKey.set(key, left);
    this.#total -= 1;
  }
}
