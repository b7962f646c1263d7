import type { Random } from './random.ts';

/** What the application does with a request. */
export interface Plan {
  readonly kind: 'complete' | 'stream' | 'file' | 'fail' | 'abort' | 'exit';
  /** Whether it sends early hints first. */
  readonly hints: boolean;
  /** Whether it declares the length of its content. */
  readonly declares: boolean;
  /** Bytes of content, in `blocks` blocks. */
  readonly length: number;
  readonly blocks: number;
  /** How long it works before each block, in milliseconds. */
  readonly workMs: number;
}

/** What the application is like. A simulation draws this anew for each server, so that rare mixtures occur. */
export interface Traits {
  /** The kinds of plans; a kind that is listed twice is twice as likely. */
  readonly kinds: readonly Plan['kind'][];
  readonly hints: number;
  readonly workMs: readonly [number, number];
  /** How often a request works up to a thousand times longer. */
  readonly slowness: number;
  readonly lengthMax: number;
  readonly blocksMax: number;
  readonly importMs: number;
  /** How often an import fails, hangs for ever, or ends the process. */
  readonly badImports: number;
}

export function drawPlan(random: Random, traits: Traits): Plan {
  const usualMs = random.magnitude(...traits.workMs);
  return {
    kind: random.pick(traits.kinds),
    hints: random.chance(traits.hints),
    declares: random.chance(0.5),
    length: random.chance(0.2) ? traits.lengthMax : Math.floor(random.magnitude(1, traits.lengthMax)) - 1,
    blocks: random.integer(1, traits.blocksMax),
    workMs: random.chance(traits.slowness) ? Math.min(2000, usualMs * random.magnitude(10, 1000)) : usualMs,
  };
}
