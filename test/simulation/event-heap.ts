/** Whoever runs events: the server process, a Python process, the clients. */
export interface Actor {
  readonly name: string;
  /** Events of a stopped actor wait until it continues. Those of a dead actor never run. */
  state: 'running' | 'stopped' | 'dead';
  /** Events that came due while the actor was stopped. */
  held: SimEvent[];
}

/** Something that will happen at `timeUs`. Its `run` is null once it has happened or was cancelled. */
export interface SimEvent {
  readonly timeUs: number;
  readonly order: number;
  readonly actor: Actor;
  readonly kind: string;
  run: (() => void) | null;
}

/** A binary heap: the earliest event first, and of the same moment the one that was pushed first. */
export class EventHeap {
  readonly #events: SimEvent[] = [];
  #order = 0;

  push(timeUs: number, actor: Actor, kind: string, run: () => void): SimEvent {
    this.#order += 1;
    const event = { timeUs, order: this.#order, actor, kind, run };
    this.add(event);
    return event;
  }

  add(event: SimEvent): void {
    const events = this.#events;
    let at = events.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, events[parent] as SimEvent)) break;
      events[at] = events[parent] as SimEvent;
      at = parent;
    }
    events[at] = event;
  }

  pop(): SimEvent | undefined {
    const events = this.#events;
    const first = events[0];
    const last = events.pop();
    if (last === undefined || events.length === 0) return first;
    let at = 0;
    for (let child = 1; child < events.length; child = 2 * at + 1) {
      const right = child + 1;
      if (right < events.length && isBefore(events[right] as SimEvent, events[child] as SimEvent)) child = right;
      if (!isBefore(events[child] as SimEvent, last)) break;
      events[at] = events[child] as SimEvent;
      at = child;
    }
    events[at] = last;
    return first;
  }
}

function isBefore(a: SimEvent, b: SimEvent): boolean {
  return a.timeUs < b.timeUs || (a.timeUs === b.timeUs && a.order < b.order);
}
