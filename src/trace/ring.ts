import type { TraceDocument } from './document.ts';
import { groupErrors } from './error-groups.ts';
import { KeptTrace } from './kept-trace.ts';
import type { ErrorGroup, RecordedRequest, TraceFilter, TraceStore, TraceSummary, TraceUsage } from './store.ts';
import type { Trace } from './trace.ts';
import { TraceMemory } from './trace-memory.ts';

/** How much a ring keeps. */
export interface RingLimits {
  readonly bytesMax: number;
  readonly entriesMax: number;
}

/**
 * The traces that are kept in memory. Those that were kept because they failed or were slow, and all others, have half of the room each for sure: when
 * the ring is full, the oldest goes of the kind that takes more than its half.
 */
export class TraceRing implements TraceStore {
  #limits: RingLimits;
  readonly #notable = new Part();
  readonly #ordinary = new Part();
  readonly #listeners = new Set<(summary: TraceSummary) => void>();
  #last = 0;
  #evicted = 0;

  constructor(limits: RingLimits) {
    this.#limits = limits;
  }

  /** Uses other limits from now on. */
  resize(limits: RingLimits): void {
    this.#limits = limits;
    this.#evict();
  }

  /** Keeps a trace, which is over, or tells the listeners of one that is more complete than before. */
  keep(trace: Trace): void {
    const isNew = trace.number === 0;
    if (isNew) this.#add(trace);
    else this.#change(trace);
    this.#evict();
    if (this.#listeners.size === 0) return;
    const kept = this.#partOf(trace).get(trace.number);
    if (kept === null) return;
    const summary = this.#look(kept, () => kept.summary);
    for (const listener of this.#listeners) listener(summary);
  }

  #add(trace: Trace): void {
    this.#last += 1;
    trace.number = this.#last;
    this.#partOf(trace).add(trace);
  }

  #change(trace: Trace): void {
    const kept = this.#partOf(trace).get(trace.number);
    if (kept !== null) this.#update(kept, () => kept.change(trace));
  }

  list(filter: TraceFilter): readonly TraceSummary[] {
    const found: TraceSummary[] = [];
    for (const kept of this.#newestFirst()) {
      if (found.length >= filter.limit || kept.number <= (filter.after ?? 0)) break;
      if (this.#look(kept, () => kept.matches(filter))) found.push(this.#look(kept, () => kept.summary));
    }
    this.#evict();
    return found;
  }

  find(id: string): TraceDocument | null {
    return this.#find(id)?.document() ?? null;
  }

  lastGood(id: string): TraceDocument | null {
    const one = this.#find(id);
    if (one === null) return null;
    const { routeName, request } = one.record();
    let ofRoute: KeptTrace | null = null;
    for (const kept of this.#newestFirst()) {
      if (kept.number >= one.number || !kept.isOf(request.method, routeName)) continue;
      const isSamePath = kept.path === request.path;
      if (!isSamePath && (routeName === '' || ofRoute !== null)) continue;
      if (!this.#look(kept, () => kept.isGood)) continue;
      if (isSamePath) return kept.document();
      ofRoute = kept;
    }
    return ofRoute?.document() ?? null;
  }

  errors(): readonly ErrorGroup[] {
    const groups = groupErrors(this.#newestFirst(), (kept) => this.#look(kept, () => kept.digest()));
    this.#evict();
    return groups;
  }

  recorded(id: string): RecordedRequest | null {
    return this.#find(id)?.record().recorded ?? null;
  }

  onKept(listener: (summary: TraceSummary) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  get usage(): TraceUsage {
    return {
      traces: this.#notable.size + this.#ordinary.size,
      bytes: this.#notable.bytes + this.#ordinary.bytes,
      bytesMax: this.#limits.bytesMax,
      evicted: this.#evicted,
    };
  }

  /** Calls `look`, which may decode a part of the trace and keep it: the memory for that counts. */
  #look<T>(kept: KeptTrace, look: () => T): T {
    let result: T | undefined;
    this.#update(kept, () => {
      result = look();
    });
    return result as T;
  }

  #update(kept: KeptTrace, change: () => void): void {
    const before = kept.bytes;
    change();
    this.#partOf(kept).bytes += kept.bytes - before;
  }

  #partOf({ kept }: Pick<Trace, 'kept'>): Part {
    return kept === 'failed' || kept === 'slow' ? this.#notable : this.#ordinary;
  }

  /**
   * The newest trace with an id; null without one. An id can come from a proxy, which may send it twice. It is searched, because people and exports
   * ask for new ones, and requests would pay for a table.
   */
  #find(id: string): KeptTrace | null {
    const ordinary = this.#ordinary.find(id, 0);
    return this.#notable.find(id, ordinary?.number ?? 0) ?? ordinary;
  }

  #newestFirst(): KeptTrace[] {
    return [...this.#notable.values(), ...this.#ordinary.values()].sort((a, b) => b.number - a.number);
  }

  #evict(): void {
    const { bytesMax, entriesMax } = this.#limits;
    while (this.#isOver(bytesMax, entriesMax)) {
      const hasMore = this.#ordinary.exceeds(bytesMax / 2, entriesMax / 2);
      (hasMore || this.#notable.size === 0 ? this.#ordinary : this.#notable).shift();
      this.#evicted += 1;
    }
  }

  #isOver(bytesMax: number, entriesMax: number): boolean {
    const traces = this.#notable.size + this.#ordinary.size;
    return traces > 0 && (traces > entriesMax || this.#notable.bytes + this.#ordinary.bytes > bytesMax);
  }
}

/** So many that have gone leave their places together: each time, all others move. */
const GONE_MAX = 256;

/** The traces of one kind in order of their numbers, the oldest first. */
class Part {
  readonly #memory = new TraceMemory();
  readonly #traces: KeptTrace[] = [];
  /** The index of the oldest: what was before has gone. */
  #first = 0;
  bytes = 0;

  get size(): number {
    return this.#traces.length - this.#first;
  }

  values(): readonly KeptTrace[] {
    return this.#traces.slice(this.#first);
  }

  /** The trace with this number; null if it has gone. */
  get(number: number): KeptTrace | null {
    let low = this.#first;
    let high = this.#traces.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#traces[middle] as KeptTrace).number < number) low = middle + 1;
      else high = middle;
    }
    const found = this.#traces[low];
    return found?.number === number ? found : null;
  }

  /** The newest trace with this id whose number is greater than `after`; null without one. */
  find(id: string, after: number): KeptTrace | null {
    for (let i = this.#traces.length - 1; i >= this.#first; i -= 1) {
      const kept = this.#traces[i] as KeptTrace;
      if (kept.number <= after) return null;
      if (kept.id === id) return kept;
    }
    return null;
  }

  /** Adds a trace with a number that is greater than those of all others. */
  add(trace: Trace): void {
    const kept = new KeptTrace(trace, this.#memory);
    this.#traces.push(kept);
    this.bytes += kept.bytes;
  }

  exceeds(bytes: number, entries: number): boolean {
    return this.size > 0 && (this.bytes > bytes || this.size > entries);
  }

  /** Removes the oldest; there must be one. */
  shift(): void {
    const oldest = this.#traces[this.#first];
    if (oldest === undefined) throw new Error('a part without traces has no oldest');
    this.#first += 1;
    if (this.#first === GONE_MAX) {
      this.#traces.splice(0, GONE_MAX);
      this.#first = 0;
    }
    this.bytes -= oldest.bytes;
    oldest.free();
  }
}
