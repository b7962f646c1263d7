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

/** Asks `site` each probe and compares. There is a finding for each difference. */
export async function checkSite(expectations: readonly Expectation[], site: AskedSite): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { probe, outcome, from, part } of expectations) {
    if (outcome.kind === 'unknown') continue;
    const found = (difference: Difference): Finding => ({ from, part, difference, example: probe, count: 1 });
    findings.push(...differencesOf(outcome, await site.ask(probe), probe).map(found));
  }
  return findings;
}
