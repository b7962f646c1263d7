import type { Socket } from 'node:net';
import { Batch } from './batch.ts';
import { DoneRequests } from './done-requests.ts';
import { overdueResponse } from './error-responses.ts';
import { recalledIds, startsEarly, wrongLength, wrongOrder } from './frame-rules.ts';
import {
  BLOCK,
  COMPLETE,
  EARLY_HINTS,
  END,
  FILE,
  FRAME_HEAD_BYTES,
  HEAD,
  INTERRUPTED,
  RECALLED,
  readInt64,
  TRACE,
} from './frames.ts';
import { JOINED_BYTES_MAX, LaneBlocks } from './lane-blocks.ts';
import type { LaneEntry, LaneOwner, LaneState } from './lane-owner.ts';
import { LaneProgress } from './lane-progress.ts';
import { LaneTraces } from './lane-traces.ts';
import { LaneDeadline, type Overdue } from './overdue.ts';
import type { PendingRequest } from './pending-request.ts';
import { readInto } from './read-into.ts';
import { readFileRange, readResponse, readResponses } from './response-frame.ts';
import { type BodyLane, WorkerBody } from './worker-body.ts';

/** Limit for a sample of the average, so that one slow view does not hide the speed of the others for long. */
const SAMPLE_NS_MAX = 20_000_000;

const IMPOSSIBLE_HEAD = 'it sent an impossible head of a response';

/**
 * One Unix-socket connection to one worker thread. Requests are sent in batches, one batch per turn of the event loop.
 * Responses arrive in the same order. Meanwhile the requests are in `inflight`, the running one first.
 */
export class Lane implements BodyLane {
  /** Number of its worker. */
  readonly worker: number;
  readonly index: number;
  /** Where the pool sees the lane; null before it was admitted and after it was removed. */
  entry: LaneEntry | null = null;
  readonly inflight: PendingRequest[] = [];
  readonly deadline = new LaneDeadline();
  readonly done = new DoneRequests();
  /** Moving average of the time that a request takes in the worker, in nanoseconds; 0 before the first sample. */
  averageNs = 0;
  /** When the current first request became the first, by `performance.now()`. */
  headSinceMs = 0;
  get state(): LaneState {
    return this.#state;
  }

  #state: LaneState = 'open';
  readonly socket: Socket;
  readonly #owner: LaneOwner;
  /**
   * The request whose client reads too slowly; 0 for none. When nothing waits behind this request, reading from the
   * worker stops.
   */
  #pausedFor = 0;
  /** The request that is slow; 0 for none. */
  #slowRequest = 0;
  readonly #batch: Batch;
  #incomplete: Buffer | null = null;
  readonly #blocks: LaneBlocks;
  readonly #progress = new LaneProgress();
  /** Null until the lane gets a request that is traced. */
  #traces: LaneTraces | null = null;
  /** Without it a generator that produces nothing would go on for ever. */
  readonly #onClientGone = (): void => {
    for (const { request, id, stream } of this.inflight) if (request.gone && stream === null) this.abandon(id);
  };

  constructor(accepted: Socket, worker: number, index: number, owner: LaneOwner) {
    this.#blocks = new LaneBlocks(() => this.#continue());
    this.socket = readInto(
      accepted,
      () => this.#blocks.nextMemory(),
      (data, isLent) => this.#receive(data, isLent),
    );
    this.#batch = new Batch(this.socket, owner.sectionsMax);
    this.worker = worker;
    this.index = index;
    this.#owner = owner;
  }

  /** Adds `pending` to the end of the lane. It is sent with the batch of this turn of the event loop. */
  send(pending: PendingRequest): void {
    if (this.inflight.length === 0) this.headSinceMs = performance.now();
    this.inflight.push(pending);
    this.entry?.update();
    pending.request.onGone = this.#onClientGone;
    const { record } = pending.request;
    record.worker = this.#owner.pid;
    if (record.trace !== null) {
      record.trace.enterStage('lane', `lane ${this.index} of worker ${this.worker}`, this.inflight.length > 1);
      this.#traces ??= new LaneTraces();
      this.#traces.expect(pending.id, record.trace, this.#owner.pid);
    }
    this.#batch.add(pending);
  }

  /** Asks the worker to give back the requests that it has not started. */
  recall(): void {
    this.#become('recalling');
    this.#slowRequest = this.inflight[0]?.id ?? 0;
    this.#owner.onRecall(this);
  }

  /**
   * The client of `request` reads too slowly, so the worker has to wait. The lane receives no other request meanwhile.
   * Requests behind this one are recalled first, because a paused worker could not report them.
   */
  pause(request: number): void {
    this.#pausedFor = request;
    this.#slowRequest = this.#blocks.isLast ? 0 : request;
    if (this.state === 'open') this.#become('stalled');
    this.#pauseWhenAlone();
  }

  resume(request: number): void {
    if (this.#pausedFor === request) this.#continue();
  }

  abandon(request: number): void {
    this.#owner.onAbandoned(this, request);
  }

  /** Closes the lane. Its thread exits when it has run the requests that it already has. */
  close(): void {
    this.#become('closed');
    this.#batch.drop();
    this.socket.end();
  }

  /** Handles the closed socket: a response that is being passed on breaks off. */
  breakOff(): void {
    this.#become('closed');
    this.#batch.drop();
    this.#blocks.abort();
  }

  /** No record of a request comes any more. See `LaneTraces.lose`. */
  loseTraces(end: string): void {
    this.#traces?.lose(end);
  }

  /**
   * After the worker died and was read to the end: settles requests from `copies`, the frames that it finished. They stay
   * in `inflight`, because one of them may be the last that started, and those before it count as started, too.
   */
  recover(copies: Buffer): void {
    for (const [id, response] of readResponses(copies)) {
      this.inflight.find((pending) => pending.id === id)?.settle(response);
    }
  }

  /** Whether the worker has owed this lane something for too long. A worker that waits for a client owes nothing. */
  isSilent(): boolean {
    const owes = this.#pausedFor === 0;
    const isHalfway = this.#incomplete !== null || this.#blocks.arePassing;
    return this.#progress.isSilent(this.socket.bytesRead, owes && this.state === 'recalling', owes && isHalfway);
  }

  /** Since when no block of the running response has arrived, although its client takes them. */
  streamSinceMs(now: number): number {
    return this.#progress.streamSinceMs(this.socket.bytesRead, this.#pausedFor !== 0, now);
  }

  /** The running request has exceeded its deadline: answers its client, and sends what waits behind it elsewhere. */
  expire(now: number): void {
    const pending = this.inflight[0] as PendingRequest;
    const overdue = this.deadline.begin(pending, this.headSinceMs, now);
    pending.request.record.trace?.fail('it took too long');
    if (pending.stream === null) pending.refuse(overdueResponse(), 'took too long');
    else pending.breakOff('took too long');
    if (this.inflight.length > 1 && this.state !== 'recalling') this.recall();
    else if (this.state === 'open') this.#become('stalled');
    this.#owner.onOverdue(this, overdue);
    this.abandon(pending.id);
  }

  /** The thread did not end the overdue request in time. */
  giveUp(overdue: Overdue): void {
    overdue.isStuck = true;
    this.#owner.onStuck(this, overdue);
  }

  #receive(chunk: Buffer, isLent: boolean): void {
    let data = this.#blocks.begin(chunk, isLent);
    let position = this.#blocks.passOn(data, 0);
    if (this.#incomplete !== null) {
      data = this.#blocks.join(this.#incomplete, data);
      this.#incomplete = null;
    }
    while (data.length - position >= FRAME_HEAD_BYTES) {
      const head = data.readUInt32LE(position + 8);
      const body = data.readUInt32LE(position + 12);
      const start = position + FRAME_HEAD_BYTES + head;
      if (start + body > data.length && (start > data.length || !startsEarly(data, position, body))) {
        const wrong = wrongLength(data, position);
        if (wrong === '') break;
        this.#break(wrong);
        return;
      }
      if (data[position + 4] !== BLOCK) this.#blocks.finish();
      if (!this.#frame(data, position, start, body)) return;
      position = start + body;
      if (position > data.length) return;
    }
    this.#blocks.passJoined();
    if (position < data.length) this.#incomplete = this.#blocks.keep(data.subarray(position));
  }

  /** Handles the frame at `position`; returns false when the lane is broken. */
  #frame(data: Buffer, position: number, start: number, length: number): boolean {
    const kind = data[position + 4] as number;
    if (kind === RECALLED) return this.#onRecalled(data, start, length);
    if (kind === INTERRUPTED) return this.#onInterrupted(data, position);
    if (kind === TRACE) return this.#onTrace(data, position, start, length);
    const pending = this.inflight[0];
    if (pending === undefined || pending.id !== data.readUInt32LE(position))
      return this.#break('it answered a request that it was not running');
    const wrong = wrongOrder(kind, pending.stream !== null);
    if (wrong !== '') return this.#break(wrong);
    if (kind === COMPLETE && start + length <= data.length) {
      const response = readResponse(data, position, start, this.#blocks.keep(data.subarray(start, start + length)));
      if (response === null) return this.#break(IMPOSSIBLE_HEAD);
      this.#removeFirst(data, position);
      pending.settle(response);
      this.#owner.onRoom(this);
    } else if (kind === COMPLETE || kind === HEAD) {
      const stream = new WorkerBody(this, pending.id, this.#owner.responseLimits);
      const response = readResponse(data, position, start, stream, kind === COMPLETE ? length : -1);
      if (response === null) return this.#break(IMPOSSIBLE_HEAD);
      pending.stream = stream;
      if (kind === COMPLETE) this.#removeFirst(data, position);
      else pending.note(readInt64(data, position + 24), performance.now());
      pending.settle(response);
      if (this.deadline.find(pending.id) !== null) stream.cancel();
      this.#blocks.pass(stream, data, start, length, kind === COMPLETE);
      if (kind === COMPLETE) this.#owner.onRoom(this);
    } else if (kind === BLOCK && length <= JOINED_BYTES_MAX && start + length <= data.length)
      this.#blocks.collect(pending.stream as WorkerBody, data, start, length);
    else if (kind === BLOCK) {
      this.#blocks.passJoined();
      this.#blocks.pass(pending.stream as WorkerBody, data, start, length, false);
    } else if (kind === EARLY_HINTS || kind === FILE) return this.#onHead(kind, pending, data, position, start, length);
    else {
      this.#removeFirst(data, position);
      if (kind === END) pending.stream?.end();
      else {
        this.#owner.onFailed(this, pending, data.toString('utf8', start, start + length));
        pending.stream?.abort();
      }
      this.#owner.onRoom(this);
    }
    return true;
  }

  /** A head without content: early hints, or the head of a file. */
  #onHead(
    kind: number,
    pending: PendingRequest,
    data: Buffer,
    position: number,
    start: number,
    length: number,
  ): boolean {
    const response = readResponse(data, position, start, null);
    if (response === null) return this.#break(IMPOSSIBLE_HEAD);
    if (kind === EARLY_HINTS) {
      pending.hint(response);
      return true;
    }
    const file = readFileRange(data, start, length);
    if (file === null) return this.#break('it described an impossible file');
    this.#removeFirst(data, position);
    this.#owner.onFile(this, pending, response, file);
    this.#owner.onRoom(this);
    return true;
  }

  /** The thread has ended an overdue request. It may have sent the end of its response just before. */
  #onInterrupted(data: Buffer, position: number): boolean {
    const id = data.readUInt32LE(position);
    if (this.deadline.find(id) === null) return this.#break('it ended a request that nobody interrupted');
    this.#owner.onInterrupted(this);
    if (this.deadline.current?.pending.id === id) {
      this.#removeFirst(data, position);
      this.#owner.onRoom(this);
    }
    return true;
  }

  #onTrace(data: Buffer, position: number, start: number, length: number): boolean {
    const id = data.readUInt32LE(position);
    if (this.#traces?.receive(id, data, start, start + length) === true) return true;
    return this.#break('it recorded a request that nobody traces');
  }

  /** Removes the requests that the worker gave back from the lane, in order. */
  #onRecalled(data: Buffer, start: number, length: number): boolean {
    const ids = recalledIds(data, start, start + length);
    if (ids === null) return this.#break('it gave back something that is not a request');
    if (this.state !== 'recalling' && this.state !== 'closed') return this.#break('it gave back what nobody recalled');
    const recalled = this.inflight.filter((pending) => ids.has(pending.id));
    const kept = this.inflight.filter((pending) => !ids.has(pending.id));
    if (recalled.length < ids.size || recalled.some(({ stream }) => stream !== null))
      return this.#break('it gave back a request that it did not have');
    this.inflight.splice(0, this.inflight.length, ...kept);
    for (const { id } of recalled) this.#traces?.forget(id);
    this.#batch.headerCache.forget();
    const isStalled = this.#pausedFor !== 0 || kept[0]?.id === this.#slowRequest;
    this.#become(this.state === 'closed' ? 'closed' : isStalled ? 'stalled' : 'open');
    this.#pauseWhenAlone();
    this.#owner.onRecalled(recalled);
    this.#owner.onRoom(this);
    return true;
  }

  /** Nothing that the worker says on this lane counts any more. */
  #break(reason: string): false {
    this.#become('closed');
    this.socket.destroy();
    this.#owner.onBroken(this, reason);
    return false;
  }

  /** The first request in flight is done. Its time counts one tenth in the average. */
  #removeFirst(data: Buffer, position: number): void {
    const pending = this.inflight.shift();
    if (pending !== undefined) this.done.add(pending);
    this.#owner.requests += 1;
    const total = readInt64(data, position + 24);
    const ns = Math.min(total, SAMPLE_NS_MAX);
    this.averageNs = this.averageNs === 0 ? ns : this.averageNs * 0.9 + ns * 0.1;
    this.headSinceMs = performance.now();
    if (this.deadline.current !== null) this.deadline.end();
    pending?.note(total, this.headSinceMs);
    this.inflight[0]?.request.record.trace?.becomeFirst(this.headSinceMs);
    if (pending?.id === this.#pausedFor) this.#continue();
    else if (this.state === 'stalled' && this.#pausedFor === 0) this.#state = 'open';
    this.entry?.measure(ns);
    this.entry?.update();
  }

  #become(state: LaneState): void {
    this.#state = state;
    this.entry?.update();
  }

  #pauseWhenAlone(): void {
    if (this.#pausedFor === 0) return;
    if (this.inflight.length <= (this.#blocks.isLast ? 0 : 1)) this.socket.pause();
    else if (this.state !== 'recalling') this.recall();
  }

  /** The worker no longer has to wait. */
  #continue(): void {
    if (this.#pausedFor === 0) return;
    this.#pausedFor = 0;
    this.socket.resume();
    if (this.state !== 'stalled' || this.inflight[0]?.id === this.#slowRequest) return;
    this.#become('open');
    this.#owner.onRoom(this);
  }
}
