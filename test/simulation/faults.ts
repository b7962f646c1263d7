import { ABORT, BLOCK, COMPLETE, END, HEAD } from '../../src/workers/frames.ts';
import type { Actor } from './event-heap.ts';
import type { Machine } from './machine.ts';
import { frame, recalledFrame } from './python/frames.ts';
import type { PythonWorld } from './python/worker.ts';
import { WORLD } from './schedule.ts';

/** What goes wrong. A simulation draws some of these, each with its own rate. */
export const FAULTS = ['kill worker', 'kill zygote', 'stop process', 'stop server', 'reload', 'lie'] as const;
export type Fault = (typeof FAULTS)[number];

export class FaultInjector {
  readonly #world: PythonWorld;
  readonly #machine: Machine;
  readonly #reload: () => void;
  readonly #detectsSilence: boolean;
  readonly #stopped = new Set<Actor>();

  /** `detectsSilence` is true when the server kills processes that do not respond. */
  constructor(world: PythonWorld, detectsSilence: boolean, reload: () => void) {
    this.#world = world;
    this.#machine = world.machine;
    this.#detectsSilence = detectsSilence;
    this.#reload = reload;
  }

  inject(fault: Fault): void {
    const { random, processes } = this.#machine;
    const all = [...processes.values()];
    const workers = all.filter(({ name }) => name.startsWith('worker'));
    const zygotes = all.filter(({ name }) => name.startsWith('zygote'));
    if (fault === 'kill worker') random.pick(workers)?.end(random.chance(0.5) ? -9 : 1);
    else if (fault === 'kill zygote') random.pick(zygotes)?.end(-9);
    else if (fault === 'stop process') this.#stop(random.pick(all), random.magnitude(0.1, 3000));
    else if (fault === 'stop server') this.#stop(this.#machine.server, random.magnitude(0.1, 300));
    else if (fault === 'reload') this.#reload();
    else this.#lie();
  }

  /** No more faults. Processes that stand still continue, unless the server has to notice that they do not. */
  end(): void {
    this.#world.badImports = false;
    for (const actor of this.#stopped) {
      if (actor === this.#machine.server || !this.#detectsSilence) this.#machine.schedule.continue(actor);
    }
  }

  /** SIGSTOP, and SIGCONT later. The server, too, can stand still, when its machine is busy. */
  #stop(actor: Actor | undefined, ms: number): void {
    if (actor === undefined || actor.state !== 'running') return;
    const { schedule } = this.#machine;
    schedule.stop(actor);
    this.#stopped.add(actor);
    if (this.#detectsSilence && actor !== this.#machine.server && this.#machine.random.chance(0.3)) return;
    schedule.after(WORLD, ms, `continues ${actor.name}`, () => {
      this.#stopped.delete(actor);
      schedule.continue(actor);
    });
  }

  /** A worker sends bytes that it must not send. */
  #lie(): void {
    const { random } = this.#machine;
    const worker = random.pick([...this.#world.workers]);
    if (worker === undefined || worker.process.state !== 'running') return;
    const lane = random.pick(worker.lanes);
    const running = lane.slot.lastStarted;
    const id = random.chance(0.5) ? running : random.integer(1, 0x7fffffff);
    const huge = frame({ request: running, kind: HEAD, status: 200 });
    huge.writeUInt32LE(0xffffffff, random.pick([8, 12]));
    const lies = [
      frame({ request: random.integer(running + 1, 0x7fffffff), kind: COMPLETE, status: 200 }, 'X-Token: 0\r\n'),
      frame({ request: id, kind: random.pick([0, BLOCK, END, ABORT, 10, 255]) }),
      recalledFrame([random.integer(running + 1, 0x7fffffff)]),
      recalledFrame([]),
      Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
      ...(this.#detectsSilence ? [huge, huge.subarray(0, random.integer(1, huge.length))] : []),
    ];
    worker.lie(lane, random.pick(lies));
  }
}
