import type { Request } from '../http/message.ts';
import { type Linked, LinkedList } from './linked-list.ts';
import type { QueueDelay } from './queue-delay.ts';

/** What a `Queue` keeps of an item. The item must not change these fields, and it can be in one queue only. */
export interface Waiting<T extends Waiting<T>> extends Linked<T> {
  readonly request: Pick<Request, 'peer' | 'priority'>;
  /** The items of the same client, while the item waits. */
  queue: ClientQueue<T> | null;
  /** When the item came, in milliseconds. The items of one client come in this order. */
  readonly queuedAtMs: number;
}

/** So many clients are compared to find one with many requests. */
const COMPARED_MAX = 16;

/**
 * The requests of one priority that wait. Those of one client leave in the order in which they came, and clients take
 * turns. Every operation takes constant time, except those that say otherwise.
 */
export class Turns<T extends Waiting<T>> {
  readonly clients = new Map<string, ClientQueue<T>>();
  /** How many have left in a row while requests of a lower priority waited. */
  ahead = 0;
  /** The clients that wait; the first one has its turn. */
  readonly #order = new LinkedList<ClientQueue<T>>();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(pending: T, key: string): void {
    let client = this.clients.get(key);
    if (client === undefined) {
      client = new ClientQueue<T>(key, this);
      this.clients.set(key, client);
      this.#order.push(client);
    }
    client.requests.push(pending);
    pending.queue = client;
    this.#length += 1;
  }

  /** The next request, which must then be removed; null when none waits. Its client goes to the end. */
  next(): T | null {
    const client = this.#order.first;
    if (client === null) return null;
    if (this.#order.length > 1) {
      this.#order.remove(client);
      this.#order.push(client);
    }
    client.delay?.leave();
    return client.requests.first;
  }

  /** Removes `pending`, which must be a request of `client`. */
  remove(client: ClientQueue<T>, pending: T): void {
    client.requests.remove(pending);
    this.#length -= 1;
    if (client.requests.length > 0) return;
    this.clients.delete(client.key);
    this.#order.remove(client);
  }

  /** The newest request of a client with many, of those whose turn is last; null when none waits. */
  newest(): T | null {
    let found = this.#order.last;
    for (let [client, i] = [found, 0]; client !== null && i < COMPARED_MAX; client = client.previous, i += 1) {
      if (client.requests.length > (found?.requests.length ?? 0)) found = client;
    }
    return found?.requests.last ?? null;
  }

  /**
   * How many requests of this priority would leave before another one of the client `key`, at most: those of the other
   * clients count up to the number of its own.
   */
  placeOf(key: string): number {
    const own = this.clients.get(key)?.requests.length ?? 0;
    return Math.min(this.#length, (own + 1) * this.clients.size);
  }
}

/** The waiting requests of one client and one priority. */
export class ClientQueue<T extends Waiting<T>> implements Linked<ClientQueue<T>> {
  readonly key: string;
  /** Null for requests that have had their turn. */
  readonly turns: Turns<T> | null;
  readonly requests = new LinkedList<T>();
  /** The wait of this client's requests, from the time when many of them wait. */
  delay: QueueDelay | null = null;
  previous: ClientQueue<T> | null = null;
  next: ClientQueue<T> | null = null;

  constructor(key: string, turns: Turns<T> | null) {
    this.key = key;
    this.turns = turns;
  }
}
