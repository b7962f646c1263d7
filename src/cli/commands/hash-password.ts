import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { ViaductError } from '../../errors.ts';
import { hashPassword as hash } from '../../handlers/auth/passwords.ts';

/** `viaduct hash-password`: asks for a password, or reads the first line of its input, and prints its hash for `basic_auth`. */
export async function hashPassword(words: readonly string[]): Promise<number> {
  if (words.length > 0) {
    const advice = 'Write viaduct hash-password. The name belongs before the hash in the file, as in NAME:HASH.';
    throw new ViaductError('USAGE', 'Cannot use the arguments of hash-password: it takes none', { advice });
  }
  const password = await readPassword();
  if (password === '') throw new ViaductError('USAGE', 'Cannot hash a password: it is empty');
  process.stdout.write(`${await hash(password)}\n`);
  return 0;
}

/** Reads the password. A terminal does not show it. */
async function readPassword(): Promise<string> {
  const isTerminal = process.stdin.isTTY === true;
  if (isTerminal) process.stderr.write('Password: ');
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: isTerminal });
  try {
    for await (const line of lines) return line;
    return '';
  } finally {
    lines.close();
    if (isTerminal) process.stderr.write('\n');
  }
}
