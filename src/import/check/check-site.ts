import type { SourceLocation } from '../import-report.ts';
import type { AskedSite } from './asked-site.ts';
import { differencesOf, givesContent } from './compare.ts';
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

/** What became of expectations. */
export interface CheckedSite {
  /** A finding for each difference, in the order of the expectations. */
  readonly findings: readonly Finding[];
  /** The expectations that say nothing. */
  readonly unknown: readonly Expectation[];
  /** The file that was missing first for each request that both servers refused, this one because of it. */
  readonly missed: readonly MissedFile[];
  /** The last one of several: the page for all paths without a file, or an error page. */
  readonly lastMissed: readonly MissedFile[];
}

/** A file that is missing for a request. */
export interface MissedFile {
  readonly probe: Probe;
  readonly path: string;
}

/** Asks `site` each probe and compares. The expectations are made one by one, so that none is kept in memory. */
export async function checkSite(expectations: Iterable<Expectation>, site: AskedSite): Promise<CheckedSite> {
  const findings: Finding[] = [];
  const unknown: Expectation[] = [];
  const missed: MissedFile[] = [];
  const lastMissed: MissedFile[] = [];
  for (const expectation of expectations) {
    const { probe, outcome, from, part } = expectation;
    if (outcome.kind === 'unknown') {
      unknown.push(expectation);
      continue;
    }
    const now = await site.ask(probe);
    const [path, ...others] = site.missed();
    if (path !== undefined && !givesContent(outcome) && !givesContent(now)) {
      missed.push({ probe, path });
      lastMissed.push(...others.slice(-1).map((last) => ({ probe, path: last })));
    }
    for (const difference of differencesOf(outcome, now, probe))
      findings.push({ from, part, difference, example: probe, count: 1 });
  }
  return { findings, unknown, missed, lastMissed };
}
