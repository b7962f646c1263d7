import { must } from '../failure.ts';
import type { Program } from '../process.ts';
import type { ProcessSocket } from '../socket.ts';
import { Call } from './call.ts';
import { sendAll } from './channel.ts';
import { recalledFrame } from './frames.ts';
import { loads } from './marshal.ts';
import type { Environ, LanePart, WorkerPart } from './parts.ts';
import { Slot } from './scoreboard.ts';

const FLUSH_MS = 4;
const LARGE_BYTES = 32768;
const READ_BYTES = 65536;
const FLUSH_NOW_MS = 100;
const GONE_MAX = 1024;

/** An item of a batch: (request id, listener, number of the section, section, environ, body). */
export type WireRequest = readonly [number, number, number, Environ | null, Environ, Buffer | string | null];

/** A lane of a worker: a translation of lane.py, with a `yield` wherever something else may happen in between. */
export class Lane implements LanePart {
  readonly worker: WorkerPart;
  readonly slot: Slot;
  out: Buffer[] = [];
  /** Requests whose clients have left. */
  readonly gone = new Set<number>();
  nowMs = 0;
  flushedMs = 0;
  readonly handed = new Map<number, number>();
  readonly #socket: ProcessSocket;
  readonly #todo: WireRequest[] = [];
  readonly #sections = new Map<number, Environ>();
  #rest: Buffer = Buffer.alloc(0);
  #wake: () => void = () => {};
  #reading = false;
  #sending = false;

  constructor(worker: WorkerPart, socket: ProcessSocket, slot: Slot) {
    this.worker = worker;
    this.#socket = socket;
    this.slot = slot;
  }

  /** `wake` continues the thread of this lane, which waits for its socket or for one of its locks. */
  wakeWith(wake: () => void): void {
    this.#socket.onReady = this.#wake = wake;
  }

  *serve(): Program {
    for (;;) {
      const request = this.#todo.shift();
      if (request === undefined) {
        if (this.out.length > 0) yield* this.flush();
        if (!(yield* this.#fill())) return;
        continue;
      }
      yield this.worker.moment(); // between taking and noting
      this.slot.lastStarted = request[0];
      yield* this.#run(request);
      if (this.nowMs - this.flushedMs > FLUSH_MS && this.out.length > 0) yield* this.flush();
    }
  }

  *#run([id, , slot, section, variables, body]: WireRequest): Program {
    if (section !== null) this.#sections.set(slot, section);
    const shared = slot === 0 ? {} : this.#sections.get(slot);
    must(shared !== undefined, () => `the server believes that a lane knows the section in slot ${slot}`);
    yield* new Call(this, id).run({ ...shared, ...variables }, body);
  }

  /** Queues a whole response for the next flush, with a copy on the scoreboard. */
  *finish(response: Buffer): Program {
    if (response.length > LARGE_BYTES) {
      this.out.push(response);
      yield* this.flush();
      return;
    }
    const { slot } = this;
    if (slot.copied + response.length > Slot.capacity) yield* this.flush();
    if (this.out.length === 0) {
      slot.copied = 0;
      slot.copies = [];
    }
    slot.copies.push(response);
    slot.copied += response.length;
    yield this.worker.moment(); // between noting and queueing
    this.out.push(response);
  }

  *flush(): Program {
    while (this.#sending) yield 'wait';
    this.#sending = true;
    while (this.out.length > 0) {
      const count = this.out.length;
      if (!(yield* sendAll(this.#socket, Buffer.concat(this.out)))) this.worker.process.end(1);
      this.out.splice(0, count);
      yield this.worker.moment();
    }
    this.flushedMs = this.nowMs;
    this.#sending = false;
    this.#wake();
  }

  /** Waits for the next batch. Returns false when the server has closed the lane. */
  *#fill(): Program<boolean> {
    while (this.#reading) yield 'wait';
    this.#reading = true;
    if (this.#todo.length === 0) {
      let data = this.#socket.receive(READ_BYTES);
      while (data === null) {
        yield 'wait';
        data = this.#socket.receive(READ_BYTES);
      }
      if (data.length === 0) return false;
      this.#take(data);
    }
    this.#reading = false;
    this.#wake();
    this.flushedMs = this.nowMs = this.worker.nowMs;
    return true;
  }

  #take(block: Buffer): void {
    let data = this.#rest.length > 0 ? Buffer.concat([this.#rest, block]) : block;
    while (data.length >= 4 && data.length >= 4 + data.readUInt32LE(0)) {
      const end = 4 + data.readUInt32LE(0);
      const batch = loads(data.subarray(4, end)) as unknown as WireRequest[];
      must(batch.length > 0, () => 'the server sent an empty batch');
      this.#todo.push(...batch);
      data = data.subarray(end);
    }
    this.#rest = data;
  }

  /** Control thread: the client of a request has left. */
  leave(request: number): void {
    this.gone.add(request);
    const [first] = this.gone;
    if (this.gone.size > GONE_MAX && first !== undefined) this.gone.delete(first);
  }

  /** Control thread: gives up every request that was not started, and sends finished responses past a running one. Returns whether the report has left. */
  *recall(): Program<boolean> {
    const taken: number[] = [];
    if (!this.#reading) {
      this.#reading = true;
      for (let data = this.#socket.receive(READ_BYTES); data !== null; data = this.#socket.receive(READ_BYTES)) {
        if (data.length === 0) break;
        this.#take(data);
        yield this.worker.moment();
      }
      for (let last = this.#todo.pop(); last !== undefined; last = this.#todo.pop()) {
        taken.unshift(last[0]);
        yield this.worker.moment();
      }
      this.out.push(recalledFrame(taken));
      this.#reading = false;
      this.#wake();
    } else this.out.push(recalledFrame(taken));
    return yield* this.flushNow();
  }

  /** Control thread: sends as much as the kernel takes. A thread that is sending also sends what is queued. Returns false when something is left. */
  *flushNow(): Program<boolean> {
    for (let waitedMs = 0; this.#sending; waitedMs += FLUSH_NOW_MS / 10) {
      if (waitedMs >= FLUSH_NOW_MS) return true;
      yield FLUSH_NOW_MS / 10;
    }
    const data = Buffer.concat(this.out);
    const sent = data.length === 0 ? 0 : this.#socket.send(data);
    if (sent < 0) this.worker.process.end(1);
    else this.out = sent < data.length ? [data.subarray(sent)] : [];
    return this.out.length === 0;
  }
}
