import type { Habits } from './client.ts';
import { FAULTS, type Fault } from './faults.ts';
import type { Conditions } from './machine.ts';
import type { Plan, Traits } from './plan.ts';
import type { Random } from './random.ts';

/** Everything that differs between two simulated servers. */
export interface Scenario {
  readonly workers: number;
  readonly threads: number;
  readonly preload: boolean;
  readonly queueMax: number;
  readonly queueDelayMs: number;
  readonly processors: number;
  readonly laneDepthMax: number;
  readonly bodyMemoryBytesMax: number;
  readonly retryIdempotent: boolean;
  readonly responseBufferBytesMax: number;
  readonly contentMemoryBytesMax: number;
  readonly startTimeoutMs: number;
  readonly workerTimeoutMs: number;
  /** After so many requests a worker is replaced; 0 for never. */
  readonly maxRequests: number;
  /** The fewest workers; 0 for a number that does not change. */
  readonly workersMin: number;
  readonly machine: Conditions;
  readonly traits: Traits;
  readonly habits: Habits;
  /** Requests that are under way at the same time, at most. */
  readonly clients: number;
  /** The usual time between two requests, in milliseconds. */
  readonly arrivalMs: number;
  readonly faults: readonly Fault[];
  /** The usual time between two faults, in milliseconds. */
  readonly faultMs: number;
  readonly ending: 'when idle' | 'under load' | 'at once';
}

/** How often the largest content fills the kernel's buffer. Larger content would take most steps of a simulation. */
const PASSES_MAX = 40;

const KINDS = ['complete', 'stream', 'file', 'fail', 'abort', 'exit'] as const;

/**
 * Draws a scenario. Each one leaves most things out and exaggerates a few, because a mixture of everything hides what
 * only happens without the rest.
 */
export function drawScenario(random: Random): Scenario {
  const workers = random.integer(1, 4);
  const threads = random.integer(1, 4);
  const socketBytes = random.pick([512, 512, 4096, 65_536, 212_992]);
  const traits = drawTraits(random, socketBytes * PASSES_MAX);
  const capacity = (workers * threads) / traits.workMs[0];
  return {
    workers,
    threads,
    preload: random.chance(0.5),
    queueMax: random.pick([0, 1, 5, 50, 1000]),
    queueDelayMs: random.pick([0, 5, 1000]),
    processors: random.pick([1, 2, 16]),
    laneDepthMax: random.pick([1, 2, 4, 16, 32]),
    bodyMemoryBytesMax: random.pick([0, 100, 20_000, 256_000]),
    retryIdempotent: random.chance(0.5),
    responseBufferBytesMax: random.pick([0, 1000, 65_536, 1_000_000]),
    contentMemoryBytesMax: random.pick([0, 0, 100_000, 2 ** 28]),
    startTimeoutMs: random.pick([500, 5000, 30_000]),
    workerTimeoutMs: random.pick([0, 50, 1000, 10_000]),
    maxRequests: random.pick([0, 0, 1, 10, 100]),
    workersMin: random.pick([0, 0, 1]),
    machine: {
      socketBytes,
      delayMs: random.magnitude(0.005, 1),
      lateness: random.pick([0, 0.001, 0.02]),
      diskFailures: random.pick([0, 0, 0.01, 0.3]),
      openFailures: random.pick([0, 0, 0.2]),
    },
    traits,
    habits: {
      uploads: random.pick([0, 0.1, 0.5]),
      contentMax: Math.min(socketBytes * PASSES_MAX, random.pick([100, 30_000, 300_000])),
      departures: random.pick([0, 0.01, 0.2]),
      slowness: random.pick([0, 0.01, 0.2]),
      repetitions: random.pick([0, 0.7, 1]),
    },
    clients: random.pick([1, 8, 40, 200]),
    arrivalMs: 1 / (capacity * random.magnitude(0.03, 3)),
    faults: FAULTS.filter(() => random.chance(0.4)),
    faultMs: random.magnitude(5, 5000),
    ending: random.pick(['when idle', 'when idle', 'under load', 'at once']),
  };
}

function drawTraits(random: Random, bytesMax: number): Traits {
  const kinds: Plan['kind'][] = Array.from({ length: 12 }, () => 'complete');
  for (const kind of KINDS) if (random.chance(0.35)) kinds.push(kind);
  if (random.chance(0.3)) kinds.push('stream', 'stream', 'stream', 'stream', 'stream', 'stream');
  const fastMs = random.magnitude(0.02, 5);
  return {
    kinds,
    hints: random.pick([0, 0.1]),
    workMs: [fastMs, fastMs * random.pick([1, 3, 30])],
    slowness: random.pick([0, 0.002, 0.05]),
    lengthMax: Math.min(bytesMax, random.pick([10, 1000, 100_000, 2_000_000])),
    blocksMax: random.pick([1, 4, 60]),
    importMs: random.magnitude(1, 2000),
    badImports: random.pick([0, 0, 0.05, 0.5]),
  };
}
