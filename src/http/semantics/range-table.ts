import { hasUnixSockets, parseAddress, parseRanges, type Words } from './cidr.ts';

/** Values for one length of a prefix. */
interface Level<Value> {
  readonly masks: Words;
  readonly values: Map<string, Value>;
}

/**
 * Values for ranges of IP addresses, as `CidrList` reads them. The longest prefix wins. A look-up costs as much with
 * thousands of ranges as with one of each length.
 */
export class RangeTable<Value> {
  /** The longest prefixes first. */
  readonly #levels: Level<Value>[] = [];
  #unix: Value | undefined;

  /** @throws ViaductError `SETTINGS`, which names the first invalid range */
  constructor(ranges: Iterable<readonly [range: string, value: Value]>) {
    const levels = new Map<string, Level<Value>>();
    for (const [text, value] of ranges) {
      if (hasUnixSockets(text)) this.#unix = value;
      for (const { words, masks } of parseRanges(text)) {
        const level = levels.get(masks.join()) ?? { masks, values: new Map() };
        levels.set(masks.join(), level);
        level.values.set(keyOf(words, masks), value);
      }
    }
    this.#levels = [...levels.values()].sort((a, b) => bitsOf(b.masks) - bitsOf(a.masks));
  }

  /** The value for a numeric address, or for the empty one of a client of a Unix socket; undefined if there is none. */
  get(address: string): Value | undefined {
    if (address === '') return this.#unix;
    const words = parseAddress(address);
    if (words === null) return undefined;
    for (const { masks, values } of this.#levels) {
      if (masks.length !== words.length) continue;
      const value = values.get(keyOf(words, masks));
      if (value !== undefined) return value;
    }
    return undefined;
  }
}

function keyOf(words: Words, masks: Words): string {
  return words.map((word, index) => word & (masks[index] as number)).join();
}

/** How many bits of an address a mask keeps. */
function bitsOf(masks: Words): number {
  return masks.reduce((sum, mask) => sum + 32 - (mask === 0 ? 32 : Math.log2((~mask >>> 0) + 1)), 0);
}
