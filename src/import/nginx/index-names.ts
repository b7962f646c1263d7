import { locationAt } from './location-at.ts';
import { bytesOf } from './model/bytes.ts';
import type { Level, Location } from './model/model.ts';
import type { Pattern } from './model/pattern.ts';
import { samplesOf } from './model/sample-pattern.ts';
import { constantOf, type Template } from './model/template.ts';
import type { RouteSink, StepState } from './step-state.ts';
import type { Directive } from './tree.ts';

/** What nginx looks for without `index`. */
const DEFAULT = 'index.html';

/**
 * The indexes of a route with files. nginx chooses the location again for the path of an index, so an `index.php` may belong to a backend: as a
 * file of the route, its source would be public.
 */
export function indexNames(directive: Directive | null, state: StepState, writer: RouteSink): readonly string[] {
  const { report } = writer.context;
  const written = directive?.args ?? [DEFAULT];
  const names = written.filter((name) => !name.includes('/') && !name.includes('$'));
  const own = names.filter((name) => !leadsElsewhere(name, state, writer));
  const from = directive ?? (state.level.statement as Directive);
  if (written.some((name) => name.startsWith('/')))
    report.lost(from, 'an index must be the name of a file in the directory: others get 404 and are not listed');
  else if (names.length < written.length) report.lost(from, 'an index must be the name of a file in the directory');
  for (const name of names.filter((one) => !own.includes(one)))
    report.lost(from, `the index ${name} belongs to another location`);
  return own;
}

function leadsElsewhere(name: string, { location, level }: StepState, { server }: RouteSink): boolean {
  return directoriesIn(location).some((directory) => {
    if (locationAt(server, directory) !== location) return false;
    const other = locationAt(server, directory + bytesOf(name));
    if (other === location && location !== null) return movesAlias(location, directory, bytesOf(name));
    return other !== location && !sendsSameFiles(other ?? server, level);
  });
}

/** Whether the alias of a pattern leads to another directory for the path of the index. */
function movesAlias({ pattern, settings: { root } }: Location, directory: string, name: string): boolean {
  if (root.replaces !== 'all' || pattern === null) return false;
  const [before, after] = [directory, directory + name].map((path) => aliasAt(pattern, root.path, path));
  return before !== null && after !== `${before}${name}`;
}

/** The alias of a pattern for a path; null where a variable decides. */
export function aliasAt({ regex }: Pattern, template: Template, path: string): string | null {
  const match = regex?.exec(path) ?? null;
  if (match === null || template.some(({ kind }) => kind === 'variable')) return null;
  return template
    .map((part) => (part.kind === 'text' ? part.text : part.kind === 'capture' ? (match[part.index] ?? '') : ''))
    .join('');
}

/** A few paths of directories in a location. */
function directoriesIn(location: Location | null): string[] {
  const { kind, path, pattern } = location ?? { kind: 'prefix', path: '/', pattern: null };
  const starts = pattern === null ? [path] : samplesOf(pattern).flatMap((text) => [text, `/${text}`]);
  const all = kind === 'exact' ? starts : starts.flatMap((text) => [text, `${text}/`, `${text}x/`, `${text}/x/`]);
  return all.filter((text) => text.startsWith('/') && text.endsWith('/') && pattern?.regex?.test(text) !== false);
}

/** Whether a level has the same files, and lets the same clients get them. */
export function sendsSameFiles(other: Level, level: Level): boolean {
  const triesPath = other.tryFiles === null || constantOf(other.tryFiles.files[0]?.path ?? []) === null;
  return other.handler === null && other.instructions.length === 0 && triesPath && guarded(other) === guarded(level);
}

function guarded({ settings }: Level): string {
  const { root, access, satisfy, realm, hasPasswords, authRequest } = settings;
  return JSON.stringify([root, access, satisfy, realm, hasPasswords, authRequest]);
}
