import type { BackendName, Cell, Framework, FrontName, Protocol } from './cells.ts';

/** What one server, or a pair of them, does otherwise. What is not named is any. */
export interface Deviation {
  readonly front?: FrontName | readonly FrontName[];
  readonly backend?: BackendName | readonly BackendName[];
  readonly protocol?: Protocol | readonly Protocol[];
  readonly framework?: Framework | readonly Framework[];
  /** The case, or cases, of the suite. */
  readonly case: string | readonly string[];
  /** What the suite says of it, word by word. */
  readonly says: string;
  /** Why, for the page. */
  readonly because: string;
}

/** The first that applies to a case in a cell says what is expected of it. */
export const DEVIATIONS: readonly Deviation[] = [];

/** What is expected of a case in a cell: null that it is as it should be. */
export function expected(cell: Cell, name: string): Deviation | null {
  return DEVIATIONS.find((deviation) => applies(deviation, cell, name)) ?? null;
}

export function applies(deviation: Deviation, cell: Cell, name: string): boolean {
  return (
    has(deviation.case, name) &&
    has(deviation.front, cell.front) &&
    has(deviation.backend, cell.backend) &&
    has(deviation.protocol, cell.protocol) &&
    has(deviation.framework, cell.framework)
  );
}

function has<T extends string>(wanted: T | readonly T[] | undefined, is: T): boolean {
  if (wanted === undefined) return true;
  return typeof wanted === 'string' ? wanted === is : wanted.includes(is);
}
