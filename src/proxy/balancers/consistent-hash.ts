import type { Request } from '../../http/message.ts';
import { backendName } from '../backend.ts';
import type { Balancer } from '../balancer.ts';
import type { Upstream } from '../upstream.ts';

/** Points of a backend of weight 1 on the ring: with so many the shares of equal backends differ by a few percent. */
const POINTS = 160;
/** Points of all together; with more backends each has fewer, so that a ring is made in a tenth of a second at most. */
const ALL_POINTS = 100_000;
const POINTS_MIN = 8;

/**
 * Takes the same backend for the same key as long as it is there. When one comes or goes, only the keys that are its own move (Karger and others, "Consistent
 * Hashing and Random Trees").
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

/** The points of all backends, by their place. */
class Ring {
  readonly #upstreams: ReadonlySet<Upstream>;
  readonly #places: Uint32Array;
  readonly #owners: readonly Upstream[];

  constructor(upstreams: readonly Upstream[]) {
    const weights = upstreams.reduce((sum, { backend }) => sum + (backend.weight ?? 1), 0);
    const each = Math.max(POINTS_MIN, Math.min(POINTS, Math.floor(ALL_POINTS / weights)));
    const points = upstreams.flatMap((upstream) => {
      const name = backendName(upstream.backend);
      const length = each * (upstream.backend.weight ?? 1);
      return Array.from({ length }, (_, i) => ({ place: hash(`${name}#${i}`), upstream }));
    });
    points.sort((a, b) => a.place - b.place);
    this.#upstreams = new Set(upstreams);
    this.#places = Uint32Array.from(points, ({ place }) => place);
    this.#owners = points.map(({ upstream }) => upstream);
  }

  /** Whether all of `upstreams` are on it: when one has failed, the others keep their keys. */
  has(upstreams: readonly Upstream[]): boolean {
    return upstreams.every((upstream) => this.#upstreams.has(upstream));
  }

  /** The first of `upstreams` at or behind `place`. */
  find(place: number, upstreams: readonly Upstream[]): Upstream {
    const start = this.#indexOf(place);
    for (let i = 0; i < this.#owners.length; i += 1) {
      const owner = this.#owners[(start + i) % this.#owners.length] as Upstream;
      if (upstreams.length === this.#upstreams.size || upstreams.includes(owner)) return owner;
    }
    return upstreams[0] as Upstream;
  }

  #indexOf(place: number): number {
    let low = 0;
    let high = this.#places.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#places[middle] as number) < place) low = middle + 1;
      else high = middle;
    }
    return low === this.#places.length ? 0 : low;
  }
}

/** FNV-1a with a final mix, 32 bits: names that differ in one character lie far apart. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
