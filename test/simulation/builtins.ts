import childProcess from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import { installFiles, SIMULATED } from './builtin-files.ts';
import type { SimEvent } from './event-heap.ts';
import { systemError } from './files.ts';
import type { Machine } from './machine.ts';

/** What the server gets when it starts Python. */
export interface ChildEvents {
  readonly pid: number;
  onExit: (code: number | null, signal: string | null) => void;
}

/** Starts the program of a zygote with its options, the JSON object of its command line. */
export type Launch = (machine: Machine, options: string) => ChildEvents;

/**
 * Puts the machine that `current` returns in place of the globals and modules of Node that `src/workers` uses: clock,
 * timers, processes, sockets and files. The code under test is not changed. What has nothing to do with the simulation,
 * such as standard output, still reaches the system.
 */
export function installBuiltins(current: () => Machine, launch: Launch): void {
  installClock(current);
  Object.assign(childProcess, {
    spawn: (_file: string, args: string[]) => new Child(current(), launch, args[1] ?? ''),
  });
  Object.assign(net, { createServer: (accept: () => void) => new Listener(current(), accept) });
  process.env.TMPDIR = SIMULATED;
  installFiles(current);
  process.kill = (pid, signal) => {
    if (!(signal === 0 ? current().processes.has(pid) : current().kill(pid))) throw systemError('ESRCH', `${pid}`);
    return true;
  };
  syncBuiltinESMExports();
}

class Timer {
  readonly args: readonly unknown[];
  event: SimEvent | null = null;

  constructor(args: readonly unknown[]) {
    this.args = args;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

type Callback = (...args: readonly unknown[]) => void;

function installClock(current: () => Machine): void {
  function start(machine: Machine, timer: Timer, callback: Callback, ms: number, repeats: boolean): void {
    timer.event = machine.schedule.after(machine.server, Math.max(1, ms), 'timer', () => {
      machine.timers -= 1;
      timer.event = null;
      if (repeats) start(machine, timer, callback, ms, true);
      callback(...timer.args);
    });
    machine.timers += 1;
  }
  function set(repeats: boolean): (callback: Callback, ms?: number, ...args: readonly unknown[]) => Timer {
    return (callback, ms = 1, ...args) => {
      const timer = new Timer(args);
      start(current(), timer, callback, ms, repeats);
      return timer;
    };
  }
  function clear(timer: Timer | undefined | null): void {
    if (timer?.event == null) return;
    timer.event.run = null;
    timer.event = null;
    current().timers -= 1;
  }
  /** All immediates of a turn of the event loop run in one step, as in its check phase. */
  function setImmediate(callback: Callback, ...args: readonly unknown[]): void {
    const machine = current();
    if (machine.immediates.length === 0) {
      machine.schedule.after(machine.server, machine.random.fraction() * 0.05, 'check', () => {
        const due = machine.immediates.splice(0);
        machine.timers -= due.length;
        for (const run of due) run();
      });
    }
    machine.immediates.push(() => callback(...args));
    machine.timers += 1;
  }
  Object.assign(globalThis, {
    setTimeout: set(false),
    setInterval: set(true),
    setImmediate,
    clearTimeout: clear,
    clearInterval: clear,
  });
  performance.now = () => current().schedule.nowMs;
  Date.now = () => Math.floor(current().schedule.nowMs);
}

/** As much of `ChildProcess` as the server uses. */
class Child {
  readonly stdout = null;
  readonly stderr = null;
  readonly #machine: Machine;
  readonly #process: ChildEvents;

  constructor(machine: Machine, launch: Launch, options: string) {
    this.#machine = machine;
    machine.children += 1;
    this.#process = launch(machine, options);
  }

  get pid(): number {
    return this.#process.pid;
  }

  once(event: string, listener: (code: number | null, signal: string | null) => void): void {
    if (event !== 'exit') return;
    this.#process.onExit = (code, signal) => {
      this.#machine.children -= 1;
      listener(code, signal);
    };
  }

  kill(): boolean {
    return this.#machine.kill(this.#process.pid);
  }
}

/** As much of `net.Server` as the server uses. */
class Listener {
  readonly #machine: Machine;
  readonly #accept: () => void;
  #close = (): void => {};

  constructor(machine: Machine, accept: () => void) {
    this.#machine = machine;
    this.#accept = accept;
  }

  on(): void {}

  listen({ path }: { readonly path: string }, onListening: () => void): void {
    this.#close = this.#machine.listen(path, this.#accept);
    this.#machine.schedule.after(this.#machine.server, 0, 'listening', onListening);
  }

  close(): void {
    this.#close();
  }
}
