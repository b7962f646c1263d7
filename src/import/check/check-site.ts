import { formatLocation, type SourceLocation } from '../import-report.ts';
import type { AskedSite } from './asked-site.ts';
import { differencesOf } from './compare.ts';
import { DIFFERENCE_KINDS, type Difference } from './difference.ts';
import type { Outcome, Probe } from './outcome.ts';

/** What the other server would do with a probe, and the part of its configuration that decides it. */
export interface Expectation {
  readonly probe: Probe;
  readonly outcome: Outcome;
  readonly from: SourceLocation;
  /** The part in words, as the configuration has it: `location /admin/`. */
  readonly part: string;
}

/** Differences with one cause: those of one kind at one place. */
export interface Finding {
  /** The name by which a person accepts it: `site.conf:12`. */
  readonly name: string;
  readonly part: string;
  readonly difference: Difference;
  /** The first request that showed it. */
  readonly example: Probe;
  /** How many requests showed it. */
  readonly count: number;
}

/** Whether a person must accept a difference before settings are written. */
export function isDangerous({ difference }: Finding): boolean {
  return difference.kind !== 'another answer';
}

/** Asks `site` each probe and compares. The most dangerous findings come first, then the order of the configuration decides. */
export async function checkSite(expectations: readonly Expectation[], site: AskedSite): Promise<Finding[]> {
  const findings = new Map<string, Finding>();
  for (const { probe, outcome, from, part } of expectations) {
    if (outcome.kind === 'unknown') continue;
    const now = await site.ask(probe);
    for (const difference of differencesOf(outcome, now, probe)) {
      const name = formatLocation(from);
      const key = `${name} ${difference.kind} ${difference.subject}`;
      const known = findings.get(key);
      const found = known ?? { name, part, difference, example: probe, count: 0 };
      findings.set(key, { ...found, count: found.count + 1 });
    }
  }
  const rank = ({ difference }: Finding): number => DIFFERENCE_KINDS.indexOf(difference.kind);
  return [...findings.values()].sort((a, b) => rank(a) - rank(b));
}

/** A finding on one line. `server` is the name of the other server. */
export function findingLine({ name, part, difference, example, count }: Finding, server: string): string {
  const { kind, before, now } = difference;
  const more = count > 1 ? ` (and ${count - 1} more ${count === 2 ? 'request' : 'requests'})` : '';
  return `${name}: ${part}: ${kind}: for ${requestText(example)} ${server} ${before}, Viaduct ${now}${more}`;
}

/** `GET https://example.org/a from 192.0.2.7 with X-A "1"`. */
function requestText({ address, secure, client, authorized, method, target, fields }: Probe): string {
  const host = fields.find(([name]) => name.toLowerCase() === 'host')?.[1] ?? '';
  const others = fields.filter(([name]) => name.toLowerCase() !== 'host').map(([name, value]) => `${name} "${value}"`);
  const words = [
    `${method} ${secure ? 'https' : 'http'}://${host}${target}`,
    `at ${address}`,
    `from ${client === '' ? 'a Unix socket' : client}`,
    ...(others.length > 0 ? [`with ${others.join(' and ')}`] : []),
    ...(authorized ? ['with a password'] : []),
  ];
  return words.join(' ');
}
