import { existsSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { ViaductError } from '../../errors.ts';

/** What the user named: a directory, and in it a module and a callable, each null when not named. */
export interface Target {
  readonly directory: string;
  readonly module: string | null;
  /** With `()` behind it when it is a factory. */
  readonly callable: string | null;
}

const MODULE = /^([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)(?::([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?:\(\))?))?$/;

/**
 * Reads PATH (a directory, or a Python file) or MODULE:CALLABLE; both count from `chdir`, which stands for no target at all.
 *
 * @throws ViaductError `APPLICATION_MISSING` for what is neither.
 */
export function readTarget(text: string | null, chdir: string): Target {
  if (text === null) return { directory: existing(chdir), module: null, callable: null };
  const path = resolve(chdir, text);
  if (existsSync(path)) {
    if (statSync(path).isDirectory()) return { directory: path, module: null, callable: null };
    const name = basename(path, '.py');
    return { directory: dirname(path), module: name === 'manage' ? null : name, callable: null };
  }
  const match = MODULE.exec(text);
  if (match === null) throw noSuch(text);
  return { directory: existing(chdir), module: match[1] as string, callable: match[2] ?? null };
}

function existing(directory: string): string {
  const path = resolve(directory);
  if (!existsSync(path)) throw noSuch(directory);
  return path;
}

function noSuch(text: string): ViaductError {
  return new ViaductError('APPLICATION_MISSING', `Cannot serve "${text}": there is no such file or directory`, {
    advice: 'Name the directory of a project, or its application as MODULE:CALLABLE.',
  });
}
