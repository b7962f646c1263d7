/** Streams that the server ended before the client did: frames for them were already on their way. */
const ENDED_MAX = 256;
const GAPS_MAX = 16;

/** What became of the ids of streams that are over. It has no memory as long as nothing unusual happened. */
export class StreamIds {
  /** The last stream that the client started; 0 for none. */
  last = 0;
  /** The last streams that the server ended, in a ring. */
  #ended: Int32Array | null = null;
  #next = 0;
  /** First and last id of each gap in the ids that the client used. */
  #gaps: number[] | null = null;

  /** The client starts stream `id`, which is greater than `last`. */
  start(id: number): void {
    const first = this.last === 0 ? 1 : this.last + 2;
    if (id > first) {
      this.#gaps ??= [];
      if (this.#gaps.length < 2 * GAPS_MAX) this.#gaps.push(first, id - 2);
    }
    this.last = id;
  }

  /** Whether nobody has started stream `id`. The server starts none, so no even one was started. */
  isIdle(id: number): boolean {
    return id > this.last || id % 2 === 0;
  }

  /** The server ended stream `id`, on which the client may still send. */
  endByServer(id: number): void {
    this.#ended ??= new Int32Array(ENDED_MAX);
    this.#ended[this.#next] = id;
    this.#next = (this.#next + 1) % ENDED_MAX;
  }

  wasEndedByServer(id: number): boolean {
    return this.#ended?.includes(id) === true;
  }

  /** Whether the client never used `id`, although it used a greater one. */
  wasSkipped(id: number): boolean {
    const gaps = this.#gaps;
    for (let i = 0; gaps !== null && i < gaps.length; i += 2) {
      if (id >= (gaps[i] as number) && id <= (gaps[i + 1] as number)) return true;
    }
    return false;
  }
}
