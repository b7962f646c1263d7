import type { Request } from '../../http/message.ts';
import { backendName } from '../backend.ts';
import type { Balancer } from '../balancer.ts';
import type { Upstream } from '../upstream.ts';

/**
 * Points on the ring for a backend of weight 1. With 160 points, the shares of equal backends differ by a few percent.
 */
const POINTS = 160;
/**
 * Limit for the points of all backends together. With more backends each gets fewer points, so building a ring takes at
 * most a tenth of a second.
 */
const ALL_POINTS = 100_000;
const POINTS_MIN = 8;

/**
 * Chooses the same backend for the same key as long as that backend is present. When a backend joins or leaves, only
 * the keys of that backend move (Karger and others, "Consistent Hashing and Random Trees").
 */
export function consistentHash(keyOf: (request: Request) => string): Balancer {
  let ring: Ring | null = null;
  return {
    pick(request, upstreams) {
      if (ring === null || !ring.has(upstreams)) ring = new Ring(upstreams);
      return ring.find(hash(keyOf(request)), upstreams);
    },
  };
}

/** The points of all backends, sorted by position. */
class Ring {
  readonly #upstreams: ReadonlySet<Upstream>;
  readonly #points: Uint32Array;
  readonly #owners: readonly Upstream[];

  constructor(upstreams: readonly Upstream[]) {
    const weights = upstreams.reduce((sum, { backend }) => sum + (backend.weight ?? 1), 0);
    const pointsPerWeight = Math.max(POINTS_MIN, Math.min(POINTS, Math.floor(ALL_POINTS / weights)));
    const points = upstreams.flatMap((upstream) => {
      const name = backendName(upstream.backend);
      const length = pointsPerWeight * (upstream.backend.weight ?? 1);
      return Array.from({ length }, (_, i) => ({ position: hash(`${name}#${i}`), upstream }));
    });
    points.sort((a, b) => a.position - b.position);
    this.#upstreams = new Set(upstreams);
    this.#points = Uint32Array.from(points, ({ position }) => position);
    this.#owners = points.map(({ upstream }) => upstream);
  }

  /**
   * Whether the ring contains all of `upstreams`. After a failure the array is shorter, and the other backends keep
   * their keys.
   */
  has(upstreams: readonly Upstream[]): boolean {
    return upstreams.every((upstream) => this.#upstreams.has(upstream));
  }

  /** Returns the first of `upstreams` at or after `position`. */
  find(position: number, upstreams: readonly Upstream[]): Upstream {
    const start = this.#indexOf(position);
    for (let i = 0; i < this.#owners.length; i += 1) {
      const owner = this.#owners[(start + i) % this.#owners.length] as Upstream;
      if (upstreams.length === this.#upstreams.size || upstreams.includes(owner)) return owner;
    }
    return upstreams[0] as Upstream;
  }

  #indexOf(position: number): number {
    let low = 0;
    let high = this.#points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#points[middle] as number) < position) low = middle + 1;
      else high = middle;
    }
    return low === this.#points.length ? 0 : low;
  }
}

/** FNV-1a with a final mix, 32 bits: names that differ in one character get distant hashes. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
