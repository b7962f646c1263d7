import { closed, type Guard, OPEN, type Password, rangeOf } from './access.ts';
import { guardOfOrder } from './order.ts';
import type { Directive } from './tree.ts';

const RULES = /^(?:require|requireall|requireany|requirenone)$/;
const OLD_RULES = /^(?:order|allow|deny|satisfy)$/;
const METHODS = /^(?:limit|limitexcept)$/;
/** Guards of other modules. None of them has a counterpart. */
const FOREIGN =
  /^(?:sslrequire|sslverifyclient|wsgiaccessscript|wsgiauthuserscript|wsgiauthgroupscript|allowmethods|oidc\w+|mellon\w+|secrule\w*|securityrule)$/;

/**
 * The guard of a place, by its sections from the outermost to the innermost, each the list of its directives. The innermost section with rules
 * replaces those before it, as with `AuthMerging Off`.
 */
export function guardOf(sections: readonly (readonly Directive[])[]): Guard {
  const lastWith = (names: RegExp): readonly Directive[] =>
    sections.findLast((all) => all.some(({ name }) => names.test(name)))?.filter(({ name }) => names.test(name)) ?? [];
  const every = sections.flat();
  const foreign = every.filter(({ name, args }) => FOREIGN.test(name) && args[0]?.toLowerCase() !== 'none');
  if (foreign.length > 0) return closed(foreign, `${foreign[0]?.name} has no counterpart`);
  const merging = every.find(({ name, args }) => name === 'authmerging' && args[0]?.toLowerCase() !== 'off');
  if (merging !== undefined) return closed([merging], 'rules of several sections are not joined here');
  const byMethod = every.filter((one) => METHODS.test(one.name) && hasRules(one));
  if (byMethod.length > 0)
    return closed(byMethod, 'rules for some methods have no counterpart: write routes with methods');
  const password = passwordOf(every);
  const rules = guardOfRequire(lastWith(RULES), password);
  const old = lastWith(OLD_RULES);
  return old.length === 0 ? rules : both(guardOfOrder(old), rules, old);
}

function hasRules({ children }: Directive): boolean {
  return children?.some((one) => RULES.test(one.name) || OLD_RULES.test(one.name) || hasRules(one)) === true;
}

/** Both must let a request in, or with `Satisfy Any` one of them. */
function both(old: Guard, rules: Guard, from: readonly Directive[]): Guard {
  const isAny = from.some(({ name, args }) => name === 'satisfy' && args[0]?.toLowerCase() === 'any');
  if (isAny && old.kind === 'open') return from.some(({ name }) => name !== 'satisfy') ? old : rules;
  if (old.kind === 'closed' || rules.kind === 'closed') return old.kind === 'closed' ? old : rules;
  if (!isAny && (old.kind === 'denied' || rules.kind === 'open')) return old;
  if (!isAny && (rules.kind === 'denied' || old.kind === 'open')) return rules;
  if (isAny && rules.kind === 'open') return rules;
  if (isAny && (old.kind === 'denied' || rules.kind === 'denied')) return old.kind === 'denied' ? rules : old;
  if (old.kind !== 'rules' || rules.kind !== 'rules' || rules.allow.length > 0 || rules.deny.length > 0)
    return closed(from, 'old and new access rules together have no counterpart');
  return { ...old, from: [...old.from, ...rules.from], password: rules.password, satisfy: isAny ? 'any' : 'all' };
}

function passwordOf(all: readonly Directive[]): Password | null {
  const last = (name: string): Directive | undefined => all.findLast((one) => one.name === name);
  const file = last('authuserfile');
  const realm = last('authname');
  const provider = last('authbasicprovider');
  const isBasic = last('authtype')?.args[0]?.toLowerCase() === 'basic';
  if (!isBasic || file === undefined || (provider?.args ?? ['file']).join(' ').toLowerCase() !== 'file') return null;
  const from = [last('authtype'), provider, realm, file].filter((one) => one !== undefined);
  return { file: file.args[0] ?? '', realm: realm?.args[0] ?? 'Restricted', from };
}

type Rules = Extract<Guard, { readonly kind: 'rules' }>;

/** Rules outside of a section let in who meets one of them. */
function guardOfRequire(all: readonly Directive[], password: Password | null): Guard {
  const [first] = all;
  if (first === undefined) return OPEN;
  if (all.length === 1 && first.name === 'requireall') return allOf(first, password);
  if (all.length === 1 && first.name === 'requireany') return guardOfRequire(first.children ?? [], password);
  return anyOf(all, password);
}

function anyOf(all: readonly Directive[], password: Password | null): Guard {
  const guards = all.map((one) => guardOfLine(one, password));
  if (guards.some(({ kind }) => kind === 'open')) return OPEN;
  const wrong = guards.find(({ kind }) => kind === 'closed');
  if (wrong !== undefined) return wrong;
  const rules = guards.filter((one): one is Rules => one.kind === 'rules');
  if (rules.length === 0) return { kind: 'denied', from: all };
  if (rules.some(({ deny }) => deny.length > 0)) return closed(all, '"not" outside of RequireAll lets nobody in');
  const allow = rules.flatMap((one) => one.allow);
  const asked = rules.find((one) => one.password !== null)?.password ?? null;
  return {
    kind: 'rules',
    from: all,
    allow,
    deny: [],
    password: asked,
    satisfy: asked !== null && allow.length > 0 ? 'any' : 'all',
  };
}

function allOf(section: Directive, password: Password | null): Guard {
  const all = section.children ?? [];
  const guards = all.map((one) => guardOfLine(one, password)).filter(({ kind }) => kind !== 'open');
  const wrong = guards.find(({ kind }) => kind !== 'rules');
  if (wrong !== undefined) return wrong;
  const rules = guards as Rules[];
  if (rules.length === 0) return OPEN;
  if (rules.filter(({ allow }) => allow.length > 0).length > 1 || rules.some(({ satisfy }) => satisfy === 'any'))
    return closed(all, 'more than one list of addresses must match, which has no counterpart');
  return {
    kind: 'rules',
    from: all,
    allow: rules.flatMap((one) => one.allow),
    deny: rules.flatMap((one) => one.deny),
    password: rules.find((one) => one.password !== null)?.password ?? null,
    satisfy: 'all',
  };
}

function guardOfLine(one: Directive, password: Password | null): Guard {
  if (one.name === 'requireany') return anyOf(one.children ?? [], password);
  if (one.name === 'requireall') return allOf(one, password);
  if (one.name !== 'require') return closed([one], `<${one.name}> has no counterpart`);
  const words = one.args.map((word, at) => (at < 2 ? word.toLowerCase() : word));
  const isNot = words[0] === 'not';
  const [kind = '', ...values] = isNot ? words.slice(1) : words;
  const rules = { kind: 'rules', from: [one], allow: [], deny: [], password: null, satisfy: 'all' } as const;
  if (kind === 'all' && values[0] === 'granted' && !isNot) return OPEN;
  if (kind === 'all') return isNot && values[0] === 'denied' ? OPEN : { kind: 'denied', from: [one] };
  if (kind === 'local' && !isNot) return { ...rules, allow: ['loopback'] };
  if (kind === 'ip') {
    const ranges = values.map(rangeOf);
    if (ranges.some((range) => range === null) || ranges.length === 0)
      return closed([one], 'it is not an address or a range');
    return isNot ? { ...rules, deny: ranges as string[] } : { ...rules, allow: ranges as string[] };
  }
  if (kind === 'valid-user' && !isNot)
    return password === null
      ? closed([one], 'it needs AuthType Basic and a file of users (AuthUserFile)')
      : { ...rules, from: [one, ...password.from], password };
  return closed([one], `"Require ${one.args.join(' ')}" has no counterpart`);
}
