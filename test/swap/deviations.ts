import type { BackendName, Cell, Framework, FrontName, Protocol } from './cells.ts';
import { FROM_BACKENDS } from './deviations/backends.ts';
import { FROM_FRONTS } from './deviations/fronts.ts';
import { FROM_PAIRS } from './deviations/pairs.ts';

/** What a server, or a pair of them, does otherwise. What is not named is any. */
export interface Deviation {
  readonly front?: FrontName | readonly FrontName[];
  readonly backend?: BackendName | readonly BackendName[];
  readonly protocol?: Protocol | readonly Protocol[];
  readonly framework?: Framework | readonly Framework[];
  /** The case, or cases, of the suite. */
  readonly case: string | readonly string[];
  /** What the suite says of it, word by word; one of several where chance decides. */
  readonly says: string | readonly string[];
  /** It does not always happen. */
  readonly sometimes?: true;
  /** Why, for the page. */
  readonly because: string;
}

/** The first that applies to a case in a cell says what is expected of it. */
export const DEVIATIONS: readonly Deviation[] = [...FROM_PAIRS, ...FROM_FRONTS, ...FROM_BACKENDS];

/** What is expected of a case in a cell: null that it is as it should be. */
export function expected(cell: Cell, name: string): Deviation | null {
  return DEVIATIONS.find((deviation) => applies(deviation, cell, name)) ?? null;
}

/** Null when what the suite says of a case is what is expected, otherwise what is wrong. */
export function differs(deviation: Deviation | null, says: string | null): string | null {
  if (says === null) {
    return deviation === null || deviation.sometimes === true
      ? null
      : `as it should be, not: ${listOf(deviation.says).join(' or ')}`;
  }
  if (deviation === null) return says;
  return listOf(deviation.says).includes(says) ? null : `${says}, not: ${listOf(deviation.says).join(' or ')}`;
}

/** One or several as several. */
export function listOf<T extends string>(value: T | readonly T[]): readonly T[] {
  return typeof value === 'string' ? [value] : value;
}

function applies(deviation: Deviation, cell: Cell, name: string): boolean {
  return (
    has(deviation.case, name) &&
    has(deviation.front, cell.front) &&
    has(deviation.backend, cell.backend) &&
    has(deviation.protocol, cell.protocol) &&
    has(deviation.framework, cell.framework)
  );
}

function has<T extends string>(wanted: T | readonly T[] | undefined, is: T): boolean {
  return wanted === undefined || listOf(wanted).includes(is);
}
