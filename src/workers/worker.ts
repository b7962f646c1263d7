import type { Socket } from 'node:net';
import type { SpoolLimits } from '../http/buffering/spool.ts';
import type { Request } from '../http/message.ts';
import type { LoggedPart } from '../http/request-id.ts';
import type { Response } from '../http/response.ts';
import { discardBody } from '../http/semantics/response-content.ts';
import { fileFailedResponse } from './error-responses.ts';
import { openHanded } from './handed-file.ts';
import type { Lane } from './lane.ts';
import type { LaneOwner, LaneRef } from './lane-owner.ts';
import type { ImportFailure, LogLevel, PrintStream } from './messages.ts';
import type { CollectedFamily } from './metrics/collected.ts';
import { killProcess, signalName } from './os-process.ts';
import type { Overdue } from './overdue.ts';
import type { PendingRequest } from './pending-request.ts';
import type { Pool } from './pool.ts';
import type { FileRange } from './response-frame.ts';
import { WorkerControl } from './worker-control.ts';
import { sectionsMaxOf } from './worker-header-cache.ts';
import { WorkerLanes } from './worker-lanes.ts';
import type { OwnLimits } from './worker-limits.ts';
import type { ThreadStack, WorkerQuestion } from './worker-question.ts';

export interface WorkerOptions {
  readonly threads: number;
  readonly responseBufferBytesMax: number;
  /** After so many requests and so much time the worker should be replaced. */
  readonly limits: OwnLimits;
  /** The directory in which the worker was told to make its scoreboard. */
  readonly directory: string;
  readonly pool: Pool;
  /** Creates the response for an application that failed before its response started. */
  readonly errorResponse: (traceback: string, request: Request) => Response;
  readonly onReady: (worker: Worker) => void;
  /** The worker has done as many requests as it may. */
  readonly onRequestsMax: (worker: Worker) => void;
  /** The worker is dead and its requests are settled. */
  readonly onGone: (worker: Worker) => void;
  /**
   * The worker violated the protocol or is silent, and must be killed. `reason` is '' when the worker lost a lane, which
   * is usually the first sign of its death.
   */
  readonly onBroken: (worker: Worker, reason: string) => void;
  readonly onImportFailed: (worker: Worker, failure: ImportFailure) => void;
  /** A request has exceeded its deadline. `stack` shows where it was in Python; '' when the worker does not tell. */
  readonly onOverdue: (worker: Worker, overdue: Overdue, stack: string) => void;
  /** A request of it was ended by an exception. The worker, which is not retiring, should be replaced. */
  readonly onInterrupted: (worker: Worker) => void;
  /** A thread did not end an overdue request in time. The worker, which is not retiring, must be replaced. */
  readonly onStuck: (worker: Worker) => void;
  /** A line of `wsgi.errors` or of the worker itself. `request` is that of the line, null when unknown. */
  readonly onLog: (worker: Worker, level: LogLevel, text: string, request: LoggedPart | null) => void;
  /** What a request has printed. It is null if it is not known any more. */
  readonly onOutput: (worker: Worker, stream: PrintStream, text: string, request: LoggedPart | null) => void;
}

/** The exit functions of a worker have at least this time. */
const EXIT_MS = 1000;
const SILENT = 'it does not respond';
const STUCK = 'a thread did not end a request that took too long';
/** The time to write the stacks of all threads. */
const ABORT_MS = 500;

/** The server's side of one worker process: its control connection and its lanes. */
export class Worker implements LaneOwner {
  readonly number: number;
  readonly release: number;
  readonly bornMs = performance.now();
  readonly responseLimits: SpoolLimits;
  readonly sectionsMax: number;
  pid = 0;
  requests = 0;
  /** The worker that takes its place as soon as that one is ready; null while it stays. */
  successor: Worker | null = null;
  /** Why it had to be killed; '' when it was about to die anyway, null while there is no reason. */
  brokenFor: string | null = null;
  /** Exit code, or the negative number of the signal that ended the process; null while it lives. */
  exitCode: number | null = null;
  /** A ready worker receives requests; a retiring one finishes its current requests. */
  state: 'starting' | 'ready' | 'retiring' | 'gone' = 'starting';
  /** Whether it was asked to leave. Then its end is expected. */
  wasRetired = false;
  /** Whether it was killed only because nobody needs it: its release was given up. */
  isUnwanted = false;
  /** After so much time it should be replaced, in milliseconds. */
  readonly lifetimeMs: number;
  #requestsMax: number;
  readonly #options: WorkerOptions;
  readonly #lanes: WorkerLanes;
  readonly #control: WorkerControl;
  /** Number of files that the worker keeps open until the server has opened them. */
  #openingFiles = 0;
  #graceMs = 0;
  #graceTimer: NodeJS.Timeout | null = null;
  #abortTimer: NodeJS.Timeout | null = null;

  constructor(number: number, release: number, options: WorkerOptions) {
    this.number = number;
    this.release = release;
    this.#options = options;
    this.#lanes = new WorkerLanes(options.pool, options.threads, `${options.directory}/worker-${number}.scoreboard`);
    this.#requestsMax = options.limits.requestsMax;
    this.lifetimeMs = options.limits.lifetimeMs;
    this.sectionsMax = sectionsMaxOf(options.threads);
    this.#control = new WorkerControl({
      onBroken: (reason) => this.break(reason),
      onImportFailed: (failure) => options.onImportFailed(this, failure),
      onLog: (level, text, request) => options.onLog(this, level, text, this.#lanes.requestOf(request)),
      onOutput: (stream, text, request) => options.onOutput(this, stream, text, this.#lanes.requestOf(request)),
      onInterrupted: (lane, request, stack) => this.#interrupted(lane, request, stack),
    });
    this.responseLimits = {
      memoryBytesMax: options.responseBufferBytesMax,
      bytesMax: options.responseBufferBytesMax,
      onFileFailed: ({ message }) =>
        options.onLog(this, 'error', `Cannot store a response, so the worker waits for its client: ${message}`, null),
    };
  }

  /** Attaches the worker's control connection. The worker must pass the self-test before it gets a lane. */
  attachControl(socket: Socket, pid: number): void {
    if (this.#control.isAttached || (this.pid !== 0 && this.pid !== pid)) {
      socket.destroy();
      this.break('a second process says that it is this worker');
      return;
    }
    this.pid = pid;
    this.#control.attach(socket, pid);
  }

  /** Attaches one of the worker's lanes. With the last lane the worker is ready. */
  attachLane(accepted: Socket, index: number): void {
    const isExpected = this.#control.isProved && this.state === 'starting' && this.#lanes.expects(index);
    const wrong = isExpected ? this.#lanes.openScoreboard() : 'it opened a lane that it may not have';
    if (wrong !== '') {
      accepted.destroy();
      this.break(this.state === 'retiring' ? '' : wrong); // it was retired while it started, and does not know it yet
      return;
    }
    this.#lanes.add(accepted, this.number, index, this, () => this.#laneClosed());
    if (!this.#lanes.areComplete) return;
    this.state = 'ready';
    this.#options.onReady(this);
  }

  /** How the worker died, for messages: `of SIGKILL`, `with exit code 1`. */
  get death(): string {
    const code = this.exitCode ?? 0;
    return code < 0 ? `of ${signalName(-code)}` : `with exit code ${code}`;
  }

  /** What happened to the worker, for traces. */
  get #end(): string {
    if (this.brokenFor) return `the worker was killed, because ${this.brokenFor},`;
    return this.exitCode ? `the worker died ${this.death}` : 'the worker ended';
  }

  /** See `WorkerControl`. */
  get delayMs(): number {
    return this.#control.delayMs;
  }

  /** See `WorkerControl.measureDelay`. */
  measureDelay(onMeasured: (ms: number) => void): void {
    this.#control.measureDelay(onMeasured);
  }

  /** Asks where its threads are. */
  get stacks(): WorkerQuestion<readonly ThreadStack[]> {
    return this.#control.stacks;
  }

  /** See `WorkerControl.collect`. */
  collect(everything: boolean): Promise<readonly CollectedFamily[] | null> {
    return this.#control.collect(everything);
  }

  get lanes(): readonly Lane[] {
    return this.#lanes.all;
  }

  get threads(): number {
    return this.#options.threads;
  }

  /** Allows the pool to use the lanes. */
  admit(): void {
    this.#lanes.admit();
  }

  /** From now on it works for `pool`. Its current requests stay in their lanes. */
  moveTo(pool: Pool): void {
    this.#lanes.moveTo(pool, this.state === 'ready');
  }

  /**
   * Receives no more requests, finishes its current ones and exits. After the last request, the application's threads
   * have `graceMs` to finish.
   */
  retire(graceMs: number): void {
    if (this.state === 'gone') return;
    this.state = 'retiring';
    this.wasRetired = true;
    this.#graceMs = graceMs;
    this.#lanes.withdraw();
    this.#closeWhenIdle();
  }

  /** Asks for a sign of life. Must be called at each tick (`tickMs`). A worker that is silent for too many ticks is broken. */
  checkLife(): void {
    if (this.state !== 'ready' && this.state !== 'retiring') return;
    if (this.#control.isSilent()) this.break(SILENT);
    for (const lane of this.lanes) if (lane.isSilent()) this.break(SILENT);
  }

  /** Has the worker killed, unless it is dead. `reason` is for the log; '' when its death is the likely reason. */
  break(reason: string): void {
    if (this.brokenFor !== null || this.exitCode !== null) return;
    this.brokenFor = reason;
    this.#options.onBroken(this, reason);
  }

  onRecall(lane: LaneRef): void {
    this.#control.send({ kind: 'recall', lane: lane.index });
  }

  onRecalled(pendingRequests: readonly PendingRequest[]): void {
    if (pendingRequests.length > 0) this.#lanes.pool.requeue(pendingRequests);
  }

  /**
   * Handles the end of the process. Its lanes may still contain unread responses.
   *
   * @param code exit code, or the negative number of the signal that ended the process
   */
  exited(code: number): void {
    if (this.exitCode !== null) return; // the end of its zygote counts as another one
    this.exitCode = code;
    this.#lanes.exited();
    this.#settleDeadLanes();
  }

  /** The system refuses to start its process. A worker that has one cannot end in this way. */
  refused(reason: string): void {
    if (this.pid !== 0) {
      this.break('its zygote says that it does not exist');
      return;
    }
    this.break(reason);
    this.exited(1);
  }

  /** Reads nothing of the worker any more. */
  destroy(): void {
    this.isUnwanted = true;
    this.#lanes.destroy(this.#end);
  }

  onRoom(_lane: LaneRef): void {
    if (this.requests >= this.#requestsMax) this.#reachRequestsMax();
    if (this.state === 'retiring') this.#closeWhenIdle();
    else if (this.#lanes.pool.waiting > 0) this.#lanes.pool.pump();
  }

  onFailed(_lane: LaneRef, pending: PendingRequest, traceback: string): void {
    this.#options.onLog(this, 'error', traceback.trimEnd(), pending.request);
    pending.request.record.reason = 'exception';
    if (!pending.settled) pending.settle(this.#options.errorResponse(traceback, pending.request));
  }

  onFile(lane: LaneRef, pending: PendingRequest, head: Response, file: FileRange): void {
    this.#openingFiles += 1;
    openHanded(this.pid, file, head, (response, error) => {
      this.#openingFiles -= 1;
      this.#control.send({ kind: 'opened', lane: lane.index, request: pending.id });
      if (this.state === 'retiring') this.#closeWhenIdle();
      if (response === null)
        this.#options.onLog(
          this,
          'error',
          `Cannot open the file that the application returned: ${error}`,
          pending.request,
        );
      if (pending.settled) discardBody(response?.body ?? null);
      else if (response !== null) pending.settle(response);
      else pending.refuse(fileFailedResponse(), 'file not opened');
    });
  }

  onOverdue(lane: LaneRef, { pending }: Overdue): void {
    this.#control.send({ kind: 'interrupt', lane: lane.index, request: pending.id });
  }

  /** The exception may have come between any two steps of a library, such as those that end a transaction or import a module. */
  onInterrupted({ index }: LaneRef): void {
    if (this.state !== 'ready') return;
    this.#lanes.doubt(index);
    this.#options.onInterrupted(this);
  }

  onStuck(_lane: LaneRef, overdue: Overdue): void {
    if (!overdue.isAnswered) {
      this.#options.onOverdue(this, overdue, '');
      this.#abort();
    } else if (this.state === 'retiring') this.#closeWhenIdle();
    else this.#options.onStuck(this);
  }

  onAbandoned(lane: LaneRef, request: number): void {
    this.#control.send({ kind: 'gone', lane: lane.index, request });
  }

  onBroken(_lane: LaneRef, reason: string): void {
    this.break(reason);
  }

  /** Reports it once. */
  #reachRequestsMax(): void {
    this.#requestsMax = Number.POSITIVE_INFINITY;
    this.#options.onRequestsMax(this);
  }

  /** The worker has told where the thread of an overdue request was. */
  #interrupted(lane: number, request: number, stack: string): void {
    const overdue = this.#lanes.find(lane)?.deadline.answer(request) ?? null;
    if (overdue === null) {
      this.break('it interrupted a request that was not overdue');
      return;
    }
    this.#options.onOverdue(this, overdue, stack);
  }

  /** C code holds the interpreter lock: `faulthandler` writes where, although no Python code runs. */
  #abort(): void {
    if (this.exitCode !== null || this.#abortTimer !== null) return;
    killProcess(this.pid, 'SIGABRT');
    this.#abortTimer = setTimeout(() => this.break(STUCK), ABORT_MS).unref();
  }

  #closeWhenIdle(): void {
    if (this.#openingFiles > 0 || this.#lanes.areBusy) return;
    if (this.#lanes.areStuck) {
      this.break(STUCK);
      return;
    }
    this.#lanes.close();
    const graceMs = Math.max(this.#graceMs, EXIT_MS);
    const reason = `its threads, hooks or exit functions still run ${graceMs / 1000} s after its last request`;
    this.#graceTimer ??= setTimeout(() => this.break(reason), graceMs);
  }

  #laneClosed(): void {
    if (this.state !== 'retiring') this.break('');
    this.#settleDeadLanes();
  }

  /** Settles the requests once the process is dead and everything it wrote was read. */
  #settleDeadLanes(): void {
    if (this.exitCode === null || !this.#lanes.areRead || this.state === 'gone') return;
    this.state = 'gone';
    for (const timer of [this.#graceTimer, this.#abortTimer]) if (timer !== null) clearTimeout(timer);
    this.#control.close();
    this.#lanes.settle(this.#end);
    this.#options.onGone(this);
  }
}

/** For messages. A worker that could not be forked has no process. */
export function nameOf({ number, pid }: Worker): string {
  return pid === 0 ? `worker ${number}` : `worker ${number} (pid ${pid})`;
}
