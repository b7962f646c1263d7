import { expressionOf, literal } from '../nginx/expression.ts';
import { type Guard, OPEN } from './access.ts';
import { guardOf } from './guard.ts';
import type { PatternRule } from './redirects.ts';
import { globSource, isPrefix } from './sections.ts';
import type { Directive } from './tree.ts';

/** Programs that other modules run: their source must not be sent as a file. */
export const PROGRAM = /php|cgi|wsgi-script|fcgi|proxy:|python|lua-script|server-info|server-status/i;

/** Refusals of sections whose paths are a pattern, such as `<LocationMatch>`. */
export function locationRules(all: readonly Directive[]): PatternRule[] {
  return all
    .filter((one) => one.name === 'locationmatch' || (one.name === 'location' && !isPrefix(one)))
    .flatMap(locationRule);
}

/** Refusals of files by their names below a prefix: `<Files>`, and files that are programs. */
export function filesRules(all: readonly Directive[], prefix: string): PatternRule[] {
  return [
    ...all.filter(({ name }) => name === 'files' || name === 'filesmatch').flatMap((one) => fileRules(one, prefix)),
    ...all
      .filter(({ name }) => name === 'addhandler' || name === 'addtype')
      .flatMap((one) => handlerRules(one, prefix)),
  ];
}

const PROGRAM_CLOSED = { kind: 'closed', reason: 'a program answers there, and its source must not be sent' } as const;
const NOTHING = { others: [], when: {}, methods: [], hosts: [] } as const;

function locationRule(directive: Directive): PatternRule[] {
  const guard = guardOf([directive.children ?? []]);
  const isRegex = directive.name === 'locationmatch' || directive.args[0] === '~';
  const written = (directive.args[0] === '~' ? directive.args[1] : directive.args[0]) ?? '';
  const expression = isRegex ? expressionOf(written, false) : { source: `^${globSource(written)}(?:/|$)` };
  return ruleOf(directive, guard, 'wrong' in expression ? '^' : expression.source);
}

function ruleOf(directive: Directive, guard: Guard, pattern: string): PatternRule[] {
  if (guard.kind === 'open') return [];
  const rule = { ...NOTHING, directive, others: guard.from, pattern };
  if (guard.kind === 'denied') return [{ ...rule, action: { kind: 'status', status: 403 } }];
  return [
    {
      ...rule,
      action: { kind: 'closed', reason: 'the rule of a pattern has no counterpart: write a route with path_pattern' },
    },
  ];
}

/** `.ht*` files need nothing: names with a dot at their start are never sent. */
function fileRules(directive: Directive, prefix: string): PatternRule[] {
  const children = directive.children ?? [];
  const handler = children.find(({ name, args }) => name === 'sethandler' && PROGRAM.test(args.join(' ')));
  const guard = handler === undefined ? guardOf([children]) : OPEN;
  if (handler === undefined && guard.kind === 'open') return [];
  const written = (directive.args[0] === '~' ? directive.args[1] : directive.args[0]) ?? '';
  if (/^\^?\\?\.(?:ht|git|env|svn)/.test(written)) return [];
  const isRegex = directive.name === 'filesmatch' || directive.args[0] === '~';
  const expression = isRegex ? expressionOf(written, false) : { source: `^${globSource(written)}$` };
  const name = 'wrong' in expression ? '' : expression.source;
  const below = `^${literal(prefix)}/(?:.*/)?`;
  const pattern = name.startsWith('^') ? `${below}${name.slice(1)}` : `${below}[^/]*${name}`;
  if (handler === undefined) return ruleOf(directive, guard, pattern);
  return [{ ...NOTHING, directive, others: [handler], pattern, action: PROGRAM_CLOSED }];
}

/** `AddHandler cgi-script .cgi`: such files are programs. */
function handlerRules(directive: Directive, prefix: string): PatternRule[] {
  const [handler = '', ...endings] = directive.args;
  if (!PROGRAM.test(handler) || endings.length === 0) return [];
  const names = endings.map((ending) => literal(ending.replace(/^\.?/, '.'))).join('|');
  return [{ ...NOTHING, directive, pattern: `^${literal(prefix)}/.*(?:${names})(?:/|$)`, action: PROGRAM_CLOSED }];
}
