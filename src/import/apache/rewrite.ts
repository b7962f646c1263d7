import { expressionOf } from '../nginx/expression.ts';
import { isTarget } from '../nginx/forms.ts';
import { numbered, type PatternRule } from './redirects.ts';
import type { Directive } from './tree.ts';

const NAMES = /^rewrite(?:rule|cond)$/;

/** Variables of conditions, as placeholders. */
const VARIABLES: Readonly<Record<string, string>> = {
  HTTP_HOST: '{host}',
  SERVER_NAME: '{hostname}',
  HTTP_USER_AGENT: '{header.User-Agent}',
  HTTP_REFERER: '{header.Referer}',
  HTTP_COOKIE: '{header.Cookie}',
  QUERY_STRING: '{query}',
  REQUEST_METHOD: '{method}',
  REMOTE_ADDR: '{client.address}',
  SERVER_PORT: '{server.port}',
  REQUEST_SCHEME: '{scheme}',
  SERVER_PROTOCOL: '{protocol}',
};

export function isRewriting(all: readonly Directive[]): boolean {
  return all.findLast(({ name }) => name === 'rewriteengine')?.args[0]?.toLowerCase() === 'on';
}

/** The rules of mod_rewrite for whole URLs. What is neither a redirect nor a refusal closes its paths. */
export function rewritesOf(all: readonly Directive[], isSecure: boolean): PatternRule[] {
  if (!isRewriting(all)) return [];
  const rules: PatternRule[] = [];
  const exceptions: string[] = [];
  let conditions: Directive[] = [];
  for (const directive of all.filter(({ name }) => NAMES.test(name))) {
    if (directive.name === 'rewritecond') {
      conditions.push(directive);
      continue;
    }
    const passed = passedBy(directive);
    if (passed !== null && conditions.length === 0) exceptions.push(passed);
    else {
      const rule = ruleOf(directive, conditions, isSecure);
      if (rule !== null) rules.push(withExceptions(rule, exceptions));
    }
    conditions = [];
  }
  return rules;
}

/** The paths for which `RewriteRule ^/x - [L]` ends the rules; null for another rule. */
function passedBy({ args }: Directive): string | null {
  const [pattern = '', target = '', flags = ''] = args;
  if (target !== '-' || !/^\[(?:L|LAST|END)\]$/i.test(flags) || !pattern.startsWith('^')) return null;
  const expression = expressionOf(pattern, false);
  return 'wrong' in expression ? null : expression.source;
}

function withExceptions(rule: PatternRule, exceptions: readonly string[]): PatternRule {
  if (exceptions.length === 0) return rule;
  const known = (rule.when['{path.decoded}'] ?? {}) as { readonly not_pattern?: readonly string[] };
  const path = { ...known, not_pattern: [...(known.not_pattern ?? []), ...exceptions] };
  return { ...rule, when: { ...rule.when, '{path.decoded}': path } };
}

/** The rule; null if it has no effect here. */
function ruleOf(directive: Directive, conditions: readonly Directive[], isSecure: boolean): PatternRule | null {
  const [pattern = '', target = '', written = ''] = directive.args;
  const flags = written
    .replace(/^\[|\]$/g, '')
    .split(',')
    .map((flag) => flag.trim().toUpperCase());
  const has = (flag: RegExp): string | undefined => flags.find((one) => flag.test(one));
  const rule = { directive, others: conditions, when: {}, methods: [], hosts: [] };
  const met = conditionsOf(conditions, isSecure);
  if (met === 'never') return null;
  const expression = expressionOf(pattern.replace(/^!/, ''), has(/^(?:NC|NOCASE)$/) !== undefined);
  const source = 'wrong' in expression || pattern.startsWith('!') ? null : expression.source;
  const close = (reason: string): PatternRule => ({
    ...rule,
    pattern: source ?? '^',
    when: met === null ? {} : met.when,
    action: { kind: 'closed', reason },
  });
  const isAnswer = has(/^(?:F|FORBIDDEN|G|GONE)$/) !== undefined;
  const redirect = has(/^(?:R|REDIRECT)(?:=.*)?$/);
  if (target === '-' && !isAnswer && redirect === undefined)
    return has(/^(?:E|ENV|CO|T|H|S|L|END|C)\b/) === undefined
      ? close('it has no counterpart')
      : onlyEffects(rule, flags, close);
  if (source === null) return close('its expression has no counterpart');
  if (met === null) return close('its conditions have no counterpart');
  const found = { ...rule, pattern: source, when: met.when };
  if (isAnswer) return { ...found, action: { kind: 'status', status: has(/^G/) === undefined ? 403 : 410 } };
  const isAbsolute = /^https?:\/\//i.test(target);
  if (redirect === undefined && !isAbsolute) return close('it leads to another file or URL inside of the site');
  if (has(/^(?:P|PROXY)$/) !== undefined) return close('it is a proxy: write a route with proxy');
  const status = statusOf(redirect);
  const to = targetOf(target, has(/^(?:QSA|QSAPPEND)$/) !== undefined, has(/^(?:QSD|QSDISCARD)$/) !== undefined);
  return to === null || status === null
    ? close('its target or its status has no counterpart')
    : { ...found, action: { kind: 'redirect', to, status } };
}

/** A rule without a target, which only sets variables, cookies or types: null. One that ends the rules closes nothing but is lost. */
function onlyEffects(
  rule: Omit<PatternRule, 'pattern' | 'action'>,
  flags: readonly string[],
  close: (reason: string) => PatternRule,
): PatternRule | null {
  const onlySets =
    flags.every((flag) => /^(?:E|ENV|NC|NOCASE|L|LAST|CO|COOKIE)\b/.test(flag)) &&
    flags.some((flag) => /^(?:E|ENV|CO|COOKIE)\b/.test(flag));
  return onlySets && rule.others.length === 0 ? null : close('it decides about the rules after it');
}

function statusOf(redirect: string | undefined): number | null {
  const [, written = '302'] = /=(.*)$/.exec(redirect ?? '') ?? [];
  const status = { PERMANENT: 301, TEMP: 302, SEEOTHER: 303 }[written] ?? Number(written);
  return [301, 302, 303, 307, 308].includes(status) ? status : null;
}

/** The target with placeholders; null if it has variables without a counterpart. */
function targetOf(target: string, addsQuery: boolean, dropsQuery: boolean): string | null {
  const whole = /^(https?):\/\/%\{(HTTP_HOST|SERVER_NAME)\}(?::443)?(?:%\{REQUEST_URI\}|\/?\$1)$/i.exec(target);
  if (whole !== null) return `${whole[1]?.toLowerCase()}://{hostname}{uri}`;
  const plain = numbered(target.replace(/%\{REQUEST_URI\}/g, '\u0000'))
    .replace(/%\{+(HTTP_HOST|SERVER_NAME)\}/g, '{hostname}')
    .replaceAll('\u0000', '{path}');
  if (/%\{|%\d|\$\{/.test(plain) || dropsQuery) return dropsQuery && !/%\{|%\d|\$\{/.test(plain) ? plain : null;
  const to = plain.includes('?') ? (addsQuery ? `${plain}&{query}` : plain.replace(/\?$/, '')) : `${plain}?{query}`;
  return isTarget(to.replace(/\{\d\}/g, '')) ? to : null;
}

/** Conditions as comparisons: `never` if they do not hold at this address, null if they have no counterpart. */
function conditionsOf(
  all: readonly Directive[],
  isSecure: boolean,
): { readonly when: Record<string, object> } | 'never' | null {
  const when: Record<string, { pattern?: string[]; not_pattern?: string[] }> = {};
  for (const [index, { args }] of all.entries()) {
    const [variable = '', test = '', flags = ''] = args;
    const name = /^%\{([\w:-]+)\}$/.exec(variable)?.[1] ?? '';
    const isNot = test.startsWith('!');
    const plain = test.replace(/^!/, '');
    const isOr = /\bOR(?:NEXT)?\b/i.test(flags) || /\bOR(?:NEXT)?\b/i.test(all[index - 1]?.args[2] ?? '');
    if (name === 'HTTPS' && !isOr) {
      const wants = /^=?on$/i.test(plain) !== isNot;
      if (!/^=?(?:on|off)$/i.test(plain)) return null;
      if (wants !== isSecure) return 'never';
      continue;
    }
    const placeholder = /^HTTP:[\w-]+$/.test(name)
      ? `{header.${name.slice(5)}}`
      : name === 'REQUEST_URI'
        ? '{path.decoded}'
        : VARIABLES[name];
    const expression = /^[<>-]/.test(plain)
      ? null
      : expressionOf(
          plain.startsWith('=') ? `^${plain.slice(1).replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}$` : plain,
          /\b(?:NC|NOCASE)\b/i.test(flags),
        );
    if (placeholder === undefined || expression === null || 'wrong' in expression) return null;
    const key = isNot ? 'not_pattern' : 'pattern';
    const known = when[placeholder]?.[key];
    // alternatives join those of the same variable; a second condition for it would have to hold as well
    if (isOr ? Object.keys(when).some((one) => one !== placeholder) || isNot : known !== undefined && !isNot)
      return null;
    when[placeholder] = { ...when[placeholder], [key]: [...(known ?? []), expression.source] };
  }
  return { when };
}
