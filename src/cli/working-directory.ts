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
    throw new ViaductError('USAGE', `Cannot use the working directory "${path}": ${(error as Error).message}`, {
      advice: 'Make this directory or link again, or restart in another directory.',
    });
  }
  entered = path;
  return path;
}

function logicalPath(pwd = ''): string {
  const actual = process.cwd();
  if (!isAbsolute(pwd) || normalize(pwd) !== pwd) return actual;
  try {
    return realpathSync(pwd) === actual ? pwd : actual;
  } catch {
    return actual;
  }
}
