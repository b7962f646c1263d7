import { type Bucketed, Buckets } from './buckets.ts';
import type { Lane } from './lane.ts';
import type { LaneEntry } from './lane-owner.ts';

/** When every lane is busy, a request may wait behind others for at most this expected time. */
const WAIT_NS_MAX = 1_000_000;
/**
 * Limit behind short requests. Another order of requests would gain less than the cost of each batch for two processes.
 */
const WAIT_BEHIND_SHORT_NS_MAX = 4_000_000;
const SHORT_NS = 250_000;
/** Limit while another thread of the same process is idle. Two threads of one interpreter share its lock. */
const WAIT_NS_BESIDE_IDLE_THREAD = 100_000;
/** Limit while another process is idle: about what it costs to wake it. */
const WAIT_NS_BESIDE_IDLE_WORKER = 25_000;
/** So short a request does not wait for anything else: it occupies a processor. */
const COMPUTING_NS = 100_000;
/** A sample counts for at most 8 times the average, so that one slow request does not hide the others' speed. */
const OUTLIER = 8;

/**
 * The lanes that can take requests, and which of them takes the next one. In order of preference:
 * 1. a busy lane whose requests are so short that waking another process costs more;
 * 2. an idle lane of an idle worker, unless as many workers compute as there are processors;
 * 3. a busy lane whose requests are so short that waking another thread costs more;
 * 4. an idle lane of the worker with the fewest busy lanes;
 * 5. the busy lane with the fewest requests.
 *
 * In 1 and 3 it is the busiest of these lanes, so that batches are deep and other workers rest. A lane takes a request
 * behind others while the expected wait stays below a millisecond, or a few milliseconds for short requests. A lane
 * without measurements or with a slow running request takes one request at a time. Slow applications therefore get one
 * request at a time, and fast ones get batches. Every operation takes constant time for any number of lanes.
 */
export class LaneTable {
  readonly #depthMax: number;
  readonly #processors: number;
  readonly #workers = new Map<number, WorkerEntry>();
  /** Open lanes by their number of requests, which is not 0. */
  readonly #busy = new Buckets<TableEntry>();
  /** Workers with idle lanes by their number of busy lanes. */
  readonly #withIdle = new Buckets<WorkerEntry>();
  #busyWorkers = 0;
  #averageNs = 0;
  #length = 0;

  /**
   * @param depthMax the most requests in a lane
   * @param processors how many workers can compute at the same time
   */
  constructor(depthMax: number, processors: number) {
    this.#depthMax = depthMax;
    this.#processors = processors;
  }

  get length(): number {
    return this.#length;
  }

  /** How many workers run a request. */
  get busyWorkers(): number {
    return this.#busyWorkers;
  }

  add(lane: Lane): void {
    const worker = this.#workers.get(lane.worker) ?? new WorkerEntry();
    this.#workers.set(lane.worker, worker);
    worker.lanes += 1;
    this.#length += 1;
    const entry = new TableEntry(this, lane, worker);
    lane.entry = entry;
    entry.update();
  }

  /** The lane gets no more requests. Returns false if it is not in the table. */
  remove(lane: Lane): boolean {
    const { entry } = lane;
    if (!(entry instanceof TableEntry)) return false;
    this.move(entry, -1, false);
    lane.entry = null;
    this.#length -= 1;
    entry.worker.lanes -= 1;
    if (entry.worker.lanes === 0) this.#workers.delete(lane.worker);
    return true;
  }

  /** A request took so long in a worker. */
  measure(ns: number): void {
    const average = this.#averageNs;
    if (average === 0) this.#averageNs = ns;
    else this.#averageNs = average + (Math.min(ns, OUTLIER * average) - average) * 0.1;
  }

  /** Lists the lane among those with `length` requests, -1 for none. `isBusy`: it has requests, listed or not. */
  move(entry: TableEntry, length: number, isBusy: boolean): void {
    const { worker } = entry;
    const before = entry.bucket;
    if (before === length && entry.isBusy === isBusy) return;
    if (before !== length) {
      if (before >= 0) (before === 0 ? worker.idle : this.#busy).move(entry, -1);
      if (length >= 0) (length === 0 ? worker.idle : this.#busy).move(entry, length);
    }
    if (entry.isBusy !== isBusy) this.#count(entry, isBusy);
    if (before === 0 || length === 0 || worker.bucket !== worker.busyLanes) {
      const bucket = worker.idle.lowest(0) === null ? -1 : worker.busyLanes;
      if (worker.bucket !== bucket) this.#withIdle.move(worker, bucket);
    }
  }

  /** The lane for the next request; null when the request must wait in the queue. */
  choose(): Lane | null {
    const near = this.#busiest(WAIT_NS_BESIDE_IDLE_WORKER);
    if (near !== null) return near.lane;
    const worker = this.#withIdle.lowest(0);
    if (worker === null) return this.#shortest();
    const isIdleWorker = worker.busyLanes === 0;
    const isComputing = this.#averageNs < COMPUTING_NS && this.#busyWorkers >= this.#processors;
    const waitNsMax = isIdleWorker ? WAIT_NS_MAX : WAIT_NS_BESIDE_IDLE_THREAD;
    const behind = isIdleWorker && !isComputing ? null : this.#busiest(waitNsMax);
    return (behind ?? worker.idle.lowest(0))?.lane ?? null;
  }

  #shortest(): Lane | null {
    const entry = this.#busy.lowest(1);
    const waitNsMax = this.#averageNs < SHORT_NS ? WAIT_BEHIND_SHORT_NS_MAX : WAIT_NS_MAX;
    return entry !== null && entry.bucket <= this.#depthFor(waitNsMax) ? entry.lane : null;
  }

  #busiest(waitNsMax: number): TableEntry | null {
    const depth = this.#depthFor(waitNsMax);
    return depth < 1 ? null : this.#busy.highest(1, depth);
  }

  /** The most requests that may be in a lane before another one that is to wait for less than `waitNsMax`. */
  #depthFor(waitNsMax: number): number {
    return Math.min(this.#depthMax, Math.ceil(waitNsMax / this.#averageNs)) - 1;
  }

  #count(entry: TableEntry, isBusy: boolean): void {
    const { worker } = entry;
    const change = isBusy ? 1 : -1;
    entry.isBusy = isBusy;
    worker.busyLanes += change;
    if (worker.busyLanes === (isBusy ? 1 : 0)) this.#busyWorkers += change;
  }
}

/** One lane in the table. */
class TableEntry implements LaneEntry, Bucketed {
  readonly lane: Lane;
  readonly worker: WorkerEntry;
  isBusy = false;
  bucket = -1;
  slot = 0;
  readonly #table: LaneTable;

  constructor(table: LaneTable, lane: Lane, worker: WorkerEntry) {
    this.#table = table;
    this.lane = lane;
    this.worker = worker;
  }

  update(): void {
    const { inflight, state, averageNs } = this.lane;
    const { length } = inflight;
    const isListed = state === 'open' && (length === 0 || averageNs > 0);
    this.#table.move(this, isListed ? length : -1, length > 0);
  }

  measure(ns: number): void {
    this.#table.measure(ns);
  }
}

/** One worker in the table. */
class WorkerEntry implements Bucketed {
  /** Its idle lanes that can take a request, all in bucket 0. */
  readonly idle = new Buckets<TableEntry>();
  lanes = 0;
  busyLanes = 0;
  bucket = -1;
  slot = 0;
}
