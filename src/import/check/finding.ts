import { formatLocation, type SourceLocation } from '../import-report.ts';
import { DIFFERENCE_KINDS, type Difference } from './difference.ts';
import type { Probe } from './outcome.ts';

/** Differences with one cause: those of one kind at one place. */
export interface Finding {
  readonly from: SourceLocation;
  /** The place in words: `location /admin/`. */
  readonly part: string;
  readonly difference: Difference;
  /** The first request that showed it. */
  readonly example: Probe;
  /** How many requests showed it. */
  readonly count: number;
}

/** The name by which a person accepts a finding: `site.conf:12`. */
export function nameOf({ from }: Finding): string {
  return formatLocation(from);
}

/** Whether a person must accept a finding before settings are written. */
export function isDangerous({ difference }: Finding): boolean {
  return difference.kind !== 'another answer';
}

/** Joins findings with one cause. The most dangerous come first, then the order of the given ones decides. */
export function joinFindings(all: readonly Finding[]): Finding[] {
  const joined = new Map<string, Finding>();
  for (const finding of all) {
    const key = `${nameOf(finding)} ${finding.difference.kind} ${finding.difference.subject}`;
    const known = joined.get(key);
    joined.set(key, known === undefined ? finding : { ...known, count: known.count + finding.count });
  }
  const rank = ({ difference }: Finding): number => DIFFERENCE_KINDS.indexOf(difference.kind);
  return [...joined.values()].sort((a, b) => rank(a) - rank(b));
}

/** A finding on one line. `server` is the name of the other server. */
export function findingLine(finding: Finding, server: string): string {
  const { part, difference, example, count } = finding;
  const { kind, before, now } = difference;
  const more = count > 1 ? ` (and ${count - 1} more ${count === 2 ? 'request' : 'requests'})` : '';
  const place = `${nameOf(finding)}: ${part}: ${kind}`;
  return `${place}: for ${requestText(example)} ${server} ${before}, Viaduct ${now}${more}`;
}

/** `GET https://example.org/a at 0.0.0.0:443 from 192.0.2.7 with X-A "1"`. */
function requestText({ address, secure, client, authorized, method, target, fields }: Probe): string {
  const host = fields.find(([name]) => name.toLowerCase() === 'host')?.[1] ?? '';
  const others = fields.filter(([name]) => name.toLowerCase() !== 'host').map(([name, value]) => `${name} "${value}"`);
  const words = [
    `${method} ${secure ? 'https' : 'http'}://${host}${target}`,
    `at ${address}`,
    `from ${client === '' ? 'a Unix socket' : client}`,
    ...(others.length > 0 ? [`with ${others.join(' and ')}`] : []),
    ...(authorized ? [] : ['without a password']),
  ];
  return words.join(' ');
}
