import type { Actor } from './event-heap.ts';
import { fail } from './failure.ts';
import { Files } from './files.ts';
import { SimProcess } from './process.ts';
import type { Random } from './random.ts';
import { Schedule } from './schedule.ts';
import type { ProcessSocket } from './socket.ts';
import { ServerSocket } from './socket.ts';

/** How the simulated system treats everybody. */
export interface Conditions {
  /** Bytes that the kernel holds for each direction of a socket. */
  readonly socketBytes: number;
  /** The usual time until a reader wakes, in milliseconds. */
  readonly delayMs: number;
  /** How often a wait takes up to a thousand times longer. */
  readonly lateness: number;
  /** How often a write to a file fails. */
  readonly diskFailures: number;
  /** How often the server cannot open the file of a worker. */
  readonly openFailures: number;
}

const FIRST_PID = 1_000_000;
const SIGKILL = 9;

/** The simulated system around one server process: clock, processes, sockets and files. */
export class Machine {
  readonly random: Random;
  readonly schedule = new Schedule();
  readonly files = new Files();
  readonly conditions: Conditions;
  /** The server process. */
  readonly server: Actor = { name: 'server', state: 'running', held: [] };
  readonly processes = new Map<number, SimProcess>();
  /** The server's ends of all connections. */
  readonly sockets = new Set<ServerSocket>();
  /** Timers and immediates of the server that have not run. */
  timers = 0;
  /** Processes that the server started, and whose end it does not know yet. */
  children = 0;
  /** What runs in the next check phase of the server's event loop. */
  readonly immediates: (() => void)[] = [];
  readonly #listeners = new Map<string, (socket: ServerSocket) => void>();
  #lastPid = FIRST_PID;

  constructor(random: Random, conditions: Conditions) {
    this.random = random;
    this.conditions = conditions;
  }

  /** The time until somebody notices something, in milliseconds. */
  delay(): number {
    const { random, conditions } = this;
    const usual = conditions.delayMs * random.fraction();
    return random.chance(conditions.lateness) ? usual * random.magnitude(10, 1000) : usual;
  }

  /** The server accepts connections to `path` from now on, until the returned function is called. */
  listen(path: string, accept: (socket: ServerSocket) => void): () => void {
    this.#listeners.set(path, accept);
    return () => void this.#listeners.delete(path);
  }

  get isListening(): boolean {
    return this.#listeners.size > 0;
  }

  /** Connects `process` to the server. Returns null when the server does not listen at `path`. */
  connect(process: SimProcess, path: string): ProcessSocket | null {
    if (!this.#listeners.has(path)) return null;
    const { schedule, random, server } = this;
    const socket = new ServerSocket(
      { schedule, random, server, capacity: this.conditions.socketBytes, delay: () => this.delay() },
      process.wake,
    );
    this.sockets.add(socket);
    process.sockets.push(socket.peer);
    schedule.after(server, this.delay(), 'accept', () => {
      const accept = this.#listeners.get(path);
      if (accept === undefined) socket.destroy();
      else accept(socket);
    });
    return socket.peer;
  }

  /** Makes a process that does nothing yet. */
  fork(kind: string, onEnd: (code: number) => void): SimProcess {
    this.#lastPid += 1;
    const process = new SimProcess(
      `${kind} ${this.#lastPid - FIRST_PID}`,
      this.#lastPid,
      this.schedule,
      (ended, code) => {
        this.processes.delete(ended.pid);
        onEnd(code);
      },
    );
    this.processes.set(process.pid, process);
    return process;
  }

  /** SIGKILL. Returns false when there is no such process. */
  kill(pid: number): boolean {
    if (pid < FIRST_PID) fail(`the server kills process ${pid}, which it did not start`);
    const process = this.processes.get(pid);
    process?.end(-SIGKILL);
    return process !== undefined;
  }
}
