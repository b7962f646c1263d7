import { type Actor, EventHeap, type SimEvent } from './event-heap.ts';
import { Trace } from './trace.ts';

/** What happens to the actors from outside, such as a fault, belongs to this one. */
export const WORLD: Actor = { name: 'world', state: 'running', held: [] };

/** The clock of a simulation, and everything that will happen in it. One step runs one event. */
export class Schedule {
  readonly trace = new Trace();
  steps = 0;
  /** Simulated time in microseconds. */
  nowUs = 1_000_000;
  readonly #heap = new EventHeap();

  /** Simulated time in milliseconds. */
  get nowMs(): number {
    return this.nowUs / 1000;
  }

  /** Lets `run` happen after `delayMs`. Events of the same moment keep their order. */
  after(actor: Actor, delayMs: number, kind: string, run: () => void): SimEvent {
    return this.#heap.push(this.nowUs + Math.ceil(delayMs * 1000), actor, kind, run);
  }

  /** Runs the next event. Returns false when nothing will happen any more. */
  step(): boolean {
    for (let event = this.#heap.pop(); event !== undefined; event = this.#heap.pop()) {
      if (event.run === null || event.actor.state === 'dead') continue;
      if (event.actor.state === 'stopped') {
        event.actor.held.push(event);
        continue;
      }
      if (event.timeUs > this.nowUs) this.nowUs = event.timeUs;
      this.steps += 1;
      this.trace.add(this.nowUs, event.kind, event.actor.name);
      const { run } = event;
      event.run = null;
      run();
      return true;
    }
    return false;
  }

  stop(actor: Actor): void {
    if (actor.state === 'running') actor.state = 'stopped';
  }

  /** Lets a stopped actor run again. What waited for it happens now, in order. */
  continue(actor: Actor): void {
    if (actor.state !== 'stopped') return;
    actor.state = 'running';
    for (const event of actor.held) this.#heap.add(event);
    actor.held = [];
  }
}
