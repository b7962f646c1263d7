import type { Cell } from './cells.ts';
import type { Deviation } from './deviation.ts';
import { FROM_BACKENDS } from './deviations/backends.ts';
import { FROM_FRONT_ENDS } from './deviations/front-ends.ts';
import { FROM_PAIRS } from './deviations/pairs.ts';

/** The first deviation that applies to a case in a cell is expected. */
export const DEVIATIONS: readonly Deviation[] = [...FROM_PAIRS, ...FROM_FRONT_ENDS, ...FROM_BACKENDS];

/** The expected deviation of a case in a cell; null if the case must be correct. */
export function expected(cell: Cell, name: string): Deviation | null {
  return DEVIATIONS.find((deviation) => applies(deviation, cell, name)) ?? null;
}

/** Compares an outcome, null if correct, with the expected deviation. Returns null if they match, otherwise the difference. */
export function differs(deviation: Deviation | null, outcome: string | null): string | null {
  if (outcome === null) {
    return deviation === null || deviation.sometimes === true
      ? null
      : `correct, not: ${listOf(deviation.outcome).join(' or ')}`;
  }
  if (deviation === null) return outcome;
  const expectedOutcomes = listOf(deviation.outcome);
  return expectedOutcomes.includes(outcome) ? null : `${outcome}, not: ${expectedOutcomes.join(' or ')}`;
}

/** One value or several, as a list. */
export function listOf<T extends string>(value: T | readonly T[]): readonly T[] {
  return typeof value === 'string' ? [value] : value;
}

function applies(deviation: Deviation, cell: Cell, name: string): boolean {
  return (
    has(deviation.case, name) &&
    has(deviation.frontEnd, cell.frontEnd) &&
    has(deviation.backend, cell.backend) &&
    has(deviation.protocol, cell.protocol) &&
    has(deviation.framework, cell.framework)
  );
}

function has<T extends string>(wanted: T | readonly T[] | undefined, is: T): boolean {
  return wanted === undefined || listOf(wanted).includes(is);
}
