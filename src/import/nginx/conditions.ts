import { expressionOf } from './expression.ts';
import { textOf } from './model/bytes.ts';
import type { Condition } from './model/model.ts';
import { constantIn, fill, substituted, type Values } from './placeholders.ts';
import type { Comparison, RouteMatch } from './route-match.ts';

/** The conditions of a route for an `if`. `never` and `always` are for conditions that do not depend on the request. */
export type RouteCondition = RouteMatch['when'] | 'never' | 'always';

/** Converts the condition of an `if`; null if it has no counterpart. */
export function conditionOf(condition: Condition, values: Values): RouteCondition | null {
  if (condition.kind === 'opaque' || condition.kind === 'path') return null;
  const constant = constantIn(condition.value, values.assigned);
  if (constant !== null) return constantCondition(condition, constant, values);
  const filled = fill(substituted(condition.value, values.assigned), { ...values, isDecoded: true });
  if ('unknown' in filled || !/\{[a-z]/.test(filled.text)) return null;
  const comparison = comparisonOf(condition, values);
  return comparison === null ? null : { [filled.text]: comparison };
}

type Comparing = Exclude<Condition, { readonly kind: 'opaque' | 'path' }>;

function comparisonOf(condition: Comparing, values: Values): Comparison | null {
  if (condition.kind === 'true') return { not: ['', '0'] };
  if (condition.kind === 'equal') {
    const to = constantIn(condition.to, values.assigned);
    if (to === null || to === '*') return null;
    return condition.negated ? { not: [textOf(to)] } : { is: [textOf(to)] };
  }
  const expression = expressionOf(condition.pattern.source, condition.pattern.regex?.ignoreCase === true);
  if ('wrong' in expression) return null;
  return condition.negated ? { not_pattern: [expression.source] } : { pattern: [expression.source] };
}

function constantCondition(condition: Comparing, value: string, values: Values): RouteCondition | null {
  const result = (holds: boolean): RouteCondition => (holds ? 'always' : 'never');
  if (condition.kind === 'true') return result(value !== '' && value !== '0');
  if (condition.kind === 'equal') {
    const to = constantIn(condition.to, values.assigned);
    return to === null ? null : result((value.toLowerCase() === to.toLowerCase()) !== condition.negated);
  }
  const { regex } = condition.pattern;
  return regex === null ? null : result(regex.test(value) !== condition.negated);
}
