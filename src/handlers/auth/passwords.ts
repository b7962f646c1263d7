import { pbkdf2, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { ViaductError } from '../../errors.ts';
import { md5Crypt } from './md5-crypt.ts';
import { type ShaCryptKind, shaCrypt } from './sha-crypt.ts';

/** A stored password. */
export interface PasswordHash {
  /**
   * Whether `password`, in UTF-8, is the stored password. Never blocks the event loop for more than a millisecond. A wrong password takes as long as the right
   * one.
   */
  verify(password: Buffer): Promise<boolean>;
}

/** OWASP's parameters for scrypt with 32 MiB, so that a flood of wrong passwords needs little memory. */
const LOG_N = 15;
const BLOCK_SIZE = 8;
const PARALLELISM = 3;
const SALT_BYTES = 16;
const KEY_BYTES = 32;
/** With more memory for one password, strangers could fill the server's memory. */
const SCRYPT_BYTES_MAX = 256 * 1024 * 1024;
const ITERATIONS_MAX = 10_000_000;
const ROUNDS_MIN = 1000;
const ROUNDS_MAX = 1_000_000;
const ROUNDS_DEFAULT = 5000;
/** Nobody types a longer password, and the time of SHA-crypt grows with the length. */
const PASSWORD_BYTES_MAX = 1024;

const PHC = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;
const DJANGO = /^pbkdf2_sha256\$(\d{1,8})\$([^$]+)\$([A-Za-z0-9+/]+={0,2})$/;
const SHA_CRYPT = /^\$([56])\$(?:rounds=(\d{1,9})\$)?([^$:\n]{0,16})\$([./0-9A-Za-z]{43}|[./0-9A-Za-z]{86})$/;

const MD5_CRYPT = /^(\$apr1\$|\$1\$)([^$:\n]{0,8})\$([./0-9A-Za-z]{22})$/;

/** Hashes of other programs that Viaduct refuses, by their start. */
const REFUSED: readonly (readonly [start: RegExp, state: string])[] = [
  [/^\$2[abxy]?\$/, 'bcrypt is not supported'],
  [/^\$argon2/, 'Argon2 is not supported'],
  [/^\$(?:y|gy|7)\$/, 'yescrypt is not supported'],
  [/^\{SHA\}/i, 'SHA-1 without a salt can be guessed too fast'],
  [/^\{|^\$|^\w+\$/, 'its kind is unknown, or it is damaged'],
];

/**
 * Hashes `password` for a settings file or an htpasswd file: scrypt with a random salt, in the PHC string format `$scrypt$ln=15,r=8,p=3$SALT$HASH`.
 *
 * @throws ViaductError `USAGE` for a password that is empty or longer than 1024 bytes, because `parsePasswordHash` refuses such passwords
 */
export async function hashPassword(password: string): Promise<string> {
  const bytes = Buffer.from(password, 'utf8');
  if (bytes.length === 0 || bytes.length > PASSWORD_BYTES_MAX) {
    throw new ViaductError('USAGE', `Cannot hash a password of ${bytes.length} bytes: nobody could log in with it`, {
      advice: `Choose a password of 1 to ${PASSWORD_BYTES_MAX} bytes.`,
    });
  }
  const salt = randomBytes(SALT_BYTES);
  const key = await deriveByScrypt(bytes, salt, KEY_BYTES, {
    N: 2 ** LOG_N,
    r: BLOCK_SIZE,
    p: PARALLELISM,
    maxmem: SCRYPT_BYTES_MAX,
  });
  return `$scrypt$ln=${LOG_N},r=${BLOCK_SIZE},p=${PARALLELISM}$${unpadded(salt)}$${unpadded(key)}`;
}

/**
 * Parses a stored hash: scrypt from `hashPassword`, Django's `pbkdf2_sha256$…`, or SHA-crypt (`$5$`, `$6$`, from `openssl passwd -6`).
 * With `allowMd5` also MD5-crypt (`$apr1$`, `$1$`).
 *
 * @throws ViaductError `SETTINGS` for another kind of hash, or for a hash that needs too much memory or time. It names `user`, never the hash
 */
export function parsePasswordHash(text: string, user: string, allowMd5 = false): PasswordHash {
  const hash = scryptHash(text) ?? djangoHash(text) ?? shaCryptHash(text) ?? (allowMd5 ? md5CryptHash(text) : null);
  if (hash === null || typeof hash === 'string') {
    const weak =
      !allowMd5 && /^\$(?:apr1|1)\$/.test(text) ? 'MD5 can be guessed too fast (allow_md5 = true accepts it)' : null;
    const state = hash ?? weak ?? REFUSED.find(([start]) => start.test(text))?.[1] ?? 'it is not hashed';
    throw new ViaductError('SETTINGS', `Cannot use the password of user ${JSON.stringify(user)}: ${state}`, {
      advice: 'Make a hash with `viaduct hash-password`.',
    });
  }
  return { verify: async (password) => password.length <= PASSWORD_BYTES_MAX && (await hash(password)) };
}

type Verify = (password: Buffer) => Promise<boolean>;

const deriveByPbkdf2 = promisify(pbkdf2);
const deriveByScrypt: (
  password: Buffer,
  salt: Buffer,
  length: number,
  options: { N: number; r: number; p: number; maxmem: number },
) => Promise<Buffer> = promisify(scrypt);

/** The function that verifies passwords; the reason if the hash cannot be used; null for a hash of another kind. */
function scryptHash(text: string): Verify | string | null {
  const [, logN, r, p, salt64, key64] = PHC.exec(text) ?? [];
  if (salt64 === undefined || key64 === undefined) return null;
  const options = { N: 2 ** Number(logN), r: Number(r), p: Number(p), maxmem: SCRYPT_BYTES_MAX };
  const bytes = 128 * options.r * (options.N + options.p + 2);
  if (options.N < 2 || options.r < 1 || options.p < 1) return 'its parameters are invalid';
  if (bytes >= SCRYPT_BYTES_MAX || options.p > 16) return 'scrypt would take too much memory or time';
  const salt = Buffer.from(salt64, 'base64');
  const key = Buffer.from(key64, 'base64');
  return async (password) => timingSafeEqual(await deriveByScrypt(password, salt, key.length, options), key);
}

function djangoHash(text: string): Verify | string | null {
  const [, iterations, salt, key64] = DJANGO.exec(text) ?? [];
  if (salt === undefined || key64 === undefined) return null;
  const count = Number(iterations);
  if (count < 1 || count > ITERATIONS_MAX) return `its number of iterations is not 1 to ${ITERATIONS_MAX}`;
  const key = Buffer.from(key64, 'base64');
  if (key.length !== KEY_BYTES) return 'it is damaged';
  return async (password) => timingSafeEqual(await deriveByPbkdf2(password, salt, count, KEY_BYTES, 'sha256'), key);
}

function shaCryptHash(text: string): Verify | string | null {
  const [, id, roundsText, salt, expected] = SHA_CRYPT.exec(text) ?? [];
  if (salt === undefined || expected === undefined) return null;
  const kind: ShaCryptKind = id === '5' ? 'sha256' : 'sha512';
  if (expected.length !== (kind === 'sha256' ? 43 : 86)) return 'it is damaged';
  const rounds = roundsText === undefined ? ROUNDS_DEFAULT : Math.max(ROUNDS_MIN, Number(roundsText));
  if (rounds > ROUNDS_MAX) return `it has more than ${ROUNDS_MAX} rounds`;
  const saltBytes = Buffer.from(salt, 'utf8');
  const key = Buffer.from(expected);
  return async (password) => timingSafeEqual(Buffer.from(await shaCrypt(kind, password, saltBytes, rounds)), key);
}

function md5CryptHash(text: string): Verify | null {
  const [, magic, salt, expected] = MD5_CRYPT.exec(text) ?? [];
  if (magic === undefined || salt === undefined || expected === undefined) return null;
  const saltBytes = Buffer.from(salt, 'utf8');
  const key = Buffer.from(expected);
  const kind = magic === '$1$' ? '$1$' : '$apr1$';
  return async (password) => timingSafeEqual(Buffer.from(await md5Crypt(kind, password, saltBytes)), key);
}

/** Whether a stored hash is MD5-crypt, which can be guessed fast. */
export function isMd5Hash(text: string): boolean {
  return MD5_CRYPT.test(text);
}

/** Base64 without padding, as in the PHC string format. */
function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
