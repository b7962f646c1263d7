import { basename } from 'node:path/posix';
import type { Directive } from './tree.ts';

/** What a request is for: its path, and the file or directory that it means. */
export interface Subject {
  /** A prefix of the path without a slash at its end; '' for the whole site. */
  readonly url: string;
  /** The directory of the file system that belongs to the prefix, or the script; null for a backend. */
  readonly path: string | null;
  readonly isFile: boolean;
}

/** A section without the ones inside that are for other subjects. */
type Section = readonly Directive[];

const PLACES = /^(?:directory|directorymatch|location|locationmatch|files|filesmatch|if|elseif|else|proxy|proxymatch)$/;

export function isPlace({ name }: Directive): boolean {
  return PLACES.test(name);
}

/**
 * The sections that count for a subject, in the order in which Apache merges them: the server itself, directories from the shortest, files,
 * then locations in the order of the configuration. `all` has the main server's sections before those of the virtual host.
 */
export function sectionsFor({ url, path, isFile }: Subject, all: readonly Directive[]): Section[] {
  const directories = path === null ? [] : directoriesFor(path, all);
  const files = path === null || !isFile ? [] : filesFor(basename(path), [...all, ...directories.flat()]);
  const locations = all.filter((one) => one.name === 'location' && isPrefix(one) && isBelow(url, urlOf(one)));
  const proxies = path === null ? all.filter(({ name, args }) => name === 'proxy' && args[0] === '*') : [];
  return [
    all.filter((one) => !isPlace(one)),
    ...proxies.map(({ children }) => children ?? []),
    ...directories,
    ...files,
    ...locations.map(({ children }) => (children ?? []).filter((one) => !isPlace(one))),
  ];
}

function directoriesFor(path: string, all: readonly Directive[]): Section[] {
  return all
    .filter((one) => one.name === 'directory' && isPrefix(one) && isBelow(path, trimmed(one.args[0] ?? '')))
    .sort((a, b) => trimmed(a.args[0] ?? '').length - trimmed(b.args[0] ?? '').length)
    .map(({ children }) => children ?? []);
}

function filesFor(name: string, all: readonly Directive[]): Section[] {
  return all
    .filter((one) => (one.name === 'files' || one.name === 'filesmatch') && filePattern(one)?.test(name) === true)
    .map(({ children }) => children ?? []);
}

/** The expression of `<Files *.ini>` or `<FilesMatch "\.ini$">` for the name of a file; null if JavaScript cannot read it. */
export function filePattern({ name, args }: Directive): RegExp | null {
  const isRegex = name === 'filesmatch' || args[0] === '~';
  const written = (args[0] === '~' ? args[1] : args[0]) ?? '';
  try {
    return new RegExp(isRegex ? written : `^${globSource(written)}$`);
  } catch {
    return null;
  }
}

export function globSource(glob: string): string {
  return glob.replace(/[\\^$.+()[\]{}|]|\*|\?/g, (char) =>
    char === '*' ? '[^/]*' : char === '?' ? '[^/]' : `\\${char}`,
  );
}

/** Whether a section is for a prefix, and not for a pattern. */
export function isPrefix({ args }: Directive): boolean {
  return args.length === 1 && !/[*?[\]]/.test(args[0] ?? '');
}

/** The prefix of `<Location /x/>` without its slash. */
export function urlOf({ args }: Directive): string {
  return trimmed((args[0] ?? '').replace(/^https?:\/\/[^/]*/, ''));
}

export function trimmed(path: string): string {
  return path.replace(/\/+/g, '/').replace(/\/$/, '');
}

/** Whether a path is `above` or below it. */
export function isBelow(path: string, above: string): boolean {
  return above === '' || path === above || path.startsWith(`${above}/`);
}
