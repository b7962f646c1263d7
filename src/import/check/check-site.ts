import type { SourceLocation } from '../import-report.ts';
import type { AskedSite } from './asked-site.ts';
import { differencesOf } from './compare.ts';
import type { Difference } from './difference.ts';
import type { Finding } from './finding.ts';
import type { Outcome, Probe } from './outcome.ts';

/** What the other server would do with a probe, and the part of its configuration that decides it. */
export interface Expectation {
  readonly probe: Probe;
  readonly outcome: Outcome;
  readonly from: SourceLocation;
  /** The part in words, as the configuration has it: `location /admin/`. */
  readonly part: string;
}

/** Files are read by four threads, so more requests at the same time take no less time. */
const AT_ONCE = 16;

/** Asks `site` each probe and compares. There is a finding for each difference, in the order of the expectations. */
export async function checkSite(expectations: readonly Expectation[], site: AskedSite): Promise<Finding[]> {
  const known = expectations.filter(({ outcome }) => outcome.kind !== 'unknown');
  const found = new Map<Expectation, Finding[]>();
  const compare = async (expectation: Expectation): Promise<void> => {
    const { probe, outcome, from, part } = expectation;
    const differences = differencesOf(outcome, await site.ask(probe), probe);
    const findingOf = (difference: Difference): Finding => ({ from, part, difference, example: probe, count: 1 });
    found.set(expectation, differences.map(findingOf));
  };
  for (const authorized of [true, false]) {
    const some = known.filter(({ probe }) => probe.authorized === authorized);
    for (let at = 0; at < some.length; at += AT_ONCE) await Promise.all(some.slice(at, at + AT_ONCE).map(compare));
  }
  return known.flatMap((expectation) => found.get(expectation) ?? []);
}
