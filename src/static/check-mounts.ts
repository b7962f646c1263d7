import { opendirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { encodeHeaders } from '../http/response.ts';
import type { StaticMount } from './mount.ts';
import { isVisible } from './path.ts';

/**
 * The mistakes in mounts, one sentence each, for reporting at start: names that can never be served, and fields that cannot
 * be sent.
 */
export function checkMounts(mounts: readonly StaticMount[]): string[] {
  return mounts.flatMap((mount) => [...checkNames(mount), ...checkFields(mount)]);
}

/**
 * What mounts lack at present, one sentence each: directories that are missing or unreadable, and a fallback that no
 * directory contains. Requests get 404 until it is there.
 */
export function findMissing(mounts: readonly StaticMount[]): string[] {
  return mounts.flatMap((mount) => [
    ...mount.directories.flatMap((directory) => checkDirectory(mount, directory)),
    ...checkFallback(mount),
  ]);
}

function checkDirectory(mount: StaticMount, directory: string): string[] {
  const reason = directoryProblem(directory, mount.listing === true);
  return reason === null ? [] : [problem(mount, `"${directory}" ${reason}`)];
}

/** Tries the access itself, because `access` checks the user who started the process, not the user it runs as. */
function directoryProblem(directory: string, listing: boolean): string | null {
  try {
    if (!statSync(directory).isDirectory()) return 'is not a directory';
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
  const exists = directories.some((directory) => isFile(join(directory, fallback)));
  return exists ? [] : [problem(mount, `its fallback "${fallback}" does not exist`)];
}

function checkNames(mount: StaticMount): string[] {
  const { index = [], tryFiles = [] } = mount;
  const invalidIndex = index.filter((name) => name.includes('/') || !isVisible(name));
  const invalidTries = tryFiles.filter((name) => {
    const example = name.replaceAll('{path}', 'x').replace(/^\//, '').replace(/\/$/, '');
    return name.startsWith('=') || /[{}$]/.test(example) || !isVisible(example);
  });
  return [
    ...invalidIndex.map((name) => problem(mount, `the index "${name}" is not a file name`)),
    ...invalidTries.map((name) =>
      problem(mount, `the file to try "${name}" is not a valid path; use names, and {path} for the requested path`),
    ),
  ];
}

function checkFields(mount: StaticMount): string[] {
  const rules = (mount.cacheControl ?? []).flatMap(({ value }) => ['Cache-Control', value]);
  try {
    encodeHeaders([...(mount.headers ?? []), ...rules]);
    return [];
  } catch (error) {
    return [problem(mount, (error as Error).message)];
  }
}

function problem({ urlPrefix }: StaticMount, state: string): string {
  return `Cannot serve files below "${urlPrefix}": ${state}`;
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
