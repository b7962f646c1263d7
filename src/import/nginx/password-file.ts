import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** How the passwords of a file are hashed. */
export interface PasswordFile {
  readonly users: number;
  /** MD5-crypt: `$apr1$` and `$1$`. */
  readonly md5: number;
  /** Names of users whose passwords are hashed in another way that Viaduct refuses. */
  readonly refused: readonly string[];
}

const MD5 = /^\$(?:apr1|1)\$/;
/** SHA-crypt, scrypt and Django's PBKDF2. */
const ACCEPTED = /^(?:\$[56]\$|\$scrypt\$|pbkdf2_sha256\$)/;

/** Reads the file of `auth_basic_user_file`. Relative paths start at `directory`. Null if this machine does not have it. */
export function readPasswordFile(path: string, directory: string): PasswordFile | null {
  let text: string;
  try {
    text = readFileSync(resolve(directory, path), 'utf8');
  } catch {
    return null;
  }
  const entries = text
    .split('\n')
    .map((line) => /^([^#:][^:]*):([^:]*)/.exec(line.trim()))
    .filter((entry) => entry !== null);
  const hashes = [...new Map(entries.map(([, name = '', hash = '']) => [name, hash]))];
  return {
    users: hashes.length,
    md5: hashes.filter(([, hash]) => MD5.test(hash)).length,
    refused: hashes.filter(([, hash]) => !MD5.test(hash) && !ACCEPTED.test(hash)).map(([name]) => name),
  };
}
