import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { cryptCharacters } from './crypt-characters.ts';

const ROUNDS = 1000;
/** Rounds in one turn of the event loop, which take less than a millisecond. */
const ROUNDS_PER_TURN = 250;
const DIGEST_BYTES = 16;
/** The bytes of the digest whose bits make four characters each. */
const ORDER = [
  [0, 6, 12],
  [1, 7, 13],
  [2, 8, 14],
  [3, 9, 15],
  [4, 10, 5],
] as const;

/**
 * Computes the last part of a `$apr1$` or `$1$` hash: Poul-Henning Kamp's MD5-crypt, of which Apache's has another `magic`.
 * The event loop continues between slices of this work.
 */
export async function md5Crypt(magic: '$apr1$' | '$1$', password: Buffer, salt: Buffer): Promise<string> {
  const alternate = md5(password, salt, password);
  const start = [password, Buffer.from(magic), salt];
  for (let left = password.length; left > 0; left -= DIGEST_BYTES) start.push(alternate.subarray(0, left));
  for (let bits = password.length; bits > 0; bits >>= 1) start.push((bits & 1) === 1 ? ZERO : password.subarray(0, 1));
  let sum = md5(...start);
  for (let round = 0; round < ROUNDS; round += 1) {
    if (round % ROUNDS_PER_TURN === ROUNDS_PER_TURN - 1) await nextTurn();
    const isOdd = round % 2 === 1;
    const parts = [isOdd ? password : sum];
    if (round % 3 !== 0) parts.push(salt);
    if (round % 7 !== 0) parts.push(password);
    parts.push(isOdd ? sum : password);
    sum = md5(...parts);
  }
  const byte = (at: number) => sum[at] as number;
  const words = ORDER.map(([high, middle, low]) => (byte(high) << 16) | (byte(middle) << 8) | byte(low));
  return words.map((word) => cryptCharacters(word, 4)).join('') + cryptCharacters(byte(11), 2);
}

const ZERO = Buffer.alloc(1);

function md5(...parts: readonly Uint8Array[]): Buffer {
  return createHash('md5').update(Buffer.concat(parts)).digest();
}
