import { opendirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { encodeHeaders } from '../http/response.ts';
import type { StaticMount } from './mount.ts';
import { isVisible } from './path.ts';

/**
 * What is wrong with mounts, a sentence for each mistake, to be told at start: directories that are not there or cannot be read, a
 * fallback that no directory has, names that can never be served, fields that cannot be sent.
 */
export function checkMounts(mounts: readonly StaticMount[]): string[] {
  return mounts.flatMap((mount) => [
    ...mount.directories.flatMap((directory) => checkDirectory(mount, directory)),
    ...checkFallback(mount),
    ...checkNames(mount),
    ...checkFields(mount),
  ]);
}

function checkDirectory(mount: StaticMount, directory: string): string[] {
  const problem = directoryProblem(directory, mount.listing === true);
  return problem === null ? [] : [cannot(mount, `"${directory}" ${problem}`)];
}

/** Asks by doing, because `access` asks for the user who started the process, not the one it runs as. */
function directoryProblem(directory: string, listing: boolean): string | null {
  try {
    if (!statSync(directory).isDirectory()) return 'is no directory';
    statSync(`${directory}/.`);
    if (listing) opendirSync(directory).closeSync();
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'does not exist';
    return code === 'EACCES' || code === 'EPERM' ? 'cannot be read by this user' : `cannot be read: ${code}`;
  }
}

function checkFallback(mount: StaticMount): string[] {
  const { fallback, directories } = mount;
  if (fallback === undefined) return [];
  const exists = directories.some((directory) => statSync(join(directory, fallback), OR_NOT)?.isFile() === true);
  return exists ? [] : [cannot(mount, `its fallback "${fallback}" is not there`)];
}

function checkNames(mount: StaticMount): string[] {
  const { index = [], tryFiles = [] } = mount;
  const wrongIndex = index.filter((name) => name.includes('/') || !isVisible(name));
  const wrongTries = tryFiles.filter((name) => {
    const example = name.replaceAll('{path}', 'x').replace(/^\//, '').replace(/\/$/, '');
    return name.startsWith('=') || /[{}$]/.test(example) || !isVisible(example);
  });
  return [
    ...wrongIndex.map((name) => cannot(mount, `the index "${name}" is no name of a file`)),
    ...wrongTries.map((name) =>
      cannot(mount, `the file to try "${name}" is no path; write names, and {path} for what was asked for`),
    ),
  ];
}

function checkFields(mount: StaticMount): string[] {
  const rules = (mount.cacheControl ?? []).flatMap(({ value }) => ['Cache-Control', value]);
  try {
    encodeHeaders([...(mount.headers ?? []), ...rules]);
    return [];
  } catch (error) {
    return [cannot(mount, (error as Error).message)];
  }
}

function cannot({ urlPrefix }: StaticMount, state: string): string {
  return `Cannot serve files below "${urlPrefix}": ${state}`;
}

const OR_NOT = { throwIfNoEntry: false } as const;
