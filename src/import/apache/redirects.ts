import { expressionOf, literal } from '../nginx/expression.ts';
import { isTarget } from '../nginx/forms.ts';
import { trimmed } from './sections.ts';
import type { Directive } from './tree.ts';

/** A route for the paths that match, before those of prefixes. */
export interface PatternRule {
  readonly directive: Directive;
  /** What else belongs to the rule, such as its conditions. */
  readonly others: readonly Directive[];
  readonly pattern: string;
  readonly action:
    | { readonly kind: 'redirect'; readonly to: string; readonly status: number }
    | { readonly kind: 'status'; readonly status: number }
    | { readonly kind: 'closed'; readonly reason: string };
  readonly when: Readonly<Record<string, object>>;
  readonly methods: readonly string[];
  /** The hosts that it is for; empty for all. */
  readonly hosts: readonly string[];
}

const STATUSES: Readonly<Record<string, number>> = { permanent: 301, temp: 302, seeother: 303, gone: 410 };
const NAMES = /^(?:redirect|redirectmatch|redirectpermanent|redirecttemp)$/;

/** The redirects of mod_alias outside of sections, in their order. */
export function redirectsOf(all: readonly Directive[]): PatternRule[] {
  return all.filter(({ name }) => NAMES.test(name)).map(redirectOf);
}

function redirectOf(directive: Directive): PatternRule {
  const { name, args } = directive;
  const isNamed = name === 'redirect' || name === 'redirectmatch';
  const hasStatus =
    isNamed && (Object.hasOwn(STATUSES, (args[0] ?? '').toLowerCase()) || /^\d{3}$/.test(args[0] ?? ''));
  const first = (args[0] ?? '').toLowerCase();
  const fallback = name === 'redirectpermanent' ? 301 : 302;
  const status = hasStatus ? (STATUSES[first] ?? Number(first)) : fallback;
  const [written = '', target = ''] = hasStatus ? args.slice(1) : args;
  const rule = { directive, others: [], when: {}, methods: [], hosts: [] };
  const isMatch = name === 'redirectmatch';
  const expression = isMatch ? expressionOf(written, false) : { source: prefixPattern(written), groups: [''] };
  if ('wrong' in expression)
    return {
      ...rule,
      pattern: '^',
      action: { kind: 'closed', reason: `its expression has no counterpart: ${expression.wrong}` },
    };
  const pattern = expression.source;
  if (status >= 400 || (status < 300 && target === '')) return { ...rule, pattern, action: { kind: 'status', status } };
  const to = isMatch ? numbered(target) : `${escaped(target)}{1}`;
  const withQuery = to.includes('?') ? to : `${to}?{query}`;
  const redirects =
    [301, 302, 303, 307, 308].includes(status) && isTarget(withQuery.replace(/\{1\}/g, '').replace(/^$/, '/'));
  return redirects
    ? { ...rule, pattern, action: { kind: 'redirect', to: withQuery, status } }
    : { ...rule, pattern, action: { kind: 'closed', reason: 'its target or its status has no counterpart' } };
}

/** `/old` is for /old and all below it. The rest follows the target. */
function prefixPattern(url: string): string {
  const plain = trimmed(url);
  if (/.\/$/.test(url) || url === '/') return `^${literal(plain)}/(.*)$`;
  return `^${literal(plain)}((?:/.*)?)$`;
}

/** `$1` is the first group, `\$` a dollar. */
export function numbered(target: string): string {
  return escaped(target).replace(/\\?\$(\d)/g, (found, digit: string) =>
    found.startsWith('\\') ? found.slice(1) : `{${digit}}`,
  );
}

/** A text in which braces are not placeholders. */
export function escaped(text: string): string {
  return text.replace(/\{(?=\w)/g, '{{');
}
