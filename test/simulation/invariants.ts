import { contentMemory } from '../../src/http/buffering/content-memory.ts';
import { Lane } from '../../src/workers/lane.ts';
import type { PendingRequest } from '../../src/workers/pending-request.ts';
import { Pool } from '../../src/workers/pool.ts';
import type { Scenario } from './conditions.ts';
import { must } from './failure.ts';
import type { Machine } from './machine.ts';

/** The bytes of a request beside its content, in a lane. */
const HEAD_BYTES_MAX = 4096;

/** The pool has the same number. */
const SURE_PER_LANE = 16;

/** A client may need a block in memory that is read from a file, although there is no room. */
const CLIENT_BYTES_MAX = 65_536 + 128;

/** Sees the pools of the simulated server, one for clients and one for a trial, and checks their limits. */
export class PoolWatch {
  /** The pools that have not handed over. */
  readonly #pools = new Set<Pool>();
  /** The lanes, and the pool that each was added to last. */
  readonly #lanes = new Map<Lane, Pool>();
  #poolsMax = 0;
  #lanesMax = 0;
  readonly #scenario: Scenario;
  readonly #machine: Machine;

  constructor(scenario: Scenario, machine: Machine) {
    this.#scenario = scenario;
    this.#machine = machine;
    const lanes = this.#lanes;
    const pools = this.#pools;
    Pool.prototype.add = function (this: Pool, lane: Lane): void {
      pools.add(this);
      lanes.set(lane, this);
      add.call(this, lane);
    };
    Pool.prototype.handOver = function (this: Pool, heir: Pool): void {
      pools.delete(this);
      handOver.call(this, heir);
    };
    Lane.prototype.send = function (this: Lane, pending: PendingRequest): void {
      must(!pending.request.gone, () => `request ${pending.request.path} runs, although its client has left`);
      send.call(this, pending);
    };
  }

  /** Must hold after each step. */
  check(): void {
    const { queueMax, laneDepthMax } = this.#scenario;
    this.#lanesMax = Math.max(this.#lanesMax, this.#lanes.size);
    this.#poolsMax = Math.max(this.#poolsMax, this.#pools.size);
    // What lanes give back, and what another pool hands over, may exceed the queue's limit, but only by what they could hold.
    const waitingMax = this.#poolsMax * queueMax + this.#lanesMax * laneDepthMax;
    for (const { waiting } of this.#pools)
      must(waiting <= waitingMax, () => `${waiting} requests wait, and at most ${waitingMax} may`);
    for (const lane of this.#lanes.keys()) this.#checkLane(lane);
  }

  /** Whether one more request can wait for sure: a few for each lane can, however slow they are. */
  get queueIsOpen(): boolean {
    const { queueMax, queueDelayMs } = this.#scenario;
    return [...this.#pools].every((pool) => {
      const lanes = [...this.#lanes].filter(([{ entry }, owner]) => entry !== null && owner === pool).length;
      return pool.waiting < (queueDelayMs === 0 ? queueMax : Math.min(queueMax, SURE_PER_LANE * lanes));
    });
  }

  #checkLane(lane: Lane): void {
    const { laneDepthMax } = this.#scenario;
    const { inflight, state } = lane;
    must(inflight.length <= laneDepthMax, () => `a lane has ${inflight.length} requests, more than ${laneDepthMax}`);
    if (state === 'closed') {
      if (inflight.length === 0) this.#lanes.delete(lane);
    }
  }

  /** Whether all lanes can take requests again, as they must when nothing is left to do. */
  isRested(): boolean {
    return [...this.#lanes.keys()].every(
      ({ state, inflight }) => state === 'closed' || (state === 'open' && inflight.length === 0),
    );
  }

  /** The content of `clients` clients waits in memory up to the limit, and beyond it in files, unless the disk is full. */
  checkContent(clients: number): void {
    const { contentMemoryBytesMax, machine } = this.#scenario;
    if (machine.diskFailures + machine.openFailures > 0) return;
    const heldMax = contentMemoryBytesMax + clients * CLIENT_BYTES_MAX;
    must(contentMemory.held <= heldMax, () => `${contentMemory.held} bytes are in memory, more than ${heldMax}`);
  }

  /** The memory of requests that the kernel has not taken yet has a limit. */
  checkMemory(): void {
    const { laneDepthMax, bodyMemoryBytesMax } = this.#scenario;
    const bytesMax = laneDepthMax * (bodyMemoryBytesMax + HEAD_BYTES_MAX);
    for (const socket of this.#machine.sockets) {
      if (socket.closed) this.#machine.sockets.delete(socket);
      const { writableLength } = socket;
      must(writableLength <= bytesMax, () => `${writableLength} bytes wait for a worker, more than ${bytesMax}`);
    }
  }
}

const { add, handOver } = Pool.prototype;
const { send } = Lane.prototype;
