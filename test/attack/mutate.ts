type Random = () => number;

/** Octets and texts that parsers often treat in a special way. */
const TOKENS = [
  ['\r\n', '\n', '\r', '\0', ' ', '\t', ':', ',', ';', '%00', '%2e', '\xff', '\x7f', '\u0080'],
  ['0', '-1', '+5', '0x10', '1e3', '18446744073709551616', '4294967295', '2147483648', '99999999999999999999'],
  ['Content-Length: 5\r\n', 'Transfer-Encoding: chunked\r\n', 'Transfer-Encoding: identity\r\n', 'Host: b\r\n'],
  ['Expect: 100-continue\r\n', 'Connection: close, host\r\n', 'Upgrade: h2c\r\n', 'Range: bytes=0-,0-\r\n'],
  ['\0\0\0\0', '\xff\xff\xff\xff', '\x7f\xff\xff\xff', '\0\0\x01', '\x80', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
].flat();

const MUTATIONS: readonly ((random: Random, octets: string, seeds: readonly string[]) => string)[] = [
  // Flips a bit.
  (random, octets) => {
    const at = below(random, octets.length);
    const flipped = octets.charCodeAt(at) ^ (1 << below(random, 8));
    return octets.slice(0, at) + String.fromCharCode(flipped & 0xff) + octets.slice(at + 1);
  },
  // Replaces an octet.
  (random, octets) => {
    const at = below(random, octets.length);
    return octets.slice(0, at) + String.fromCharCode(below(random, 256)) + octets.slice(at + 1);
  },
  // Removes a piece.
  (random, octets) => {
    const at = below(random, octets.length);
    return octets.slice(0, at) + octets.slice(at + 1 + below(random, 8));
  },
  // Repeats a piece, sometimes many times.
  (random, octets) => {
    const at = below(random, octets.length);
    const piece = octets.slice(at, at + 1 + below(random, 24));
    return octets.slice(0, at) + piece.repeat(random() < 0.1 ? 500 : 2) + octets.slice(at);
  },
  // Inserts a token.
  (random, octets) => {
    const at = below(random, octets.length);
    return octets.slice(0, at) + pick(random, TOKENS) + octets.slice(at);
  },
  // Replaces a number.
  (random, octets) => octets.replace(/\d+/g, (digits) => (random() < 0.3 ? pick(random, TOKENS) : digits)),
  // Cuts the end off.
  (random, octets) => octets.slice(0, below(random, octets.length)),
  // Goes on with a piece of another message.
  (random, octets, seeds) => {
    const other = pick(random, seeds);
    return octets.slice(0, below(random, octets.length)) + other.slice(below(random, other.length));
  },
  // Sends a second message.
  (random, octets, seeds) => octets + pick(random, seeds),
];

/** Makes a message from a valid one by one to four random changes. The octets are latin-1. */
export function mutate(random: Random, seeds: readonly string[]): string {
  let octets = pick(random, seeds);
  for (let changes = 1 + below(random, 4); changes > 0; changes -= 1) {
    if (octets !== '') octets = pick(random, MUTATIONS)(random, octets, seeds);
  }
  return octets;
}

function pick<T>(random: Random, items: readonly T[]): T {
  return items[below(random, items.length)] as T;
}

function below(random: Random, end: number): number {
  return Math.floor(random() * end);
}
