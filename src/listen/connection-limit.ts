import { addressKey } from '../http/semantics/client-key.ts';
import type { Admission } from '../http/transport/server-context.ts';

export interface ConnectionLimitOptions {
  /** Number of open connections of one address; of IPv6 one /64. */
  readonly perAddressMax: number;
  /** Whether an address has no limit: proxies connect for many clients. No address is exempt when absent. */
  readonly exempt?: (address: string) => boolean;
}

/**
 * Counts open connections by address. Clients of Unix sockets have no address and no limit. The number of open connections bounds the
 * memory. `perAddressMax` may change at any time: open connections stay open and still count.
 */
export class ConnectionLimit implements Admission {
  perAddressMax: number;
  readonly #exempt: (address: string) => boolean;
  readonly #open = new Map<string, number>();

  constructor({ perAddressMax, exempt = () => false }: ConnectionLimitOptions) {
    this.perAddressMax = perAddressMax;
    this.#exempt = exempt;
  }

  /** Number of addresses with open connections. */
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
