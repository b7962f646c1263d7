import { type Backend, backendName } from '../backend.ts';
import type { Discovery } from './discovery.ts';

/** The result of one lookup. */
export interface LookupResult {
  readonly backends: readonly Backend[];
  /** How long the result is valid, in seconds. */
  readonly ttlS: number;
}

export interface RepeatedLookupOptions {
  /** @throws Error with the reason when the lookup fails. */
  readonly lookUp: () => Promise<LookupResult>;
  /** The source's name for messages. */
  readonly name: string;
  readonly minMs: number;
  readonly maxMs: number;
  readonly onError: (message: string) => void;
}

/**
 * An empty answer is accepted only after this many in a row: a server that has just started may return an empty answer.
 */
const EMPTY_ANSWERS = 3;

/**
 * Repeats a lookup whenever its result expires. While lookups fail, the last result stays in use. An empty result is
 * accepted only after three empty results in a row.
 */
export function repeatedLookup({ lookUp, name, minMs, maxMs, onError }: RepeatedLookupOptions): Discovery {
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  let last: string | null = null;
  let empty = 0;
  let failing = false;

  async function lookUpOnce(onBackends: (backends: readonly Backend[]) => void): Promise<number> {
    try {
      const { backends, ttlS } = await lookUp();
      if (stopped) return maxMs;
      failing = false;
      empty = backends.length === 0 ? empty + 1 : 0;
      if (empty > 0 && empty < EMPTY_ANSWERS && last !== null) return minMs;
      const sorted = [...backends].sort((a, b) => (backendName(a) < backendName(b) ? -1 : 1));
      const text = sorted.map((backend) => `${backendName(backend)} ${backend.weight} ${backend.backup}`).join('\n');
      if (text !== last) onBackends(sorted);
      last = text;
      return Math.max(minMs, Math.min(maxMs, ttlS * 1000));
    } catch (error) {
      if (!failing && !stopped) onError(`Cannot look up "${name}": ${(error as Error).message}`);
      failing = true;
      return minMs;
    }
  }

  return {
    start(onBackends) {
      const again = async (): Promise<void> => {
        const waitMs = await lookUpOnce(onBackends);
        if (!stopped) timer = setTimeout(() => void again(), waitMs).unref();
      };
      void again();
    },
    stop() {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
    },
  };
}
