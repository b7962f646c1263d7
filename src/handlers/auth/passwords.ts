import { pbkdf2, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { ViaductError } from '../../errors.ts';
import { type ShaCryptKind, shaCrypt } from './sha-crypt.ts';

/** A stored password. */
export interface PasswordHash {
  /** Whether it is `password`, in UTF-8. Never blocks the event loop for more than a millisecond, and takes as long for a wrong one as for the right one. */
  verify(password: Buffer): Promise<boolean>;
}

/** OWASP's parameters for scrypt with 32 MiB: what a flood of wrong passwords makes the server fill stays small. */
const LOG_N = 15;
const BLOCK_SIZE = 8;
const PARALLELISM = 3;
const SALT_BYTES = 16;
const KEY_BYTES = 32;
/** More memory than this for one password would let strangers fill the server's. */
const SCRYPT_BYTES_MAX = 256 * 1024 * 1024;
const ITERATIONS_MAX = 10_000_000;
const ROUNDS_MIN = 1000;
const ROUNDS_MAX = 1_000_000;
const ROUNDS_DEFAULT = 5000;
/** Nobody types a longer one, and SHA-crypt's time grows with it. */
const PASSWORD_BYTES_MAX = 1024;

const PHC = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;
const DJANGO = /^pbkdf2_sha256\$(\d{1,8})\$([^$]+)\$([A-Za-z0-9+/]+={0,2})$/;
const SHA_CRYPT = /^\$([56])\$(?:rounds=(\d{1,9})\$)?([^$:\n]{0,16})\$([./0-9A-Za-z]{43}|[./0-9A-Za-z]{86})$/;

/** Kinds of hashes that other programs write and that are refused, by how they begin. */
const REFUSED: readonly (readonly [begins: RegExp, state: string])[] = [
  [/^\$2[abxy]?\$/, 'bcrypt is not supported'],
  [/^\$argon2/, 'Argon2 is not supported'],
  [/^\$(?:y|gy|7)\$/, 'yescrypt is not supported'],
  [/^\$(?:apr1|1)\$/, 'MD5 can be guessed too fast'],
  [/^\{SHA\}/i, 'SHA-1 without a salt can be guessed too fast'],
  [/^\{|^\$|^\w+\$/, 'it is of no known kind, or damaged'],
];

/**
 * Hashes `password` for a settings or htpasswd file, with a salt of its own: scrypt in the PHC string format,
 * `$scrypt$ln=15,r=8,p=3$SALT$HASH`.
 *
 * @throws ViaductError `USAGE` for an empty password or one of more than 1024 bytes, which could not be used.
 */
export async function hashPassword(password: string): Promise<string> {
  const bytes = Buffer.from(password, 'utf8');
  if (bytes.length === 0 || bytes.length > PASSWORD_BYTES_MAX) {
    throw new ViaductError('USAGE', `Cannot hash a password of ${bytes.length} bytes: it could not be used`, {
      advice: `Choose one of 1 to ${PASSWORD_BYTES_MAX} bytes.`,
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
 * Reads a stored hash: scrypt as `hashPassword` writes it, Django's `pbkdf2_sha256$…`, or SHA-crypt (`$5$`, `$6$`, as `openssl passwd -6` writes).
 *
 * @throws ViaductError `SETTINGS` that names `user`, never the hash, for another kind, or one that would take too much memory or time.
 */
export function parsePasswordHash(text: string, user: string): PasswordHash {
  const hash = scryptHash(text) ?? djangoHash(text) ?? shaCryptHash(text);
  if (hash === null || typeof hash === 'string') {
    const state = hash ?? REFUSED.find(([begins]) => begins.test(text))?.[1] ?? 'it is not hashed';
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

/** What verifies; a state for a hash that cannot be used; null for one of another kind. */
function scryptHash(text: string): Verify | string | null {
  const [, logN, r, p, salt64, key64] = PHC.exec(text) ?? [];
  if (salt64 === undefined || key64 === undefined) return null;
  const options = { N: 2 ** Number(logN), r: Number(r), p: Number(p), maxmem: SCRYPT_BYTES_MAX };
  const bytes = 128 * options.r * (options.N + options.p + 2);
  if (options.N < 2 || options.r < 1 || options.p < 1) return 'its parameters make no sense';
  if (bytes >= SCRYPT_BYTES_MAX || options.p > 16) return 'scrypt would take too much memory or time';
  const salt = Buffer.from(salt64, 'base64');
  const key = Buffer.from(key64, 'base64');
  return async (password) => timingSafeEqual(await deriveByScrypt(password, salt, key.length, options), key);
}

function djangoHash(text: string): Verify | string | null {
  const [, iterations, salt, key64] = DJANGO.exec(text) ?? [];
  if (salt === undefined || key64 === undefined) return null;
  const count = Number(iterations);
  if (count < 1 || count > ITERATIONS_MAX) return `it has not 1 to ${ITERATIONS_MAX} iterations`;
  const key = Buffer.from(key64, 'base64');
  if (key.length !== KEY_BYTES) return 'it is damaged';
  return async (password) => timingSafeEqual(await deriveByPbkdf2(password, salt, count, KEY_BYTES, 'sha256'), key);
}

function shaCryptHash(text: string): Verify | string | null {
  const [, id, given, salt, expected] = SHA_CRYPT.exec(text) ?? [];
  if (salt === undefined || expected === undefined) return null;
  const kind: ShaCryptKind = id === '5' ? 'sha256' : 'sha512';
  if (expected.length !== (kind === 'sha256' ? 43 : 86)) return 'it is damaged';
  const rounds = given === undefined ? ROUNDS_DEFAULT : Math.max(ROUNDS_MIN, Number(given));
  if (rounds > ROUNDS_MAX) return `it has more than ${ROUNDS_MAX} rounds`;
  const saltBytes = Buffer.from(salt, 'utf8');
  const key = Buffer.from(expected);
  return async (password) => timingSafeEqual(Buffer.from(await shaCrypt(kind, password, saltBytes, rounds)), key);
}

/** Base64 as the PHC string format has it. */
function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
