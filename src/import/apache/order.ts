import { closed, type Guard, OPEN, rangeOf } from './access.ts';
import type { Directive } from './tree.ts';

/** The guard that is made by `Order`, `Allow` and `Deny` of mod_access_compat. */
export function guardOfOrder(all: readonly Directive[]): Guard {
  const order =
    all
      .findLast(({ name }) => name === 'order')
      ?.args.join('')
      .toLowerCase() ?? 'deny,allow';
  const allow = listOf(all, 'allow');
  const deny = listOf(all, 'deny');
  if (allow === null || deny === null) return closed(all, 'only rules with addresses have a counterpart');
  const rules = { kind: 'rules', from: all, password: null, satisfy: 'all' } as const;
  const isForAll = (list: readonly string[]): boolean => list.includes('all');
  if (order === 'allow,deny' || order === 'mutual-failure') {
    if (allow.length === 0 || isForAll(deny)) return { kind: 'denied', from: all };
    if (isForAll(allow) && deny.length === 0) return OPEN;
    return { ...rules, allow: isForAll(allow) ? [] : allow, deny };
  }
  if (deny.length === 0 || isForAll(allow)) return OPEN;
  if (isForAll(deny)) return allow.length === 0 ? { kind: 'denied', from: all } : { ...rules, allow, deny: [] };
  if (allow.length === 0) return { ...rules, allow: [], deny };
  return closed(all, 'Allow wins over Deny there, and deny wins over allow here');
}

/** The addresses of `Allow from …`; null if one of them is something else, such as a host name or a variable. */
function listOf(all: readonly Directive[], name: 'allow' | 'deny'): string[] | null {
  const words = all.filter((one) => one.name === name).flatMap(({ args }) => args.slice(1));
  const ranges = words.map((word) => (word.toLowerCase() === 'all' ? 'all' : rangeOf(word)));
  return ranges.every((range) => range !== null) ? (ranges as string[]) : null;
}
