import type { Socket } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { readMessages, sendMessage } from './channel.ts';
import { canOpen } from './handed-file.ts';
import { LifeWatch } from './life-watch.ts';
import { marshalSelfTest } from './marshal.ts';
import type { FromPython, ImportFailure, LogLevel, PrintStream, ToPython } from './messages.ts';
import type { CollectedFamily } from './metrics/collected.ts';
import { type ThreadStack, WorkerQuestion } from './worker-question.ts';

export interface WorkerControlEvents {
  /** The worker violated the protocol, or the connection is closed; `reason` is '' then. */
  readonly onBroken: (reason: string) => void;
  readonly onImportFailed: (failure: ImportFailure) => void;
  /** A line of the worker's log. `request` is the id of its request, null when unknown. */
  readonly onLog: (level: LogLevel, text: string, request: number | null) => void;
  /** What the request with this id has printed. */
  readonly onOutput: (stream: PrintStream, text: string, request: number) => void;
  /** Where the thread of an overdue request was. */
  readonly onInterrupted: (lane: number, request: number, stack: string) => void;
}

const SELF_TEST = marshalSelfTest();

/** The control connection of one worker: its self-test, its signs of life and its messages. */
export class WorkerControl {
  /** Asks where the threads of the worker are. */
  readonly stacks = new WorkerQuestion<readonly ThreadStack[]>(() => this.send({ kind: 'stacks' }));
  readonly #metrics = new WorkerQuestion<readonly CollectedFamily[]>(() =>
    this.send({ kind: 'collect', everything: this.#everything }),
  );
  #everything = false;
  /** Whether the worker has passed the self-test. */
  isProved = false;
  readonly #events: WorkerControlEvents;
  readonly #life = new LifeWatch();
  /** When the delay that is measured started, and who wants to know it. */
  #measuredMs = 0;
  #onMeasured: ((ms: number) => void) | null = null;
  #socket: Socket | null = null;
  #pid = 0;

  constructor(events: WorkerControlEvents) {
    this.#events = events;
  }

  get isAttached(): boolean {
    return this.#socket !== null;
  }

  /** Attaches the connection of the process `pid`, and starts the self-test. */
  attach(socket: Socket, pid: number): void {
    this.#socket = socket;
    this.#pid = pid;
    const { onBroken } = this.#events;
    readMessages(socket, (message) => this.#message(message), onBroken);
    socket.once('close', () => onBroken(''));
    socket.resume();
    this.send({ kind: 'proof', data: SELF_TEST.data });
  }

  send(message: ToPython): void {
    if (this.#socket !== null) sendMessage(this.#socket, message);
  }

  /** Asks for a sign of life. Must be called at each tick (`tickMs`). Returns true after too many ticks without one. */
  isSilent(): boolean {
    if (!this.#life.isWaiting) this.send({ kind: 'ping' });
    return this.#life.tick();
  }

  /** How long the worker takes to give a sign of life, in milliseconds: its thread for that needs the interpreter lock. */
  get delayMs(): number {
    return this.#life.delayMs;
  }

  /** Asks for a sign of life, and calls `onMeasured` with the time that it takes. Does nothing while one is missing. */
  measureDelay(onMeasured: (ms: number) => void): void {
    if (this.#life.isWaiting || this.#onMeasured !== null) return;
    this.#measuredMs = performance.now();
    this.#onMeasured = onMeasured;
    this.send({ kind: 'ping' });
  }

  #alive(): void {
    this.#life.answered();
    this.#onMeasured?.(performance.now() - this.#measuredMs);
    this.#onMeasured = null;
  }

  /** Has the worker bring its metric files up to date. Resolves to what is in no file, if `everything` is wanted; to null without an answer. */
  collect(everything: boolean): Promise<readonly CollectedFamily[] | null> {
    this.#everything = everything;
    return this.#metrics.ask();
  }

  close(): void {
    this.#socket?.destroy();
    this.stacks.finish(null);
    this.#metrics.finish(null);
  }

  #message(message: FromPython): void {
    const { onBroken, onImportFailed, onLog, onOutput, onInterrupted } = this.#events;
    if (message.kind === 'alive') this.#alive();
    else if (message.kind === 'stacks') this.stacks.finish(message.threads);
    else if (message.kind === 'collected') this.#metrics.finish(message.families);
    else if (message.kind === 'proof' && !this.isProved) {
      this.isProved = isDeepStrictEqual(message.decoded, SELF_TEST.decoded);
      if (this.isProved) this.send({ kind: 'go', hands_over: canOpen(this.#pid, message.descriptor, message.size) });
      else onBroken('this Python cannot decode requests: only CPython 3.10 and later is supported');
    } else if (message.kind === 'log') onLog(message.level, message.text, message.request);
    else if (message.kind === 'output') onOutput(message.stream, message.text, message.request);
    else if (message.kind === 'interrupted') onInterrupted(message.lane, message.request, message.stack);
    else if (message.kind === 'broken') onImportFailed(message);
    else if (message.kind === 'unable') onBroken(message.reason);
    else onBroken(`it sent the message "${message.kind}" at the wrong time`);
  }
}
