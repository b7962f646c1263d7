import type { Socket } from 'node:net';
import { Batch } from './batch.ts';
import {
  ABORT,
  BLOCK,
  COMPLETE,
  EARLY_HINTS,
  END,
  FAILED,
  FILE,
  FRAME_HEAD_BYTES,
  HEAD,
  RECALLED,
  readInt64,
} from './frames.ts';
import type { Job } from './pending-request.ts';
import { readResponse } from './response-frame.ts';
import { type BodyLane, WorkerBody } from './worker-body.ts';

/** Bodies from this on are passed to the client as they arrive, smaller ones when they are complete. */
const PIECEWISE_BYTES_MIN = 32768;
/** Longer requests count as this long, so that one slow view does not hide the speed of the others for long. */
const SAMPLE_NS_MAX = 20_000_000;

/** What a lane needs from its pool and worker. */
export interface LaneOwner {
  readonly responseBufferBytesMax: number;
  /** A request has left the lane, so there may be room for another. */
  onRoom(lane: Lane): void;
  /** The application failed. Unless its response has begun, it is the owner's to settle the job. */
  onFailed(lane: Lane, job: Job, traceback: string): void;
  /** The worker holds an open file that is the body. */
  onFile(lane: Lane, job: Job, head: FileHead): void;
  /** Client of the running request left. */
  onAbandoned(lane: Lane, request: number): void;
  /** What waits behind the running request is to come back: ask the worker. */
  onRecall(lane: Lane): void;
  /** The worker gave these up without having started them. */
  onRecalled(jobs: readonly Job[]): void;
  /** The worker sent what it may not. */
  onBroken(lane: Lane, reason: string): void;
}

/** Head of a response whose body is a file of the worker: `descriptor` there, bytes `start` to `end`. */
export interface FileHead {
  readonly status: number;
  readonly reason: string;
  readonly lines: string;
  readonly contentLength: number;
  readonly has: number;
  readonly descriptor: number;
  readonly start: number;
  readonly end: number;
}

/** Shared by the lanes of one worker. */
export interface WorkerLoad {
  readonly worker: number;
  busyLanes: number;
}

/**
 * One Unix-socket connection to one worker thread. Requests go out in batches (everything of one turn of the event loop), come
 * back in the order they went, and stand in `inflight` meanwhile, the running one first.
 */
export class Lane implements BodyLane {
  readonly load: WorkerLoad;
  readonly index: number;
  readonly inflight: Job[] = [];
  /** Moving average of what a request takes in the worker, in nanoseconds; 0 before the first. */
  averageNs = 0;
  /** When the request that now stands first got there, by `performance.now()`. */
  headSinceMs = 0;
  /**
   * A stalled lane runs a request that turned out slow: it gets no other until that one is done. One that is being recalled gets none until
   * the worker has said what it gave up.
   */
  state: 'open' | 'stalled' | 'recalling' | 'closed' = 'open';
  readonly #socket: Socket;
  readonly #owner: LaneOwner;
  /** The request whose client does not keep up; 0 for none. As soon as nothing waits behind it, nothing is read from the worker. */
  #pausedFor = 0;
  /** The request that turned out slow. */
  #slow = 0;
  readonly #batch: Batch;
  #rest: Buffer | null = null;
  /** Whose block is being passed on as it arrives, how many of its bytes are still to come, and whether it is the last. */
  #passing: WorkerBody | null = null;
  #left = 0;
  #ends = false;

  constructor(socket: Socket, load: WorkerLoad, index: number, owner: LaneOwner) {
    this.#socket = socket;
    this.#batch = new Batch(socket);
    this.load = load;
    this.index = index;
    this.#owner = owner;
  }

  /** Begins to read. */
  open(): void {
    this.#socket.on('data', (data: Buffer) => this.#receive(data));
  }

  /** Puts `job` behind what the lane has. It leaves with the batch of this turn of the event loop. */
  send(job: Job): void {
    if (this.inflight.length === 0) {
      this.headSinceMs = performance.now();
      this.load.busyLanes += 1;
    }
    this.inflight.push(job);
    this.#batch.add(job);
  }

  /** Asks the worker to give up what it has not started. */
  recall(): void {
    this.state = 'recalling';
    this.#slow = this.inflight[0]?.id ?? 0;
    this.#owner.onRecall(this);
  }

  /**
   * The client of `request` does not keep up, so the worker has to wait. The lane gets no other request meanwhile, and what is behind
   * comes back first, because the worker could not say so afterwards.
   */
  pause(request: number): void {
    this.#pausedFor = request;
    this.#slow = this.#ends ? 0 : request;
    if (this.state === 'open') this.state = 'stalled';
    this.#pauseWhenAlone();
  }

  resume(request: number): void {
    if (this.#pausedFor === request) this.#goOn();
  }

  abandon(request: number): void {
    this.#owner.onAbandoned(this, request);
  }

  /** Closes the lane: its thread leaves when it has run what it already has. */
  close(): void {
    this.state = 'closed';
    this.#batch.drop();
    this.#socket.end();
  }

  /** The socket is closed: a response that was being passed on breaks off. */
  breakOff(): void {
    this.state = 'closed';
    this.#batch.drop();
    this.#passing?.abort();
    this.#passing = null;
  }

  /**
   * The worker is dead and all it sent has been read. `copies` are frames of responses that it had finished: those that did not arrive are
   * taken from there.
   */
  recover(copies: Buffer): void {
    for (let position = 0; copies.length - position >= FRAME_HEAD_BYTES; ) {
      const start = position + FRAME_HEAD_BYTES + copies.readUInt32LE(position + 8);
      const end = start + copies.readUInt32LE(position + 12);
      const index = this.inflight.findIndex(({ id }) => id === copies.readUInt32LE(position));
      if (index >= 0) {
        const [job] = this.inflight.splice(index, 1);
        job?.settle(readResponse(copies, position, start, copies.subarray(start, end)));
      }
      position = end;
    }
  }

  #receive(chunk: Buffer): void {
    let data = chunk;
    let position = 0;
    if (this.#passing !== null) position = this.#passOn(data, 0);
    if (this.#rest !== null) {
      data = Buffer.concat([this.#rest, data]);
      this.#rest = null;
    }
    while (data.length - position >= FRAME_HEAD_BYTES) {
      const head = data.readUInt32LE(position + 8);
      const body = data.readUInt32LE(position + 12);
      const start = position + FRAME_HEAD_BYTES + head;
      if (
        start + body > data.length &&
        (body < PIECEWISE_BYTES_MIN || start > data.length || !isPiecewise(data, position))
      )
        break;
      if (!this.#frame(data, position, start, body)) return;
      position = start + body;
      if (position > data.length) return;
    }
    if (position < data.length) this.#rest = data.subarray(position);
  }

  /** Handles the frame at `position`; false when the lane is broken. */
  #frame(data: Buffer, position: number, start: number, length: number): boolean {
    if (data[position + 4] === RECALLED) {
      this.#recalled(data, start, length);
      return true;
    }
    const job = this.inflight[0];
    if (job === undefined || job.id !== data.readUInt32LE(position)) {
      this.#owner.onBroken(this, 'it answered a request that it was not running');
      return false;
    }
    const kind = data[position + 4] as number;
    if (kind === COMPLETE && start + length <= data.length) {
      const response = readResponse(data, position, start, data.subarray(start, start + length));
      this.#leave(data, position);
      job.settle(response);
      this.#owner.onRoom(this);
    } else if (kind === COMPLETE || kind === HEAD) {
      const stream = new WorkerBody(this, job.id, this.#owner.responseBufferBytesMax);
      job.stream = stream;
      if (kind === COMPLETE) this.#leave(data, position);
      job.settle(readResponse(data, position, start, stream, kind === COMPLETE ? length : -1));
      this.#pass(stream, data, start, length, kind === COMPLETE);
      if (kind === COMPLETE) this.#owner.onRoom(this);
    } else if (kind === BLOCK && job.stream !== null) this.#pass(job.stream, data, start, length, false);
    else if (kind === EARLY_HINTS) job.hint(readResponse(data, position, start, null));
    else this.#last(kind, job, data, position, start, length);
    return true;
  }

  /** Takes what the worker gave up out of the lane, in order. */
  #recalled(data: Buffer, start: number, length: number): void {
    const ids = new Set<number>();
    for (let at = start; at < start + length; at += 4) ids.add(data.readUInt32LE(at));
    const taken = this.inflight.filter((job) => ids.has(job.id));
    const kept = this.inflight.filter((job) => !ids.has(job.id));
    this.inflight.splice(0, this.inflight.length, ...kept);
    this.#batch.memory.forget();
    if (kept.length === 0 && taken.length > 0) this.load.busyLanes -= 1;
    if (this.state === 'recalling')
      this.state = this.#pausedFor !== 0 || kept[0]?.id === this.#slow ? 'stalled' : 'open';
    this.#pauseWhenAlone();
    this.#owner.onRecalled(taken);
    this.#owner.onRoom(this);
  }

  #last(kind: number, job: Job, data: Buffer, position: number, start: number, length: number): void {
    this.#leave(data, position);
    if (kind === END) job.stream?.complete();
    else if (kind === ABORT || kind === FAILED) {
      this.#owner.onFailed(this, job, data.toString('utf8', start, start + length));
      job.stream?.abort();
    } else if (kind === FILE) {
      const { status, reason, lines, contentLength, has } = readResponse(data, position, start, null);
      const file = {
        descriptor: data.readUInt32LE(start),
        start: readInt64(data, start + 4),
        end: readInt64(data, start + 12),
      };
      this.#owner.onFile(this, job, { status, reason, lines, contentLength, has, ...file });
    }
    this.#owner.onRoom(this);
  }

  /** The first request in flight is done; what it took counts a tenth of the average. */
  #leave(data: Buffer, position: number): void {
    const job = this.inflight.shift();
    if (this.inflight.length === 0) this.load.busyLanes -= 1;
    const ns = Math.min(readInt64(data, position + 24), SAMPLE_NS_MAX);
    this.averageNs = this.averageNs === 0 ? ns : this.averageNs * 0.9 + ns * 0.1;
    this.headSinceMs = performance.now();
    if (job?.id === this.#pausedFor) this.#goOn();
    else if (this.state === 'stalled' && this.#pausedFor === 0) this.state = 'open';
  }

  #pauseWhenAlone(): void {
    if (this.#pausedFor === 0) return;
    if (this.inflight.length <= (this.#ends ? 0 : 1)) this.#socket.pause();
    else if (this.state !== 'recalling') this.recall();
  }

  /** There is no reason any more to let the worker wait. */
  #goOn(): void {
    if (this.#pausedFor === 0) return;
    this.#pausedFor = 0;
    this.#socket.resume();
    if (this.state !== 'stalled' || this.inflight[0]?.id === this.#slow) return;
    this.state = 'open';
    this.#owner.onRoom(this);
  }

  /** Begins to pass on a block of `length` bytes, of which those after `start` that are here already go now. */
  #pass(stream: WorkerBody, data: Buffer, start: number, length: number, ends: boolean): void {
    this.#passing = stream;
    this.#left = length;
    this.#ends = ends;
    this.#passOn(data, start);
  }

  /** Passes on what `data` holds of the current block after `start`; returns where it ends. */
  #passOn(data: Buffer, start: number): number {
    const stream = this.#passing;
    const end = Math.min(data.length, start + this.#left);
    if (stream === null) return start;
    if (end > start) stream.arrive(data.subarray(start, end));
    this.#left -= end - start;
    if (this.#left > 0) return end;
    this.#passing = null;
    if (this.#ends) {
      this.#ends = false;
      this.#goOn();
      stream.complete();
    }
    return end;
  }
}

/** Whether the frame's body goes to the client: what the front itself has to understand, it needs whole. */
function isPiecewise(data: Buffer, position: number): boolean {
  const kind = data[position + 4] as number;
  return kind === COMPLETE || kind === HEAD || kind === BLOCK;
}
