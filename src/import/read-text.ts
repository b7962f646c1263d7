import { readFileSync, statSync } from 'node:fs';
import { ViaductError } from '../errors.ts';

const FILE_BYTES_MAX = 1024 * 1024;

/**
 * Reads a configuration. Bytes that are not UTF-8 become replacement characters; comments may contain them.
 *
 * @throws ViaductError `SETTINGS` if the path is not a regular file, or the file is too large
 */
export function readText(path: string, shown: string): string {
  const refuse = (state: string, cause?: unknown) =>
    new ViaductError('SETTINGS', `Cannot read "${shown}": ${state}`, { cause });
  try {
    const stat = statSync(path);
    if (stat.isDirectory()) throw refuse('it is a directory');
    if (!stat.isFile()) throw refuse('it is not a regular file');
    if (stat.size > FILE_BYTES_MAX) throw refuse('it is larger than 1 MiB');
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    if (error instanceof ViaductError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const states: Readonly<Record<string, string>> = {
      ENOENT: 'there is no such file',
      ENOTDIR: 'there is no such file',
      EACCES: 'permission denied',
    };
    throw refuse(states[code ?? ''] ?? message, error);
  }
}
