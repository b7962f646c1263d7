import type { Instruction, Level, Location, Server } from '../model/model.ts';
import { exampleOf } from './example-text.ts';

const SUFFIXES_MAX = 12;

/** Paths at the boundaries of the locations and rewrites of a server. */
export function targetsOf(server: Server): readonly string[] {
  const locations = everyLocation(server.locations);
  const patterns = [server, ...locations].flatMap(patternsOf);
  const prefixes = locations.filter(({ kind }) => kind === 'prefix').map(({ path }) => path);
  const suffixes = [...new Set(patterns.map((regex) => exampleOf(regex)?.replace(/^.*\//, '') ?? ''))]
    .filter((suffix) => suffix !== '')
    .slice(0, SUFFIXES_MAX);
  const targets = new Set<string>(['/', '/other', ...suffixes.map((suffix) => `/${suffix}`)]);
  for (const { kind, path } of locations) {
    if (kind === 'exact') for (const one of [path, `${path}x`]) targets.add(one);
    if (kind !== 'prefix') continue;
    for (const one of ['', 'x', 'deep/y.txt', '.html']) targets.add(path + one);
    targets.add(path.endsWith('/') ? path.slice(0, -1) : `${path}/`);
    for (const suffix of suffixes) targets.add(`${path}${path.endsWith('/') ? '' : '/'}${suffix}`);
  }
  for (const regex of patterns) {
    for (const start of ['', ...prefixes.slice(0, 4)]) {
      const example = exampleOf(regex, start);
      if (example !== null) targets.add(example);
    }
  }
  targets.add('/other?a=1&b=2');
  return [...targets].filter((target) => /^\/[\x21-\x7e]*$/.test(target));
}

/** All locations, nested ones included. */
export function everyLocation(locations: readonly Location[]): Location[] {
  return locations.flatMap((location) => [location, ...everyLocation(location.locations)]);
}

/** The patterns for paths at a level. */
function patternsOf(level: Level & { readonly pattern?: Location['pattern'] }): RegExp[] {
  const own = level.pattern?.regex ?? null;
  return [...(own === null ? [] : [own]), ...level.instructions.flatMap(patternsIn)];
}

function patternsIn(instruction: Instruction): RegExp[] {
  if (instruction.kind === 'rewrite') return instruction.pattern.regex === null ? [] : [instruction.pattern.regex];
  if (instruction.kind !== 'if') return [];
  const { condition, then } = instruction;
  const isPath =
    condition.kind === 'match' &&
    condition.value.some((part) => part.kind === 'variable' && /^(?:request_|document_)?uri$/.test(part.name));
  const own = isPath && condition.kind === 'match' ? condition.pattern.regex : null;
  return [...(own === null ? [] : [own]), ...then.flatMap(patternsIn)];
}
