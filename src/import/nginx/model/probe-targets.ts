import type { Instruction, Location, Server } from './model.ts';
import type { Pattern } from './pattern.ts';
import { samplesOf } from './sample-pattern.ts';

/** How many prefixes are combined with how many patterns in one server. */
const COMBINED_MAX = 12;

/** Targets at the boundaries of the locations of a server. */
export interface Targets {
  readonly all: readonly string[];
  /** One target for each location, where other things than the target vary. */
  readonly mains: readonly (readonly [Location, string])[];
}

export function targetsOf(server: Server, paths: readonly string[]): Targets {
  const locations = flatten(server.locations);
  const prefixes = locations.filter(({ kind }) => kind === 'prefix').map(({ path }) => path);
  const rewrites = [server, ...locations].flatMap(({ instructions }) => instructions.flatMap(patternsOf));
  const around = locations.flatMap(boundariesOf);
  const patterns = locations.flatMap(({ pattern }) => (pattern === null ? [] : [pattern]));
  const combined = prefixes
    .slice(0, COMBINED_MAX)
    .flatMap((prefix) => patterns.slice(0, COMBINED_MAX).flatMap((pattern) => within(prefix, pattern)));
  const rewritten = rewrites.flatMap(({ pattern }) => pathsOf(pattern)).map(escapeTarget);
  const plain = [
    '/',
    '/?a=1&b=2',
    '/zz',
    '/zz/',
    '/zz/y.html',
    '/zz/../..',
    '/%',
    '/%00',
    '*',
    '/zz#f',
    '/a/./b//c/../d',
  ];
  return {
    all: [...plain, ...around, ...combined, ...rewritten, ...paths.map(escapeTarget)],
    mains: locations.flatMap((location) => {
      const [main] = pathsIn(location);
      return main === undefined ? [] : [[location, escapeTarget(main)] as const];
    }),
  };
}

function flatten(locations: readonly Location[]): Location[] {
  return locations.flatMap((location) => [location, ...flatten(location.locations)]);
}

function patternsOf(instruction: Instruction): { readonly pattern: Pattern }[] {
  if (instruction.kind === 'rewrite') return [instruction];
  return instruction.kind === 'if' ? instruction.then.flatMap(patternsOf) : [];
}

/** Paths in a location, one at least unless it has no path. */
function pathsIn({ kind, path, pattern }: Location): string[] {
  if (kind === 'named') return [];
  return pattern === null ? [path] : pathsOf(pattern);
}

function boundariesOf(location: Location): string[] {
  const spelled = pathsIn(location).flatMap((path) => {
    const target = escapeTarget(path);
    return [
      ...[
        target,
        `${target}?a=1&b=%2F`,
        `${target}x`,
        `${target}/`,
        target.slice(0, -1),
        `/zz/..${target}`,
        `${target}%0A`,
      ],
      ...[target.replaceAll('/', '//'), swapCase(target), target.replace(/\w/, encoded), `${target}a%20b+c/y.html`],
      ...[`http://elsewhere.invalid${target}`, target.replace(/\/$/, '%2F'), `${target}..`, `${target}../zz`],
    ];
  });
  return spelled.filter((target) => target !== '');
}

/** Paths that a pattern matches. A sample without a slash at its start gets one. */
function pathsOf(pattern: Pattern): string[] {
  return samplesOf(pattern)
    .flatMap((text) => [text, `/${text}`, `/zz${text}`])
    .filter((path) => path.startsWith('/') && pattern.regex?.test(path));
}

/** A path below a prefix that a pattern matches, too. */
function within(prefix: string, pattern: Pattern): string[] {
  return samplesOf(pattern)
    .flatMap((text) => [`${prefix}${text}`, `${prefix}zz${text}`, `${prefix}/${text}`])
    .filter((path) => path.startsWith('/') && pattern.regex?.test(path))
    .slice(0, 2)
    .map(escapeTarget);
}

function escapeTarget(path: string): string {
  return path.replace(/[\0-\x20\x7f-\xff%?#"<>\\^`{|}]/g, encoded);
}

function encoded(char: string): string {
  return `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

function swapCase(text: string): string {
  const upper = text.toUpperCase();
  return upper === text ? text.toLowerCase() : upper;
}
