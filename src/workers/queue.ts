import type { Request } from '../http/message.ts';
import { addressKey } from '../http/semantics/client-key.ts';
import { type Linked, LinkedList } from './linked-list.ts';
import type { QueueDelay } from './queue-delay.ts';

/** What a `Queue` keeps of an item. The item must not change these fields, and it can be in one queue only. */
export interface Waiting<T extends Waiting<T>> extends Linked<T> {
  readonly request: Pick<Request, 'peer'>;
  /** The items of the same client, while the item waits. */
  queue: ClientQueue<T> | null;
  /** When the item came, in milliseconds. The items of one client come in this order. */
  readonly queuedAtMs: number;
}

/**
 * The requests that wait for a lane. Those of one client leave in the order in which they came, and clients take turns:
 * a client with a thousand requests delays another by one of them. Clients are distinguished by address, of IPv6 by the
 * first 64 bits. Every operation takes constant time.
 */
export class Queue<T extends Waiting<T>> {
  readonly #clients = new Map<string, ClientQueue<T>>();
  /** The clients that wait; the first one has its turn. */
  readonly #turns = new LinkedList<ClientQueue<T>>();
  /** Requests that lanes gave back. They have had their turn. */
  readonly #returned = new ClientQueue<T>('');
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(pending: T): void {
    const key = addressKey(pending.request.peer.remoteAddress);
    let client = this.#clients.get(key);
    if (client === undefined) {
      client = new ClientQueue<T>(key);
      this.#clients.set(key, client);
      this.#turns.push(client);
    }
    client.requests.push(pending);
    pending.queue = client;
    this.#length += 1;
  }

  /** All requests, those of each client in their order. */
  *items(): Iterable<T> {
    for (const { requests } of [this.#returned, ...this.#clients.values()]) yield* requests.items();
  }

  /** Removes and returns the next request; null when none waits. */
  shift(): T | null {
    const returned = this.#returned.requests.first;
    if (returned !== null) {
      this.remove(returned);
      return returned;
    }
    const client = this.#turns.first;
    const next = client?.requests.first ?? null;
    if (client === null || next === null) return null;
    if (this.#turns.length > 1) {
      this.#turns.remove(client);
      this.#turns.push(client);
    }
    client.delay?.leave();
    this.remove(next);
    return next;
  }

  /** The waiting requests of the client that sent `pending`; undefined if none waits. */
  clientOf(pending: T): ClientQueue<T> | undefined {
    return this.#clients.get(addressKey(pending.request.peer.remoteAddress));
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
    client.requests.remove(pending);
    this.#length -= 1;
    if (client.requests.length > 0 || client === this.#returned) return true;
    this.#clients.delete(client.key);
    this.#turns.remove(client);
    return true;
  }

  /**
   * Removes and returns requests that came before `timeMs`, and not those that lanes gave back. At least `kept` requests
   * stay, and of these each client has its share.
   */
  takeOlderThan(timeMs: number, kept: number): T[] {
    const taken: T[] = [];
    const share = Math.ceil(kept / this.#clients.size);
    for (const { requests } of this.#clients.values()) {
      while (requests.length > share && this.#length > kept) {
        const { first } = requests;
        if (first === null || first.queuedAtMs >= timeMs) break;
        this.remove(first);
        taken.push(first);
      }
    }
    return taken;
  }

  /** Removes and returns those for which `isWanted` is true. It looks at all. */
  take(isWanted: (item: T) => boolean): T[] {
    const taken: T[] = [];
    for (const { requests } of [this.#returned, ...this.#clients.values()]) {
      for (let item = requests.first; item !== null; item = item.next) if (isWanted(item)) taken.push(item);
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
   * How many requests would leave before `pending` if it came now, at most: clients take turns, so those of the others
   * count up to the number of its own.
   */
  placeOf(pending: T): number {
    const own = this.clientOf(pending)?.requests.length ?? 0;
    return Math.min(this.#length, (own + 1) * this.#clients.size + this.#returned.requests.length);
  }
}

/** The waiting requests of one client. */
export class ClientQueue<T extends Waiting<T>> implements Linked<ClientQueue<T>> {
  readonly key: string;
  readonly requests = new LinkedList<T>();
  /** The wait of this client's requests, from the time when many of them wait. */
  delay: QueueDelay | null = null;
  previous: ClientQueue<T> | null = null;
  next: ClientQueue<T> | null = null;

  constructor(key: string) {
    this.key = key;
  }
}
