import { readFileSync } from 'node:fs';
import { ViaductError } from '../../errors.ts';

/**
 * Reads the users of an htpasswd file: lines of `NAME:HASH`. Empty lines and lines that start with `#` are ignored. If a name has several lines, the last one
 * wins.
 *
 * @throws ViaductError `SETTINGS` for a file that cannot be read, and with the line number for a line without a name or a colon
 */
export function readHtpasswd(path: string): Map<string, string> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new ViaductError('SETTINGS', `Cannot read users from "${path}": ${(cause as NodeJS.ErrnoException).code}`, {
      advice: 'Choose a file that this user can read.',
      cause,
    });
  }
  return parseHtpasswd(text, path);
}

/** Parses the text of an htpasswd file, as `readHtpasswd` does. `path` is for messages. */
export function parseHtpasswd(text: string, path: string): Map<string, string> {
  const users = new Map<string, string>();
  for (const [index, line] of text.split('\n').entries()) {
    const entry = line.trim();
    if (entry === '' || entry.startsWith('#')) continue;
    const colon = entry.indexOf(':');
    if (colon <= 0) {
      throw new ViaductError('SETTINGS', `Cannot read users from "${path}": line ${index + 1} is not NAME:HASH`, {
        advice: 'Make the hash with `viaduct hash-password`.',
      });
    }
    users.set(entry.slice(0, colon), entry.slice(colon + 1));
  }
  return users;
}
