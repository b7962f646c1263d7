import type { TraceDocument } from './document.ts';
import { groupErrors } from './error-groups.ts';
import { KeptTrace } from './kept-trace.ts';
import type { ErrorGroup, RecordedRequest, TraceFilter, TraceStore, TraceSummary, TraceUsage } from './store.ts';
import type { Trace } from './trace.ts';

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
  readonly #byTrace = new Map<Trace, KeptTrace>();
  /** An id can come from a proxy, which may send it twice: the last one has it. */
  readonly #byId = new Map<string, KeptTrace>();
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
    const known = this.#byTrace.get(trace);
    if (known !== undefined) {
      this.#update(known, () => known.changed());
    } else {
      this.#last += 1;
      const kept = new KeptTrace(this.#last, trace);
      this.#partOf(trace).add(kept);
      this.#byTrace.set(trace, kept);
      this.#byId.set(trace.id, kept);
    }
    this.#evict();
    const kept = this.#byTrace.get(trace);
    if (kept === undefined || this.#listeners.size === 0) return;
    const summary = this.#look(kept, () => kept.summary);
    for (const listener of this.#listeners) listener(summary);
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
    return this.#byId.get(id)?.document() ?? null;
  }

  lastGood(id: string): TraceDocument | null {
    const one = this.#byId.get(id);
    if (one === undefined) return null;
    const { routeName, request } = one.trace;
    let ofRoute: KeptTrace | null = null;
    for (const kept of this.#newestFirst()) {
      const { trace } = kept;
      if (kept.number >= one.number || trace.detail !== 'full' || trace.routeName !== routeName) continue;
      if (trace.request.method !== request.method || trace.status === 0 || trace.status >= 500) continue;
      const isSamePath = trace.request.path === request.path;
      if (!isSamePath && (routeName === '' || ofRoute !== null)) continue;
      if (this.#look(kept, () => kept.summary).error !== '') continue;
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
    return this.#byId.get(id)?.trace.recorded ?? null;
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
    this.#partOf(kept.trace).bytes += kept.bytes - before;
  }

  #partOf({ kept }: Trace): Part {
    return kept === 'failed' || kept === 'slow' ? this.#notable : this.#ordinary;
  }

  #newestFirst(): KeptTrace[] {
    return [...this.#notable.values(), ...this.#ordinary.values()].sort((a, b) => b.number - a.number);
  }

  #evict(): void {
    const { bytesMax, entriesMax } = this.#limits;
    while (this.#isOver(bytesMax, entriesMax)) {
      const hasMore = this.#ordinary.exceeds(bytesMax / 2, entriesMax / 2);
      const oldest = (hasMore || this.#notable.size === 0 ? this.#ordinary : this.#notable).shift();
      this.#byTrace.delete(oldest.trace);
      if (this.#byId.get(oldest.trace.id) === oldest) this.#byId.delete(oldest.trace.id);
      this.#evicted += 1;
    }
  }

  #isOver(bytesMax: number, entriesMax: number): boolean {
    const { traces, bytes } = this.usage;
    return traces > 0 && (bytes > bytesMax || traces > entriesMax);
  }
}

/** The traces of one kind, the oldest first. */
class Part {
  readonly #traces = new Map<number, KeptTrace>();
  bytes = 0;

  get size(): number {
    return this.#traces.size;
  }

  values(): Iterable<KeptTrace> {
    return this.#traces.values();
  }

  add(kept: KeptTrace): void {
    this.#traces.set(kept.number, kept);
    this.bytes += kept.bytes;
  }

  exceeds(bytes: number, entries: number): boolean {
    return this.size > 0 && (this.bytes > bytes || this.size > entries);
  }

  /** Removes the oldest; there must be one. */
  shift(): KeptTrace {
    const [oldest] = this.#traces.values();
    if (oldest === undefined) throw new Error('a part without traces has no oldest');
    this.#traces.delete(oldest.number);
    this.bytes -= oldest.bytes;
    return oldest;
  }
}
