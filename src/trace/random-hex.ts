import { randomBytes } from 'node:crypto';

/** So many digits are made at a time: a call of the generator takes some microseconds, however few bytes it makes. */
const POOL_DIGITS = 8192;

let pool = '';
let at = 0;

/** So many random hexadecimal digits. */
export function randomHex(digits: number): string {
  if (at + digits > pool.length) {
    pool = randomBytes(POOL_DIGITS / 2).toString('hex');
    at = 0;
  }
  at += digits;
  return pool.slice(at - digits, at);
}
