import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { cryptCharacters } from './crypt-characters.ts';

export type ShaCryptKind = 'sha256' | 'sha512';

/** Rounds in one turn of the event loop, which take less than a millisecond. */
const ROUNDS_PER_TURN = 250;
const SALT_REPEATS_MIN = 16;

/**
 * Computes the last part of a `$5$` (SHA-256) or `$6$` (SHA-512) hash, by Ulrich Drepper's "Unix crypt using SHA-256 and SHA-512". The event loop continues
 * between slices of this work.
 */
export async function shaCrypt(kind: ShaCryptKind, password: Buffer, salt: Buffer, rounds: number): Promise<string> {
  const digest = (...parts: readonly Uint8Array[]) => createHash(kind).update(Buffer.concat(parts)).digest();
  const alternate = digest(password, salt, password);
  const bits: Buffer[] = [];
  for (let length = password.length; length > 0; length >>= 1) bits.push((length & 1) === 1 ? alternate : password);
  let sum = digest(password, salt, repeat(alternate, password.length), ...bits);
  const p = repeat(digest(...Array<Buffer>(password.length).fill(password)), password.length);
  const s = repeat(digest(...Array<Buffer>(SALT_REPEATS_MIN + (sum[0] as number)).fill(salt)), salt.length);
  for (let round = 0; round < rounds; round += 1) {
    if (round % ROUNDS_PER_TURN === ROUNDS_PER_TURN - 1) await nextTurn();
    const isOdd = round % 2 === 1;
    const parts = [isOdd ? p : sum];
    if (round % 3 !== 0) parts.push(s);
    if (round % 7 !== 0) parts.push(p);
    parts.push(isOdd ? sum : p);
    sum = digest(...parts);
  }
  return encode(kind, sum);
}

/** `bytes` repeated, cut to `length`. */
function repeat(bytes: Buffer, length: number): Buffer {
  const repeated = Buffer.alloc(length);
  for (let at = 0; at < length; at += bytes.length) bytes.copy(repeated, at);
  return repeated;
}

/** Each three bytes become four characters, the lowest bits first. The order of the three bytes rotates through the thirds of the digest. */
function encode(kind: ShaCryptKind, sum: Buffer): string {
  const third = kind === 'sha512' ? 21 : 10;
  const byte = (at: number) => sum[at] as number;
  let text = '';
  for (let i = 0; i < third; i += 1) {
    const [a, b, c] = [i, i + third, i + 2 * third];
    const rotation = kind === 'sha512' ? i % 3 : (3 - (i % 3)) % 3;
    const [high, middle, low] = rotation === 0 ? [a, b, c] : rotation === 1 ? [b, c, a] : [c, a, b];
    text += cryptCharacters((byte(high) << 16) | (byte(middle) << 8) | byte(low), 4);
  }
  return text + (kind === 'sha512' ? cryptCharacters(byte(63), 2) : cryptCharacters((byte(31) << 8) | byte(30), 3));
}
