import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { PythonMiddleware } from '../config/middleware.ts';
import type { Project } from '../project/project.ts';
import type { ListenerEnviron } from '../wsgi/variables.ts';
import { readMessages, sendMessage } from './messages.ts';
import { outputFor, passOn } from './output.ts';
import { Worker, type WorkerOptions } from './worker.ts';

const PYTHON_PACKAGE = fileURLToPath(new URL('../../python/viaduct_worker', import.meta.url));

export interface ReleaseOptions {
  readonly project: Project;
  readonly workers: number;
  /** What workers put around the application, the outermost first. */
  readonly middleware?: readonly PythonMiddleware[];
  /** Whether the application also runs elsewhere: in the workers of other fronts. */
  readonly shared?: boolean;
  readonly threads: number;
  readonly preload: boolean;
  readonly software: string;
  readonly listeners: readonly ListenerEnviron[];
  readonly socketPath: string;
  readonly runtimeDirectory: string;
}

export interface ReleaseEvents {
  /** The zygote is ready to fork. */
  readonly onLoaded: (release: Release) => void;
  readonly onBroken: (release: Release, traceback: string, reason: string) => void;
  readonly onZygoteGone: (release: Release, status: string) => void;
  readonly worker: Omit<WorkerOptions, 'onBroken' | 'threads' | 'runtimeDirectory'>;
  readonly onWorkerBroken: (worker: Worker, reason: string) => void;
}

/** How long a process that ended before it was heard of may have said something. */
const LAST_WORDS_MS = 100;

let lastWorker = 0;

/** One loaded version of the application: its zygote and its workers. */
export class Release {
  readonly number: number;
  readonly workers = new Map<number, Worker>();
  readonly bornMs = performance.now();
  state: 'starting' | 'serving' | 'retiring' | 'gone' = 'starting';
  readonly options: ReleaseOptions;
  readonly #events: ReleaseEvents;
  #process: ChildProcess | null = null;
  #control: Socket | null = null;
  #exitStatus: string | null = null;

  constructor(number: number, options: ReleaseOptions, events: ReleaseEvents) {
    this.number = number;
    this.options = options;
    this.#events = events;
  }

  /** Starts the zygote. What becomes of it is told by the events. */
  start(): void {
    const { project, middleware, preload, threads, workers, shared } = this.options;
    const { software, listeners, socketPath, runtimeDirectory } = this.options;
    const options = {
      socket: socketPath,
      runtime: runtimeDirectory,
      release: this.number,
      directory: project.directory,
      ...project.application,
      middleware: (middleware ?? []).map(({ path, options }) => ({ path, options })),
      preload,
      threads,
      multiprocess: workers > 1 || shared === true,
      software,
      listeners,
    };
    this.#process = spawn(project.python.path, [PYTHON_PACKAGE, JSON.stringify(options)], {
      cwd: project.directory,
      env: { PYTHONUNBUFFERED: '1', ...process.env, ...project.environment },
      stdio: ['ignore', outputFor(1), outputFor(2)],
    });
    passOn(this.#process.stdout, process.stdout);
    passOn(this.#process.stderr, process.stderr);
    this.#process.once('error', (error) => this.#exited(error.message));
    this.#process.once('exit', (code, signal) => this.#exited(signal ?? `exit code ${code}`));
  }

  attachZygote(socket: Socket): void {
    this.#control = socket;
    socket.once('close', () => {
      if (this.#exitStatus !== null) this.#zygoteGone(this.#exitStatus);
    });
    readMessages(socket, (message) => {
      if (message.kind === 'loaded') this.#events.onLoaded(this);
      else if (message.kind === 'broken') this.#events.onBroken(this, message.traceback, message.reason);
      else if (message.kind === 'exited') this.workers.get(message.worker)?.exited(message.code);
      else if (message.kind === 'forked') {
        const worker = this.workers.get(message.worker);
        if (worker !== undefined) worker.pid = message.pid;
      }
    });
    socket.resume();
  }

  /** Forks one more worker. */
  fork(): void {
    lastWorker += 1;
    const { threads, runtimeDirectory } = this.options;
    const worker = new Worker(lastWorker, this.number, {
      ...this.#events.worker,
      threads,
      runtimeDirectory,
      onGone: (gone) => {
        this.workers.delete(gone.number);
        this.#events.worker.onGone(gone);
        if (this.state === 'retiring') this.#leaveWhenEmpty();
      },
      onBroken: (broken, reason) => {
        if (reason !== '') this.#events.onWorkerBroken(broken, reason);
        this.kill(broken);
      },
    });
    this.workers.set(worker.number, worker);
    this.#send({ kind: 'fork', worker: worker.number });
  }

  kill(worker: Worker): void {
    if (this.#control?.writable) this.#send({ kind: 'kill', worker: worker.number });
    else killProcess(worker.pid);
  }

  /** Finishes what runs, then ends the workers and the zygote. */
  retire(): void {
    if (this.state === 'gone') return;
    this.state = 'retiring';
    for (const worker of this.workers.values()) {
      const isReady = worker.state === 'ready';
      worker.retire();
      if (!isReady) this.kill(worker); // it has no request, and may import for long
    }
    this.#leaveWhenEmpty();
  }

  /** Ends everything now. */
  destroy(): void {
    for (const worker of this.workers.values()) killProcess(worker.pid);
    this.#process?.kill('SIGKILL');
  }

  #send(message: Parameters<typeof sendMessage>[1]): void {
    if (this.#control !== null) sendMessage(this.#control, message);
  }

  #leaveWhenEmpty(): void {
    if (this.workers.size > 0) return;
    if (this.#control === null) this.#process?.kill('SIGKILL');
    else this.#send({ kind: 'quit' });
  }

  /** The process is gone; what it said before may still be on its way. */
  #exited(status: string): void {
    this.#exitStatus = status;
    if (this.#control === null) setTimeout(() => this.#control === null && this.#zygoteGone(status), LAST_WORDS_MS);
    else if (this.#control.destroyed) this.#zygoteGone(status);
  }

  /** Without its zygote nobody reaps the workers: they are ended, and count as dead once their lanes are read to the end. */
  #zygoteGone(status: string): void {
    if (this.state === 'gone') return;
    const retiring = this.state === 'retiring';
    this.state = 'gone';
    this.#control?.destroy();
    this.#control = null;
    for (const worker of [...this.workers.values()]) {
      killProcess(worker.pid);
      worker.exited(-constants.signals.SIGKILL);
    }
    this.#events.onZygoteGone(this, retiring ? '' : status);
  }
}

function killProcess(pid: number): void {
  try {
    if (pid > 0) process.kill(pid, 'SIGKILL');
  } catch {
    // it is gone already
  }
}
