import type { Actor, SimEvent } from './event-heap.ts';
import type { SimFile } from './files.ts';
import type { Schedule } from './schedule.ts';
import type { ProcessSocket } from './socket.ts';

/** What a thread yields: the milliseconds until it continues, or that something has to wake it. */
export type Pause = number | 'wait';
/** The code of a thread. It stands still at each `yield`, where others run, and where the process may die. */
export type Program<T = void> = Generator<Pause, T, void>;

/** A Python process: an actor with threads and sockets, which can be stopped and can die at any moment. */
export class SimProcess implements Actor {
  readonly name: string;
  readonly pid: number;
  state: 'running' | 'stopped' | 'dead' = 'running';
  held: SimEvent[] = [];
  /** Open files that the server may open by their descriptors. */
  readonly descriptors = new Map<number, SimFile>();
  /** Whether the process has sent something that breaks the protocol. */
  lied = false;
  readonly sockets: ProcessSocket[] = [];
  readonly #threads: Thread[] = [];
  readonly #schedule: Schedule;
  readonly #onEnd: (process: SimProcess, code: number) => void;

  /** `onEnd` receives the exit code, or the negative number of a signal. */
  constructor(name: string, pid: number, schedule: Schedule, onEnd: (process: SimProcess, code: number) => void) {
    this.name = name;
    this.pid = pid;
    this.#schedule = schedule;
    this.#onEnd = onEnd;
  }

  /** Starts a thread after `delayMs`. */
  run(delayMs: number, kind: string, program: Program): Thread {
    const thread = new Thread(this, this.#schedule, kind, program, delayMs);
    this.#threads.push(thread);
    return thread;
  }

  /** Wakes all threads that wait: each looks itself whether it can continue. */
  readonly wake = (): void => {
    for (const thread of this.#threads) thread.wake();
  };

  /** Ends the process. The kernel closes its sockets. */
  end(code: number): void {
    if (this.state === 'dead') return;
    this.state = 'dead';
    this.held = [];
    this.#schedule.trace.add(this.#schedule.nowUs, 'ends', this.name, code);
    for (const socket of this.sockets) socket.close();
    this.#onEnd(this, code);
  }
}

/** The time between something that a thread waits for and its next step, in milliseconds. */
const WAKE_MS = 0.005;

export class Thread {
  readonly #process: SimProcess;
  readonly #schedule: Schedule;
  readonly #kind: string;
  readonly #program: Program;
  #waits = false;

  constructor(process: SimProcess, schedule: Schedule, kind: string, program: Program, delayMs: number) {
    this.#process = process;
    this.#schedule = schedule;
    this.#kind = kind;
    this.#program = program;
    this.#continueAfter(delayMs);
  }

  readonly wake = (): void => {
    if (!this.#waits) return;
    this.#waits = false;
    this.#continueAfter(WAKE_MS);
  };

  readonly #step = (): void => {
    const { value, done } = this.#program.next();
    if (done === true || this.#process.state === 'dead') return;
    if (value === 'wait') this.#waits = true;
    else this.#continueAfter(value as number);
  };

  #continueAfter(delayMs: number): void {
    this.#schedule.after(this.#process, delayMs, this.#kind, this.#step);
  }
}
