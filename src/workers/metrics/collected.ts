import type { MetricFamily, MetricSample, MetricType } from '../../metrics/family.ts';
import type { ApplicationFamily } from './application-metrics.ts';
import { plainName } from './description.ts';

/** A metric that a worker collects by running code; `collect.py: families_of` writes it. A value is a text, because JSON has no infinity. */
export interface CollectedFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly (readonly [name: string, labels: Readonly<Record<string, string>>, value: string])[];
}

/** Times of creation are left out, as in merged metrics. */
const SUFFIXES: { readonly [type in MetricType]: readonly string[] } = {
  counter: ['_total'],
  gauge: [''],
  histogram: ['_bucket', '_count', '_sum'],
  summary: ['', '_count', '_sum'],
  info: ['_info'],
  stateset: [''],
  unknown: [''],
};

export function isCollectedFamily(value: unknown): value is CollectedFamily {
  if (typeof value !== 'object' || value === null) return false;
  const { name, type, help, samples } = value as Readonly<Record<string, unknown>>;
  const areTexts = [name, type, help].every((text) => typeof text === 'string');
  return areTexts && Array.isArray(samples) && samples.every(isSample);
}

function isSample(value: unknown): boolean {
  if (!Array.isArray(value) || value.length !== 3) return false;
  const [name, labels, number] = value as readonly unknown[];
  if (typeof name !== 'string' || typeof number !== 'string' || typeof labels !== 'object' || labels === null)
    return false;
  return Object.values(labels).every((text) => typeof text === 'string');
}

/** Adds what one worker has collected to the metrics of all workers, which come first if there is a metric twice. */
export function withCollected(
  families: readonly ApplicationFamily[],
  collected: readonly CollectedFamily[],
): ApplicationFamily[] {
  const merged = new Map(families.map((family) => [family.name, family]));
  for (const one of collected) {
    const family = familyOf(one);
    if (family !== null && family.samples.length > 0 && !merged.has(family.name)) merged.set(family.name, family);
  }
  return [...merged.values()];
}

function familyOf({ name, type, help, samples }: CollectedFamily): ApplicationFamily | null {
  if (!isType(type)) return null;
  const read = new Map<string, MetricSample>();
  for (const [sample, named, value] of samples) {
    const suffix = sample.slice(name.length);
    if (!sample.startsWith(name) || !SUFFIXES[type].includes(suffix)) continue;
    const labels = Object.fromEntries(
      Object.entries(named).map(([label, text]) => [plainName(label).replaceAll(':', '_'), text] as const),
    );
    read.set(suffix + JSON.stringify(labels), { suffix, labels, value: numberOf(value) });
  }
  return { name: plainName(name), type, help, unit: '', combine: 'max', samples: [...read.values()] };
}

function isType(type: string): type is MetricFamily['type'] {
  return Object.hasOwn(SUFFIXES, type);
}

/** A number as Python writes it. */
function numberOf(text: string): number {
  return Number(text.replace('inf', 'Infinity'));
}
