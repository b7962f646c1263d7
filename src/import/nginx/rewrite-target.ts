import { type Destination, levelAt, locationAt } from './location-at.ts';
import type { Instruction, Location, Server } from './model/model.ts';
import { samplesOf } from './model/sample-pattern.ts';
import type { Template } from './model/template.ts';
import { constantIn } from './placeholders.ts';

type Rewrite = Extract<Instruction, { readonly kind: 'rewrite' }>;

/**
 * What answers the target of a rewrite: what answers a few of its paths, if that is the same for all, else what answers the start of the target.
 * `endless` is a rewrite in a location that its own target reaches. Null where this is not known.
 */
export function rewriteTarget(
  { pattern, replacement }: Rewrite,
  from: Location | null,
  server: Server,
): Destination | 'endless' | null {
  const [first] = replacement;
  const constant = constantIn(replacement);
  const start = pathIn(constant ?? (first?.kind === 'text' ? first.text : ''));
  if (!start.startsWith('/')) return null;
  const targets = [...samplesOf(pattern), ...pathsIn(from)]
    .flatMap((text) => [text, `/${text}`])
    .filter((path) => path.startsWith('/') && (from === null || locationAt(server, path) === from))
    .flatMap((path) => replaced(replacement, pattern.regex?.exec(path) ?? null) ?? []);
  const found = targets.map((path) => levelAt(server, path));
  const [only] = found;
  if (only !== undefined && only !== null && found.every((one) => one?.level === only.level)) {
    const isEndless = only.location !== null && only.location === from;
    return isEndless && targets.every((path) => pattern.regex?.test(path)) ? 'endless' : only;
  }
  return destinationOf(start, constant !== null, server);
}

/** Where a variable follows the start of several locations, the server itself is not what answers. */
function destinationOf(start: string, isWhole: boolean, server: Server): Destination | null {
  const destination = levelAt(server, start);
  const leadsIn = server.locations.some(({ kind, path }) => kind !== 'pattern' && path.startsWith(start));
  return !isWhole && leadsIn && destination?.location === null ? null : destination;
}

/** A few texts in the paths of a location. */
function pathsIn(location: Location | null): string[] {
  if (location === null) return [];
  if (location.pattern !== null) return samplesOf(location.pattern).flatMap((text) => [text, `zz${text}`]);
  return location.kind === 'prefix' ? [location.path, `${location.path}x`] : [location.path];
}

/** The path of a target with the groups of a match; null where a variable decides. */
function replaced(replacement: Template, match: RegExpExecArray | null): string | null {
  if (match === null) return null;
  const parts = pathOf(replacement);
  if (parts.some(({ kind }) => kind === 'variable')) return null;
  const texts = parts.map((part) =>
    part.kind === 'text' ? part.text : part.kind === 'capture' ? (match[part.index] ?? '') : '',
  );
  return pathIn(texts.join(''));
}

/** The parts of a replacement that make its path. The last one may have the query, too. */
export function pathOf(replacement: Template): Template {
  const end = replacement.findIndex((part) => part.kind === 'text' && part.text.includes('?'));
  return end < 0 ? replacement : replacement.slice(0, end + 1);
}

function pathIn(target: string): string {
  return target.replace(/\?.*$/s, '');
}
