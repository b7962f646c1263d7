import { isIPv4, isIPv6 } from 'node:net';
import { ViaductError } from '../../errors.ts';

/** Words for several ranges. `unix` means the clients of Unix sockets, whose address is ''; `all` means every client. */
const KEYWORDS: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
  all: ['0.0.0.0/0', '::/0'],
};
const UNIX = 'unix';

/** How many results the cache holds. A full cache is emptied, so that a client with many addresses cannot fill the memory. */
const CACHE_MAX = 1024;
const WORDS = 4;
const MAPPED_BITS = 96;

/** An address as words of 32 bits, the first bits first: one word for IPv4, four for IPv6. */
export type Words = readonly number[];

/** The addresses whose first bits are those of `words`. */
export interface Range {
  readonly words: Words;
  readonly masks: Words;
}

/** Ranges of IP addresses (RFC 4632, RFC 4291 section 2.3). An IPv4-mapped IPv6 address counts as the IPv4 address. */
export class CidrList {
  readonly #ranges: readonly Range[];
  readonly #unix: boolean;
  readonly #cache = new Map<string, boolean>();

  private constructor(ranges: readonly Range[], unix: boolean) {
    this.#ranges = ranges;
    this.#unix = unix;
  }

  /**
   * Reads ranges such as `10.0.0.0/8` or `2001:db8::/32`, single addresses, and the words `private` (RFC 1918, RFC 4193), `loopback`,
   * `unix` (clients of Unix sockets) and `all`. Bits of an address after the prefix are ignored.
   *
   * @throws ViaductError `SETTINGS`, which names the first invalid text.
   */
  static parse(texts: readonly string[]): CidrList {
    return new CidrList(texts.flatMap(parseRanges), texts.some(hasUnixSockets));
  }

  /** Whether the numeric `address`, in the form of `Peer.remoteAddress`, is in one of the ranges. False for an invalid address. */
  matches(address: string): boolean {
    const known = this.#cache.get(address);
    if (known !== undefined) return known;
    const isMatch = this.#find(address);
    if (this.#cache.size >= CACHE_MAX) this.#cache.clear();
    this.#cache.set(address, isMatch);
    return isMatch;
  }

  #find(address: string): boolean {
    if (address === '') return this.#unix;
    const words = parseAddress(address);
    return words !== null && this.#ranges.some((range) => isIn(range, words));
  }
}

/** Reads one text of `CidrList.parse`: a range, or a word for some. */
export function parseRanges(text: string): readonly Range[] {
  if (Object.hasOwn(KEYWORDS, text)) return (KEYWORDS[text] as readonly string[]).map(rangeOf);
  return text === UNIX ? [] : [parseRange(text)];
}

/** Whether a text of `CidrList.parse` stands for the clients of Unix sockets, too. */
export function hasUnixSockets(text: string): boolean {
  return text === UNIX || text === 'all';
}

/** The numeric address of a client, without its zone; null if it is not valid. */
export function parseAddress(address: string): Words | null {
  return parseWords(withoutZone(address));
}

function isIn({ words, masks }: Range, address: Words): boolean {
  if (words.length !== address.length) return false;
  for (let i = 0; i < words.length; i += 1) {
    if ((((words[i] as number) ^ (address[i] as number)) & (masks[i] as number)) !== 0) return false;
  }
  return true;
}

function parseRange(text: string): Range {
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  if (parseWords(address) === null || address.includes('%')) throw invalid(text);
  return rangeOf(text);
}

/** The range of a text whose address is valid. To test the address takes Node five milliseconds at a start. */
function rangeOf(text: string): Range {
  const slash = text.indexOf('/');
  const address = slash < 0 ? text : text.slice(0, slash);
  const words = wordsOf(address);
  const shortened = words.length === 1 && address.includes(':') ? MAPPED_BITS : 0;
  const bitsMax = words.length * 32;
  const prefix = slash < 0 ? `${bitsMax + shortened}` : text.slice(slash + 1);
  const bits = /^(?:0|[1-9]\d{0,2})$/.test(prefix) ? Number(prefix) - shortened : -1;
  if (bits < 0 || bits > bitsMax) throw invalid(text);
  return { words, masks: words.map((_, i) => maskOf(Math.min(32, Math.max(0, bits - 32 * i)))) };
}

function maskOf(bits: number): number {
  return bits === 0 ? 0 : -1 << (32 - bits);
}

function parseWords(address: string): Words | null {
  const isValid = isIPv4(address) || (isIPv6(address) && !address.includes('%'));
  return isValid ? wordsOf(address) : null;
}

function wordsOf(address: string): Words {
  if (!address.includes(':')) return [parseIPv4(address)];
  const words = parseIPv6(address);
  const isMapped = words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
  return isMapped ? words.slice(WORDS - 1) : words;
}

function parseIPv4(address: string): number {
  return address.split('.').reduce((word, octet) => (word << 8) | Number(octet), 0);
}

function parseIPv6(address: string): Words {
  const [head = '', tail] = address.split('::');
  const first = groupsOf(head);
  const last = groupsOf(tail ?? '');
  const groups = [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last];
  return [0, 2, 4, 6].map((i) => ((groups[i] as number) << 16) | (groups[i + 1] as number));
}

/** Groups of 16 bits; the last two may be written as an IPv4 address (RFC 4291 section 2.2). */
function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return Number.parseInt(group, 16);
    const word = parseIPv4(group);
    return [word >>> 16, word & 0xffff];
  });
}

/** Cuts off the zone: a link-local address names the interface of its link (RFC 4007 section 11). */
function withoutZone(address: string): string {
  const percent = address.indexOf('%');
  return percent < 0 ? address : address.slice(0, percent);
}

function invalid(text: string): ViaductError {
  return new ViaductError('SETTINGS', `Cannot use address range ${JSON.stringify(text)}: it is not a valid range`, {
    advice: 'Write 10.0.0.0/8, 192.0.2.7, 2001:db8::/32, or one of the words private, loopback, unix and all.',
  });
}
