import { formatLocation, type SourceLocation } from '../import-report.ts';
import type { Expectation } from './check-site.ts';

/** A place that was not compared, or not with every request: the model does not know what the other server does there. */
export interface Unchecked {
  /** What the model does not know: a directive, a variable. */
  readonly reason: string;
  readonly from: SourceLocation;
  /** The place in words. */
  readonly part: string;
}

/** What was not compared, once for each place and reason. */
export function uncheckedOf(expectations: readonly Expectation[]): Unchecked[] {
  const joined = new Map<string, Unchecked>();
  for (const { outcome, from, part } of expectations) {
    if (outcome.kind === 'unknown')
      joined.set(`${formatLocation(from)} ${outcome.reason}`, { reason: outcome.reason, from, part });
  }
  return [...joined.values()];
}

/** A line for each reason. One that holds for several places names the first. */
export function uncheckedLines(all: readonly Unchecked[]): string[] {
  const reasons = new Set(all.map(({ reason }) => reason));
  return [...reasons].map((reason) => {
    const same = all.filter((one) => one.reason === reason);
    const { from, part } = same[0] as Unchecked;
    const others = same.length > 1 ? `, and ${same.length - 1} more ${same.length === 2 ? 'place' : 'places'}` : '';
    return `${formatLocation(from)}: ${part}${others}: ${reason}`;
  });
}
