import type { Socket } from 'node:net';
import type { LoggedPart } from '../http/request-id.ts';
import { Lane } from './lane.ts';
import type { LaneOwner } from './lane-owner.ts';
import { destroyWhenSilent } from './late-sockets.ts';
import type { Pool } from './pool.ts';
import { removeScoreboard, Scoreboard } from './scoreboard.ts';

/**
 * The lanes of one worker, one for each thread, with its scoreboard. The pool has them from `admit` to `withdraw`. When
 * the process is dead and all lanes are read to the end, `settle` decides what becomes of their requests.
 */
export class WorkerLanes {
  readonly all: Lane[] = [];
  /** The pool that uses them. */
  pool: Pool;
  readonly #threads: number;
  readonly #path: string;
  #scoreboard: Scoreboard | null = null;
  /** How many are not closed. */
  #open = 0;
  #isAdmitted = false;
  #endWatch = (): void => {};

  /** @param path of the scoreboard, which the worker makes before it opens a lane */
  constructor(pool: Pool, threads: number, path: string) {
    this.pool = pool;
    this.#threads = threads;
    this.#path = path;
  }

  /** Whether all lanes are open. */
  get areComplete(): boolean {
    return this.#open === this.#threads;
  }

  /** Whether all lanes are closed, and so everything was read that the worker wrote to them. */
  get areRead(): boolean {
    return this.#open === 0;
  }

  /** Whether the worker may open a lane with this index. */
  expects(index: number): boolean {
    return index < this.#threads && this.find(index) === undefined;
  }

  find(index: number): Lane | undefined {
    return this.all.find((lane) => lane.index === index);
  }

  /** Opens the scoreboard. Returns why it cannot be read, as without free descriptors or when the worker made none; '' if it can. */
  openScoreboard(): string {
    try {
      this.#scoreboard ??= new Scoreboard(this.#path);
      return '';
    } catch (error) {
      return `its scoreboard cannot be read: ${(error as Error).message}`;
    }
  }

  /** Adds a lane, and calls `onClosed` after its end, when its running response has broken off. */
  add(accepted: Socket, worker: number, index: number, owner: LaneOwner, onClosed: () => void): void {
    const lane = new Lane(accepted, worker, index, owner);
    this.all.push(lane);
    this.#open += 1;
    lane.socket.on('close', () => {
      this.#open -= 1;
      lane.breakOff();
      this.pool.remove(lane);
      onClosed();
    });
    lane.socket.resume();
  }

  /** Allows the pool to use the lanes. */
  admit(): void {
    this.#isAdmitted = true;
    for (const lane of this.all) this.pool.add(lane);
  }

  /** From now on the lanes belong to `pool`. If they are in use, their current requests stay in them. */
  moveTo(pool: Pool, areUsed: boolean): void {
    const old = this.pool;
    this.pool = pool;
    if (this.#isAdmitted && areUsed) for (const lane of this.all) pool.adopt(lane, old);
  }

  /** The pool uses none of them any more. */
  withdraw(): void {
    for (const lane of this.all) this.pool.remove(lane);
  }

  /** The pool does not use this lane any more, if it has another one: a lane in doubt is better than none. */
  doubt(index: number): void {
    const lane = this.find(index);
    if (lane !== undefined && this.pool.lanes > 1) this.pool.remove(lane);
  }

  /** Whether a lane runs a request that may still end. */
  get areBusy(): boolean {
    return this.all.some(({ inflight, deadline }) => inflight.length > 0 && deadline.current?.isStuck !== true);
  }

  /** Whether a thread does not end its request, although it was asked to. */
  get areStuck(): boolean {
    return this.all.some(({ deadline }) => deadline.current !== null);
  }

  /** The request with this id that one of them has or had; null if there is none. */
  requestOf(id: number | null): LoggedPart | null {
    if (id === null) return null;
    for (const { done, inflight } of this.all) {
      done.grow();
      const request = inflight.find((pending) => pending.id === id)?.request ?? done.find(id);
      if (request !== null) return request;
    }
    return null;
  }

  /** Closes them. Their threads exit when they have run what they have. */
  close(): void {
    for (const lane of this.all) if (lane.state !== 'closed') lane.close();
  }

  /** The process is dead. What it wrote is read to the end, unless a process that it forked holds the sockets. */
  exited(): void {
    this.withdraw();
    this.#endWatch = destroyWhenSilent(this.all.map(({ socket }) => socket));
  }

  /** Settles the requests of a process that is dead, when all lanes are closed. The scoreboard says which of them it had started. `end` as for `LaneTraces.lose`. */
  settle(end: string): void {
    this.#endWatch();
    const scoreboard = this.#scoreboard;
    for (const lane of this.all) {
      if (scoreboard !== null) lane.recover(scoreboard.copies(lane.index));
      lane.loseTraces(end);
      this.pool.settleDeadLane(lane, scoreboard?.lastStarted(lane.index) ?? 0);
    }
    if (scoreboard === null) removeScoreboard(this.#path);
    else scoreboard.close();
  }

  /** Reads nothing of them any more. */
  destroy(end: string): void {
    for (const lane of this.all) lane.loseTraces(end);
    for (const { socket } of this.all) socket.destroy();
  }
}
