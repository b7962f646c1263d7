import { accessSync, constants, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { ViaductError } from '../errors.ts';

/** The variables that name the directory of temporary files, the first one that is set counts (os.tmpdir() of Node). */
const VARIABLES = ['TMPDIR', 'TMP', 'TEMP'] as const;

/**
 * Checks the directory that `environment` names for temporary files. Python and the proxy use it too, so nothing is used in its place.
 *
 * @throws ViaductError `USAGE` with the variable and the reason
 */
export function checkTemporaryDirectory(environment: NodeJS.ProcessEnv): void {
  const variable = VARIABLES.find((name) => environment[name]);
  const path = variable === undefined ? undefined : environment[variable];
  if (path === undefined) return;
  const state = problemOf(path);
  if (state === null) return;
  throw new ViaductError('USAGE', `Cannot use ${variable} "${path}": ${state}`, {
    advice: `Set ${variable} to a directory that this user may write to, or leave it out.`,
  });
}

function problemOf(path: string): string | null {
  // The processes of the server have different working directories.
  if (!isAbsolute(path)) return 'it is not an absolute path';
  try {
    if (!statSync(path).isDirectory()) return 'it is not a directory';
    accessSync(path, constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such directory';
    if (code === 'EROFS') return 'its file system is read-only';
    return code === 'EACCES' ? 'this user may not write to it' : message;
  }
}
