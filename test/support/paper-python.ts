import type { ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { COMPLETE, FAILED } from '../../src/workers/frames.ts';
import { marshalSelfTest } from '../../src/workers/marshal.ts';
import type { FromPython, ToPython } from '../../src/workers/messages.ts';
import type { Release } from '../../src/workers/release.ts';
import type { Worker } from '../../src/workers/worker.ts';
import { frame } from './lane.ts';

/** No process has such a high id. */
export const PAPER_PID = 2 ** 30;

/** A process on paper: the test says when it ends. */
export class PaperProcess extends EventEmitter {
  readonly pid = PAPER_PID;
  /** The signals that it got. */
  readonly signals: string[] = [];

  kill(signal: string): void {
    this.signals.push(signal);
  }
}

/** The server's end of a connection, on which the test says what arrives. */
class PaperSocket extends Duplex {
  readonly sent: Buffer[] = [];
  readonly bytesRead = 0;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.sent.push(chunk);
    done();
  }

  get socket(): Socket {
    return this as unknown as Socket;
  }

  say(message: FromPython): void {
    const json = Buffer.from(JSON.stringify(message));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(json.length);
    this.emit('data', Buffer.concat([length, json]));
  }
}

/** The zygote of a release, and its workers, on paper: the sockets and messages of the server are the real ones. */
export class PaperRelease {
  readonly release: Release;
  readonly process: PaperProcess;
  readonly #control = new PaperSocket();
  readonly #directory: string;
  /** The connections of each worker to its thread, by the worker's number. */
  readonly #lanes = new Map<number, PaperSocket>();

  constructor(release: Release, process: ChildProcess, directory: string) {
    this.release = release;
    this.process = process as unknown as PaperProcess;
    this.#directory = directory;
  }

  /** The first of its workers that has this state. */
  worker(state: Worker['state'] = 'ready'): Worker {
    const found = [...this.release.workers.values()].find((worker) => worker.state === state);
    if (found === undefined) throw new Error(`no worker is ${state}`);
    return found;
  }

  /** The states of its workers, in the order of their starts. */
  get states(): string {
    return [...this.release.workers.values()].map(({ state }) => state).join(' ');
  }

  /** How many requests its workers have. */
  get running(): number {
    return this.#inflight().length;
  }

  /** The hooks that it was asked to run, in order. */
  get hooks(): string[] {
    const messages = this.#control.sent.map((data) => JSON.parse(data.toString('utf8', 4)) as ToPython);
    return messages.flatMap((message) => (message.kind === 'hook' ? [message.hook] : []));
  }

  /** The zygote connects, and imports the application now. */
  connects(): void {
    this.release.attachZygote(this.#control.socket);
  }

  /** The import has ended, and workers are forked. */
  loads(): void {
    this.connects();
    this.#control.say({ kind: 'loaded' });
  }

  /** The import has failed. */
  breaks(reason: string, traceback = ''): void {
    this.connects();
    this.#control.say({ kind: 'broken', reason, traceback, exception: '' });
  }

  /** All workers that start open their lanes. */
  getsReady(): void {
    for (const worker of [...this.release.workers.values()])
      if (worker.state === 'starting') this.workerGetsReady(worker);
  }

  workerGetsReady(worker: Worker): void {
    const control = new PaperSocket();
    worker.attachControl(control.socket, PAPER_PID + worker.number);
    control.say({ kind: 'proof', decoded: marshalSelfTest().decoded, descriptor: 3, size: 0 });
    writeFileSync(join(this.#directory, `worker-${worker.number}.scoreboard`), '');
    const lane = new PaperSocket();
    this.#lanes.set(worker.number, lane);
    worker.attachLane(lane.socket, 0);
  }

  /** Its workers answer everything that they have; with an exception if there is a traceback. */
  answers(traceback = ''): void {
    const kind = traceback === '' ? COMPLETE : FAILED;
    for (const [number, socket] of this.#lanes)
      for (const id of this.#inflight(number)) socket.emit('data', frame({ id, kind, body: traceback }));
  }

  /** The process of a worker ends. A code below 0 is a signal. */
  async workerEnds(worker: Worker, code: number): Promise<void> {
    this.#control.say({ kind: 'exited', worker: worker.number, code });
    await this.#closeLane(worker.number);
  }

  /** The process of the zygote ends by a signal, and so do those of its workers. */
  async dies(): Promise<void> {
    const numbers = [...this.release.workers.keys()];
    this.#control.destroy();
    this.process.emit('exit', null, 'SIGKILL');
    for (const number of numbers) await this.#closeLane(number);
  }

  /** All of its processes end, as they were asked to. */
  async ends(): Promise<void> {
    for (const worker of [...this.release.workers.values()]) await this.workerEnds(worker, 0);
    this.#control.destroy();
    this.process.emit('exit', 0, null);
  }

  async #closeLane(number: number): Promise<void> {
    const lane = this.#lanes.get(number);
    if (lane === undefined || lane.closed) return;
    const closed = once(lane, 'close');
    lane.destroy();
    await closed;
  }

  #inflight(number: number | null = null): number[] {
    const workers = [...this.release.workers.values()].filter((worker) => number === null || worker.number === number);
    return workers.flatMap(({ lanes }) => lanes.flatMap(({ inflight }) => inflight.map(({ id }) => id)));
  }
}
