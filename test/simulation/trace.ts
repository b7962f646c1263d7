/** How many of the last events a failure shows. */
const SHOWN = Number(process.env.VIADUCT_TRACE ?? 60);

interface Entry {
  readonly timeUs: number;
  readonly kind: string;
  readonly subject: string;
  readonly value: number;
}

/** What happened, as a hash of everything and a list of the latest events. Two runs of one seed have the same hash. */
export class Trace {
  #hash = 0x811c9dc5;
  readonly #kinds = new Map<string, number>();
  readonly #entries: Entry[] = [];
  #count = 0;

  get hash(): number {
    return this.#hash;
  }

  add(timeUs: number, kind: string, subject: string, value = 0): void {
    this.#mix(this.#number(kind));
    this.#mix(this.#number(subject));
    this.#mix(timeUs);
    this.#mix(value);
    this.#entries[this.#count % SHOWN] = { timeUs, kind, subject, value };
    this.#count += 1;
  }

  /** The latest events, one on a line. */
  toString(): string {
    const first = this.#count % SHOWN;
    const ordered = [...this.#entries.slice(first), ...this.#entries.slice(0, first)];
    return ordered
      .map(({ timeUs, kind, subject, value }) => `${(timeUs / 1000).toFixed(3)} ms  ${subject}: ${kind} ${value || ''}`)
      .join('\n');
  }

  #mix(value: number): void {
    const mixed = Math.imul(this.#hash ^ (value | 0), 0x01000193);
    this.#hash = mixed ^ (mixed >>> 15);
  }

  #number(text: string): number {
    let number = this.#kinds.get(text);
    if (number === undefined) {
      number = this.#kinds.size;
      this.#kinds.set(text, number);
    }
    return number;
  }
}
