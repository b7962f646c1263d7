import { type Backend, backendName } from '../backend.ts';
import type { Discovery } from './discovery.ts';

/** What one look has found. */
export interface Found {
  readonly backends: readonly Backend[];
  /** How long that is true, in seconds. */
  readonly ttlS: number;
}

export interface RepeatedLookupOptions {
  /** @throws Error that says why nothing can be known. */
  readonly look: () => Promise<Found>;
  /** For messages. */
  readonly name: string;
  readonly minMs: number;
  readonly maxMs: number;
  readonly onError: (message: string) => void;
}

/** So many empty answers in a row are believed: one may be that of a server that has just begun. */
const EMPTY_ANSWERS = 3;

/**
 * Looks again and again, each time when what it found has run out. What was found last goes on while nothing can be known; that there is no backend is believed
 * when it was said three times.
 */
export function repeatedLookup({ look, name, minMs, maxMs, onError }: RepeatedLookupOptions): Discovery {
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  let last: string | null = null;
  let empty = 0;
  let failing = false;

  async function lookOnce(found: (backends: readonly Backend[]) => void): Promise<number> {
    try {
      const { backends, ttlS } = await look();
      if (stopped) return maxMs;
      failing = false;
      empty = backends.length === 0 ? empty + 1 : 0;
      if (empty > 0 && empty < EMPTY_ANSWERS && last !== null) return minMs;
      const sorted = [...backends].sort((a, b) => (backendName(a) < backendName(b) ? -1 : 1));
      const text = sorted.map((backend) => `${backendName(backend)} ${backend.weight} ${backend.backup}`).join('\n');
      if (text !== last) found(sorted);
      last = text;
      return Math.max(minMs, Math.min(maxMs, ttlS * 1000));
    } catch (error) {
      if (!failing && !stopped) onError(`Cannot look up "${name}": ${(error as Error).message}`);
      failing = true;
      return minMs;
    }
  }

  return {
    start(found) {
      const again = async (): Promise<void> => {
        const waitMs = await lookOnce(found);
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
