import { closeSync, fstatSync, open, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { Response } from '../http/response.ts';
import { type FileHead, Lane, type LaneOwner, type WorkerLoad } from './lane.ts';
import { marshalProof } from './marshal.ts';
import { type FromPython, readMessages, sendMessage } from './messages.ts';
import type { Job } from './pending-request.ts';
import type { Pool } from './pool.ts';
import { Scoreboard } from './scoreboard.ts';

export interface WorkerOptions {
  readonly threads: number;
  readonly responseBufferBytesMax: number;
  readonly runtimeDirectory: string;
  readonly pool: Pool;
  /** Answers for an application that raised before its response began. */
  readonly errorResponse: (traceback: string) => Response;
  readonly onReady: (worker: Worker) => void;
  /** It is dead and its requests are settled. */
  readonly onGone: (worker: Worker) => void;
  /** It broke the protocol, or lost a lane, which is what dying looks like first (`reason` is '' then): it must be killed. */
  readonly onBroken: (worker: Worker, reason: string) => void;
  readonly onTraceback: (worker: Worker, traceback: string, reason: string) => void;
  /** A line of `wsgi.errors` or of the worker itself; `job` is the request it belongs to, when that is known. */
  readonly onLog: (worker: Worker, text: string, job: Job | null) => void;
}

const PROOF = marshalProof();

/** The front's side of one worker process: its control connection and its lanes. */
export class Worker implements LaneOwner {
  readonly number: number;
  readonly release: number;
  readonly bornMs = performance.now();
  readonly responseBufferBytesMax: number;
  pid = 0;
  /** Once it is dead: how it died. */
  death = '';
  /** A ready worker takes requests; a retiring one finishes those that it has. */
  state: 'starting' | 'ready' | 'retiring' | 'gone' = 'starting';
  readonly #options: WorkerOptions;
  readonly #load: WorkerLoad;
  readonly #lanes: Lane[] = [];
  #control: Socket | null = null;
  #scoreboard: Scoreboard | null = null;
  #openLanes = 0;
  /** Files that it holds for us until we have opened them. */
  #opening = 0;
  #exited = false;

  constructor(number: number, release: number, options: WorkerOptions) {
    this.number = number;
    this.release = release;
    this.#options = options;
    this.responseBufferBytesMax = options.responseBufferBytesMax;
    this.#load = { worker: number, busyLanes: 0 };
  }

  /** The worker's control connection is here: it proves itself before it gets a lane. */
  attachControl(socket: Socket, pid: number): void {
    this.pid = pid;
    this.#control = socket;
    readMessages(socket, (message) => this.#message(message));
    socket.resume();
    sendMessage(socket, { kind: 'proof', data: PROOF.data });
  }

  /** One of the worker's lanes is here; with the last one it is ready. */
  attachLane(socket: Socket, index: number): void {
    this.#scoreboard ??= new Scoreboard(`${this.#options.runtimeDirectory}/worker-${this.number}.scoreboard`);
    const lane = new Lane(socket, this.#load, index, this);
    this.#lanes[index] = lane;
    this.#openLanes += 1;
    socket.on('close', () => this.#laneClosed(lane));
    lane.open();
    socket.resume();
    if (this.#openLanes < this.#options.threads || this.state !== 'starting') return;
    this.state = 'ready';
    this.#options.onReady(this);
  }

  /** Lets the pool use the lanes. */
  admit(): void {
    for (const lane of this.#lanes) this.#options.pool.add(lane);
  }

  /** Takes no more requests, finishes those it has and leaves. */
  retire(): void {
    if (this.state === 'gone') return;
    this.state = 'retiring';
    for (const lane of this.#lanes) this.#options.pool.remove(lane);
    this.#leaveWhenIdle();
  }

  onRecall(lane: Lane): void {
    if (this.#control !== null) sendMessage(this.#control, { kind: 'recall', lane: lane.index });
  }

  onRecalled(jobs: readonly Job[]): void {
    if (jobs.length > 0) this.#options.pool.requeue(jobs);
  }

  /**
   * The process has ended; its lanes may still hold what it wrote before.
   *
   * @param code exit code, or the negative number of the signal that ended it
   */
  exited(code: number): void {
    this.#exited = true;
    this.death = code < 0 ? `of ${signalName(-code)}` : `with exit code ${code}`;
    this.#bury();
  }

  onRoom(_lane: Lane): void {
    if (this.state === 'retiring') this.#leaveWhenIdle();
    else if (this.#options.pool.waiting > 0) this.#options.pool.pump();
  }

  onFailed(_lane: Lane, job: Job, traceback: string): void {
    this.#options.onLog(this, traceback.trimEnd(), job);
    if (job.settled) return;
    job.settle(this.#options.errorResponse(traceback));
  }

  onFile(lane: Lane, job: Job, head: FileHead): void {
    this.#opening += 1;
    open(`/proc/${this.pid}/fd/${head.descriptor}`, 'r', (error, fd) => {
      this.#opening -= 1;
      if (this.#control !== null) sendMessage(this.#control, { kind: 'opened', lane: lane.index, request: job.id });
      if (this.state === 'retiring') this.#leaveWhenIdle();
      if (error !== null) {
        this.#options.onLog(this, `Cannot open the file that the application returned: ${error.message}`, job);
        job.settle(Response.text(502, 'Bad Gateway\n'));
        return;
      }
      const release = (): void => closeSync(fd);
      const { status, reason, lines, contentLength, has, start, end } = head;
      job.settle(new Response(status, reason, lines, contentLength, has, { fd, start, end, release }));
    });
  }

  onAbandoned(lane: Lane, request: number): void {
    if (this.#control !== null) sendMessage(this.#control, { kind: 'gone', lane: lane.index, request });
  }

  onBroken(lane: Lane, reason: string): void {
    lane.state = 'closed';
    this.#options.onBroken(this, reason);
  }

  #message(message: FromPython): void {
    const control = this.#control as Socket;
    if (message.kind === 'proof') {
      if (!isDeepStrictEqual(message.decoded, PROOF.decoded)) {
        this.#options.onBroken(this, 'this Python does not decode requests: only CPython 3.10 and later is supported');
        return;
      }
      sendMessage(control, { kind: 'go', hands_over: canOpen(this.pid, message.descriptor, message.size) });
    } else if (message.kind === 'log') {
      const job = this.#lanes.flatMap((lane) => lane.inflight).find((running) => running.id === message.request);
      this.#options.onLog(this, message.text, job ?? null);
    } else if (message.kind === 'broken') this.#options.onTraceback(this, message.traceback, message.reason);
  }

  #leaveWhenIdle(): void {
    if (this.#opening > 0 || this.#lanes.some((lane) => lane.inflight.length > 0)) return;
    for (const lane of this.#lanes) if (lane.state !== 'closed') lane.close();
  }

  #laneClosed(lane: Lane): void {
    this.#openLanes -= 1;
    lane.breakOff();
    this.#options.pool.remove(lane);
    if (this.state !== 'retiring' && !this.#exited) this.#options.onBroken(this, '');
    this.#bury();
  }

  /** Settles the requests once the process is dead and everything it wrote has been read. */
  #bury(): void {
    if (!this.#exited || this.#openLanes > 0 || this.state === 'gone') return;
    this.state = 'gone';
    this.#control?.destroy();
    for (const lane of this.#lanes) this.#buryLane(lane);
    this.#scoreboard?.close();
    this.#options.onGone(this);
  }

  #buryLane(lane: Lane): void {
    const scoreboard = this.#scoreboard;
    if (scoreboard !== null) lane.recover(scoreboard.copies(lane.index));
    this.#options.pool.bury(lane, scoreboard?.lastStarted(lane.index) ?? 0);
  }
}

function signalName(number: number): string {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `signal ${number}`;
}

/** Whether this process may open files of that one by their descriptors: on Linux, unless /proc is restricted. */
function canOpen(pid: number, descriptor: number, size: number): boolean {
  try {
    const fd = openSync(`/proc/${pid}/fd/${descriptor}`, 'r');
    const same = fstatSync(fd).size === size;
    closeSync(fd);
    return same;
  } catch {
    return false;
  }
}
