import { addressKey } from '../http/semantics/client-key.ts';
import type { Admission } from '../http/transport/server-context.ts';

export interface ConnectionLimitOptions {
  /** Open connections of one address; of IPv6 its /64. */
  readonly perAddressMax: number;
  /** Addresses without a limit: proxies, which connect for many. Nobody when absent. */
  readonly exempt?: (address: string) => boolean;
}

/**
 * Counts open connections by address. Clients of Unix sockets have none and are not limited. Its memory is bounded by the connections that
 * are open. What it allows may change: connections that are open stay, and count.
 */
export class ConnectionLimit implements Admission {
  perAddressMax: number;
  readonly #exempt: (address: string) => boolean;
  readonly #open = new Map<string, number>();

  constructor({ perAddressMax, exempt = () => false }: ConnectionLimitOptions) {
    this.perAddressMax = perAddressMax;
    this.#exempt = exempt;
  }

  /** Addresses with open connections. */
  get size(): number {
    return this.#open.size;
  }

  accept(address: string): boolean {
    if (address === '') return true;
    const key = addressKey(address);
    const count = this.#open.get(key) ?? 0;
    if (count >= this.perAddressMax && !this.#exempt(address)) return false;
    this.#open.set(key, count + 1);
    return true;
  }

  release(address: string): void {
    if (address === '') return;
    const key = addressKey(address);
    const left = (this.#open.get(key) ?? 0) - 1;
    if (left > 0) this.#open.set(key, left);
    else this.#open.delete(key);
  }
}
