import { constants } from 'node:os';
import type { ToPython } from '../../../src/workers/messages.ts';
import type { ChildEvents } from '../builtins.ts';
import type { Program, SimProcess } from '../process.ts';
import { Channel } from './channel.ts';
import { importApplication, type PythonOptions, type PythonWorld, Worker } from './worker.ts';

/** Starts a zygote: a translation of zygote.py. */
export function startZygote(world: PythonWorld, options: PythonOptions): ChildEvents {
  const { machine } = world;
  const process = machine.fork('zygote', (code) => {
    machine.schedule.after(machine.server, machine.delay(), 'exit', () => {
      if (code >= 0) events.onExit(code, null);
      else events.onExit(null, signalName(-code));
    });
  });
  const events: ChildEvents = { pid: process.pid, onExit() {} };
  const zygote = new Zygote(world, options, process);
  process.run(machine.delay(), 'zygote', zygote.main());
  return events;
}

type Fork = Extract<ToPython, { kind: 'fork' }>;

class Zygote {
  readonly #world: PythonWorld;
  readonly #options: PythonOptions;
  readonly #process: SimProcess;
  /** The processes that live, by the numbers of the workers. */
  readonly #children = new Map<number, SimProcess>();
  /** Processes that have ended and were not reported: worker and exit code. */
  readonly #ended: [number, number][] = [];

  constructor(world: PythonWorld, options: PythonOptions, process: SimProcess) {
    this.#world = world;
    this.#options = options;
    this.#process = process;
  }

  *main(): Program {
    const { machine } = this.#world;
    const process = this.#process;
    const socket = machine.connect(process, this.#options.socket);
    if (socket === null) return process.end(1);
    const channel = new Channel(process, socket);
    yield* channel.send({ kind: 'zygote', release: this.#options.release, pid: process.pid, version: '3.13' });
    if (this.#options.preload !== 'never' && !(yield* importApplication(this.#world, process, channel))) return;
    yield* channel.send({ kind: 'loaded' });
    for (;;) {
      const ended = this.#ended.shift();
      if (ended !== undefined) {
        yield* channel.send({ kind: 'exited', worker: ended[0], code: ended[1] });
        continue;
      }
      const message = channel.poll();
      if (message === undefined) yield 'wait';
      else if (message === null) return this.#abandon();
      else if (message.kind === 'fork') yield* this.#fork(channel, message);
      else if (message.kind === 'ping') yield* channel.send({ kind: 'alive' });
      else if (message.kind === 'kill') this.#children.get(message.worker)?.end(-constants.signals.SIGKILL);
      else if (message.kind === 'quit') return process.end(0);
    }
  }

  *#fork(channel: Channel, { worker: number, socket, runtime }: Fork): Program {
    const { machine, workers } = this.#world;
    const child = machine.fork('worker', (code) => {
      workers.delete(worker);
      this.#children.delete(number);
      this.#ended.push([number, code]);
      this.#process.wake();
    });
    const worker = new Worker(this.#world, child, { ...this.#options, socket, runtime }, number);
    this.#children.set(number, child);
    child.run(machine.delay(), 'main', worker.main());
    yield* channel.send({ kind: 'forked', worker: number, pid: child.pid });
  }

  /** The server is gone: nobody else can end the workers. */
  #abandon(): void {
    for (const child of [...this.#children.values()]) child.end(-constants.signals.SIGKILL);
    this.#process.end(1);
  }
}

function signalName(number: number): string {
  return Object.entries(constants.signals).find(([, value]) => value === number)?.[0] ?? `signal ${number}`;
}
