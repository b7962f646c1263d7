/** What prometheus_client can count. */
export type ValueType = 'counter' | 'gauge' | 'histogram' | 'summary';

/** How the values of several processes become one: see `MODES`. */
export type Rule = 'sum' | 'min' | 'max' | 'recent' | 'each';

/** What a process says about one of its values. */
export interface Description {
  readonly family: string;
  readonly type: ValueType;
  /** What follows the name of the family in the name of the sample. */
  readonly suffix: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly help: string;
  readonly rule: Rule;
  /** Whether the value of a process is forgotten when the process ends. */
  readonly isLive: boolean;
  /** The upper bound of a bucket; NaN for anything else. */
  readonly bound: number;
}

const SUFFIXES: { readonly [type in ValueType]: readonly string[] } = {
  counter: ['_total'],
  gauge: [''],
  histogram: ['_bucket', '_sum'],
  summary: ['_count', '_sum'],
};

/** The modes of a gauge, without `live` at their start. */
const MODES: Readonly<Record<string, Rule>> = {
  all: 'each',
  min: 'min',
  max: 'max',
  sum: 'sum',
  mostrecent: 'recent',
};
const LIVE = 'live';

/** Reads the JSON that `prometheus.py: describe` writes. Returns null if it is anything else. */
export function readDescription(json: string): Description | null {
  const fields = parse(json);
  if (!Array.isArray(fields)) return null;
  const [type, family, sample, labels, help, mode] = fields as readonly unknown[];
  if (!isType(type) || !isText(family) || !isText(sample) || !isText(help) || !isText(mode)) return null;
  const suffix = sample.slice(family.length);
  const names = readLabels(labels);
  if (names === null || !sample.startsWith(family) || !SUFFIXES[type].includes(suffix)) return null;
  const isLive = mode.startsWith(LIVE);
  const own = isLive ? mode.slice(LIVE.length) : mode;
  const rule = type !== 'gauge' ? 'sum' : Object.hasOwn(MODES, own) ? MODES[own] : undefined;
  const bound = suffix === '_bucket' ? boundOf(names.le) : Number.NaN;
  if (rule === undefined || (suffix === '_bucket' && Number.isNaN(bound))) return null;
  return { family: plainName(family), type, suffix, labels: names, help, rule, isLive, bound };
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

function readLabels(value: unknown): Record<string, string> | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const labels: Record<string, string> = {};
  for (const [name, text] of Object.entries(value)) {
    if (!isText(text) || name.startsWith('__')) return null; // reserved by Prometheus
    labels[plainName(name).replaceAll(':', '_')] = text;
  }
  return labels;
}

/**
 * A name that every reader of metrics knows: prometheus_client also allows names with any characters, which become `_` as in Prometheus's
 * escaping scheme `underscores`.
 */
export function plainName(name: string): string {
  const plain = name.replaceAll(/[^A-Za-z0-9_:]/gu, '_');
  return /^\d|^$/.test(plain) ? `_${plain}` : plain;
}

function boundOf(text: string | undefined): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  return text === undefined || text.trim() === '' ? Number.NaN : Number(text === '-Inf' ? '-Infinity' : text);
}

function isType(value: unknown): value is ValueType {
  return typeof value === 'string' && Object.hasOwn(SUFFIXES, value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
