import { realpathSync } from 'node:fs';
import { isAbsolute, normalize } from 'node:path';
import { ViaductError } from '../errors.ts';

let entered: string | null = null;

/**
 * Returns the working directory by the path that led to it, and enters it again. The first call finds that path: PWD if it names the working
 * directory (POSIX, `pwd -L`), because `cd current` may have followed a link that a deployment switches. Without PWD it is the directory itself.
 *
 * @throws ViaductError `USAGE` when nothing is there any more
 */
export function workingDirectory(): string {
  const path = entered ?? logicalPath(process.env.PWD);
  try {
    process.chdir(path);
  } catch (error) {
    throw gone(path, (error as Error).message);
  }
  entered = path;
  return path;
}

function logicalPath(pwd = ''): string {
  const actual = actualPath();
  const isPath = isAbsolute(pwd) && normalize(pwd) === pwd;
  if (actual === null && !isPath) throw gone('.', 'it no longer exists');
  if (actual === null) return pwd; // which may be there again
  if (!isPath) return actual;
  try {
    return realpathSync(pwd) === actual ? pwd : actual;
  } catch {
    return actual;
  }
}

/** Null if the directory was removed. */
function actualPath(): string | null {
  try {
    return process.cwd();
  } catch {
    return null;
  }
}

function gone(path: string, state: string): ViaductError {
  return new ViaductError('USAGE', `Cannot use the working directory "${path}": ${state}`, {
    advice: 'Make this directory or link again, or restart in another directory.',
  });
}
