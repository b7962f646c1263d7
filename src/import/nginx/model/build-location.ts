import type { Directive } from '../tree.ts';
import { buildInstructions } from './build-instructions.ts';
import { inheritSettings, type Place } from './build-settings.ts';
import { OPAQUE_HANDLERS, PASSES } from './directives.ts';
import type { Handler, Level, Location, MethodLimit, Settings, TryFiles } from './model.ts';
import { type Pattern, parsePattern } from './pattern.ts';
import { parseTemplate } from './template.ts';

/** A location and those nested in it. `from` are the settings of the level around it, `isInside` whether that is internal: nested ones inherit it. */
export function buildLocation(directive: Directive, from: Settings, prefix: string, isInside = false): Location {
  const { kind, path, pattern, isFinal } = matchOf(directive.args);
  const block = directive.block ?? [];
  const place = { path, isPattern: kind === 'pattern' };
  const settings = inheritSettings(from, block, place, prefix);
  const handler = handlerOf(block, kind === 'exact' || kind === 'prefix' ? path : '');
  const isInternal = isInside || kind === 'named' || block.some(({ name }) => name === 'internal');
  const ifLevel = (inner: Directive) => buildInner(inner, settings, place, prefix, handler);
  return {
    kind,
    path,
    pattern,
    isFinal,
    statement: directive,
    settings,
    handler,
    instructions: buildInstructions(block, ifLevel),
    tryFiles: tryFilesOf(block),
    isInternal,
    addsSlash: handler?.kind === 'backend' && path.endsWith('/'),
    locations: block
      .filter(({ name }) => name === 'location')
      .map((each) => buildLocation(each, settings, prefix, isInternal)),
    limit: limitOf(block, settings, place, prefix, handler),
  };
}

interface Match {
  readonly kind: Location['kind'];
  readonly path: string;
  readonly pattern: Pattern | null;
  readonly isFinal: boolean;
}

function matchOf(args: readonly string[]): Match {
  const [, modifier = '', joined = ''] =
    /^(=|\^~|~\*|~|)(.*)$/s.exec(args.length > 1 ? (args[0] ?? '') : (args[0] ?? '')) ?? [];
  const path = args.length > 1 ? (args[1] ?? '') : joined;
  if (modifier.startsWith('~')) {
    const pattern = parsePattern(path, modifier === '~*');
    return { kind: 'pattern', path, pattern, isFinal: false };
  }
  const kind = modifier === '=' ? 'exact' : path.startsWith('@') ? 'named' : 'prefix';
  return { kind, path, pattern: null, isFinal: modifier === '^~' };
}

/** The level of an `if` or a `limit_except`: the handler of the location stays where it is a backend. */
function buildInner(directive: Directive, from: Settings, place: Place, prefix: string, outer: Handler | null): Level {
  const block = directive.block ?? [];
  const isIf = directive.name === 'if';
  const kept = isIf || outer?.kind === 'backend' ? outer : null;
  return {
    statement: directive,
    settings: inheritSettings(from, block, place, prefix),
    handler: handlerOf(block, '') ?? kept,
    instructions: [],
    tryFiles: null,
  };
}

function limitOf(
  block: readonly Directive[],
  from: Settings,
  place: Place,
  prefix: string,
  outer: Handler | null,
): MethodLimit | null {
  const directive = block.find(({ name }) => name === 'limit_except');
  if (directive === undefined) return null;
  const methods = new Set(directive.args.map((method) => method.toUpperCase()));
  if (methods.has('GET')) methods.add('HEAD');
  return { methods, level: buildInner(directive, from, place, prefix, outer) };
}

function handlerOf(block: readonly Directive[], replaces: string): Handler | null {
  const directive = block.filter(({ name }) => name in PASSES || OPAQUE_HANDLERS.has(name)).at(-1);
  if (directive === undefined) return null;
  const module = PASSES[directive.name];
  if (module === undefined) return { kind: 'opaque', statement: directive };
  const url = parseTemplate(directive.args[0] ?? '');
  return { kind: 'backend', statement: directive, module, url, replaces };
}

/** Only the last `try_files` could count, and nginx refuses a second one. */
export function tryFilesOf(block: readonly Directive[]): TryFiles | null {
  const args = block.find(({ name }) => name === 'try_files')?.args;
  if (args === undefined) return null;
  const last = args.at(-1) ?? '';
  return {
    files: args.slice(0, -1).map((path) => ({
      path: parseTemplate(path.replace(/\/$/, '')),
      isDirectory: path.endsWith('/'),
    })),
    otherwise: last.startsWith('=') ? Number(last.slice(1)) : parseTemplate(last),
  };
}
