import { addressKey } from '../http/semantics/client-key.ts';
import { ClientQueue, Turns, type Waiting } from './turns.ts';

/** One of so many requests that leave is of a lower priority, if one waits. */
const SHARE = 8;

/**
 * The requests that wait for a lane. Those of a higher priority leave first, but one of eight is of a lower one, so that
 * none waits for ever. Within a priority, those of one client leave in the order in which they came, and clients take
 * turns: a client with a thousand requests delays another by one of them. Clients are distinguished by address, of IPv6
 * by the first 64 bits. Every operation takes constant time, except those that say otherwise.
 */
export class Queue<T extends Waiting<T>> {
  readonly #high = new Turns<T>();
  readonly #normal = new Turns<T>();
  readonly #low = new Turns<T>();
  /** The highest first. */
  readonly #levels: readonly Turns<T>[] = [this.#high, this.#normal, this.#low];
  /** Requests that lanes gave back. They have had their turn. */
  readonly #returned = new ClientQueue<T>('', null);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(pending: T): void {
    this.#turnsOf(pending).push(pending, keyOf(pending));
    this.#length += 1;
  }

  /** All requests, those of each client in their order. */
  *items(): Iterable<T> {
    for (const { requests } of this.#clients()) yield* requests.items();
  }

  /** Removes and returns the next request; null when none waits. */
  shift(): T | null {
    if (this.#length === 0) return null;
    const next = this.#returned.requests.first ?? (this.#nextTurns()?.next() as T);
    this.remove(next);
    return next;
  }

  /** The waiting requests of the client and the priority of `pending`; undefined if none waits. */
  clientOf(pending: T): ClientQueue<T> | undefined {
    return this.#turnsOf(pending).clients.get(keyOf(pending));
  }

  /** Removes and returns the newest requests of `client`, so that at most `kept` stay. */
  takeNewest(client: ClientQueue<T>, kept: number): T[] {
    const taken: T[] = [];
    for (let { last } = client.requests; last !== null && client.requests.length > kept; { last } = client.requests) {
      this.remove(last);
      taken.push(last);
    }
    return taken;
  }

  /** Whether a request of a lower priority than that of `pending` waits. */
  hasBelow(pending: T): boolean {
    return this.#lowestBelow(pending) !== undefined;
  }

  /** Removes and returns a request of a lower priority than that of `pending`, one of the lowest; null if none waits. */
  takeBelow(pending: T): T | null {
    const newest = this.#lowestBelow(pending)?.newest() ?? null;
    if (newest !== null) this.remove(newest);
    return newest;
  }

  /** Inserts `items` before all others, in their order. */
  unshift(items: readonly T[]): void {
    for (const pending of items.toReversed()) {
      this.#returned.requests.unshift(pending);
      pending.queue = this.#returned;
    }
    this.#length += items.length;
  }

  /** Removes `pending` at any position. Returns false when it does not wait here. */
  remove(pending: T): boolean {
    const client = pending.queue;
    if (client === null) return false;
    pending.queue = null;
    this.#length -= 1;
    if (client.turns === null) client.requests.remove(pending);
    else client.turns.remove(client, pending);
    return true;
  }

  /**
   * Removes and returns requests that came before `timeMs`, and not those that lanes gave back: those of the lowest
   * priority first. At least `kept` requests stay, and of these each client has its share. It looks at all clients.
   */
  takeOlderThan(timeMs: number, kept: number): T[] {
    const taken: T[] = [];
    let above = this.#levels.reduce((sum, { length }) => sum + length, 0);
    for (const { clients, length } of this.#levels.toReversed()) {
      above -= length;
      const share = Math.ceil(Math.max(0, kept - above) / clients.size);
      for (const { requests } of clients.values()) {
        while (requests.length > share && this.#length > kept) {
          const { first } = requests;
          if (first === null || first.queuedAtMs >= timeMs) break;
          this.remove(first);
          taken.push(first);
        }
      }
    }
    return taken;
  }

  /**
   * Removes and returns those that came at `timeMs` or before and for which `isWanted` is true. It looks at all clients,
   * and at all requests that lanes gave back.
   */
  take(timeMs: number, isWanted: (item: T) => boolean): T[] {
    const taken: T[] = [];
    for (const { requests, turns } of this.#clients()) {
      for (let item = requests.first; item !== null; item = item.next) {
        if (item.queuedAtMs > timeMs && turns !== null) break;
        if (isWanted(item)) taken.push(item);
      }
    }
    for (const item of taken) this.remove(item);
    return taken;
  }

  /** Removes and returns all requests. */
  clear(): T[] {
    const all: T[] = [];
    for (let pending = this.shift(); pending !== null; pending = this.shift()) all.push(pending);
    return all;
  }

  /**
   * How many requests would leave before `pending` if it came now, at most: those of its own priority before its turn,
   * those of higher priorities that wait, and the share of lower ones.
   */
  placeOf(pending: T): number {
    const turns = this.#turnsOf(pending);
    let place = turns.placeOf(keyOf(pending));
    let below = 0;
    for (let level = this.#levels.length - 1; this.#levels[level] !== turns; level -= 1)
      below += (this.#levels[level] as Turns<T>).length;
    place += Math.min(below, Math.floor(place / (SHARE - 1)) + 1);
    for (let level = this.#levels.indexOf(turns) - 1; level >= 0; level -= 1)
      place += Math.min((this.#levels[level] as Turns<T>).length, (place + 1) * (SHARE - 1));
    return place + this.#returned.requests.length;
  }

  /** The priority whose turn it is; null when none waits. */
  #nextTurns(): Turns<T> | null {
    if (this.#normal.length === this.#length) return this.#normal; // a site without priorities
    let below = this.#length;
    for (const turns of this.#levels) {
      if (turns.length === 0) continue;
      below -= turns.length;
      turns.ahead = below === 0 ? 0 : turns.ahead + 1;
      if (turns.ahead < SHARE) return turns;
      turns.ahead = 0;
    }
    return null;
  }

  #lowestBelow(pending: T): Turns<T> | undefined {
    const own = this.#levels.indexOf(this.#turnsOf(pending));
    return this.#levels.findLast(({ length }, level) => level > own && length > 0);
  }

  #turnsOf({ request: { priority } }: T): Turns<T> {
    if (priority === undefined || priority === 'normal') return this.#normal;
    return priority === 'high' ? this.#high : this.#low;
  }

  #clients(): ClientQueue<T>[] {
    return [this.#returned, ...this.#levels.flatMap(({ clients }) => [...clients.values()])];
  }
}

function keyOf<T extends Waiting<T>>({ request: { peer } }: T): string {
  return addressKey(peer.remoteAddress);
}
