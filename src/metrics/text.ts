import { boundText, type Family, type HistogramFamily, isHistogram, type Labels, type MetricFamily } from './family.ts';

/** A form in which metrics are sent as text: that of OpenMetrics 1.0, or the older one of Prometheus. */
export type TextFormat = 'openmetrics' | 'prometheus';

/**
 * Writes metrics as text: OpenMetrics 1.0, section "Text Format", or Prometheus's exposition format 0.0.4. The latter has no units, no `info`
 * and no `stateset`, and its counters have the suffix in their names; a `_created` would be a metric of its own there, and is left out.
 */
export function metricsText(families: Iterable<Family>, format: TextFormat): string {
  let text = '';
  for (const part of partsOf(families, format)) text += part;
  return text;
}

/** The same in UTF-8. Short parts are encoded one by one, because one long text of many thousand pieces takes twice as long. */
export function metricsBytes(families: Iterable<Family>, format: TextFormat): Buffer {
  let bytes = Buffer.allocUnsafe(lastLength + SPARE_BYTES);
  let at = 0;
  for (const part of partsOf(families, format)) {
    const bytesMax = part.length * UTF8_BYTES_MAX;
    if (at + bytesMax > bytes.length) {
      const larger = Buffer.allocUnsafe(2 * bytes.length + bytesMax);
      bytes.copy(larger, 0, 0, at);
      bytes = larger;
    }
    at += bytes.write(part, at);
  }
  lastLength = at;
  return bytes.subarray(0, at);
}

/** The length of the last exposition: the next one is about as long. */
let lastLength = 0;
const SPARE_BYTES = 65_536;
/** Of one UTF-16 code unit. */
const UTF8_BYTES_MAX = 3;

function* partsOf(families: Iterable<Family>, format: TextFormat): Iterable<string> {
  for (const family of families) {
    yield headText(family, format);
    if (isHistogram(family)) yield* histogramTexts(family);
    else yield samplesText(family, format);
  }
  if (format === 'openmetrics') yield '# EOF\n';
}

/** The types that 0.0.4 calls by another name. */
const OLDER_TYPES: Readonly<Record<string, string>> = { info: 'gauge', stateset: 'gauge', unknown: 'untyped' };

function headText({ name, type, help, unit }: Family, format: TextFormat): string {
  if (format === 'openmetrics') {
    const unitLine = unit === '' ? '' : `# UNIT ${name} ${unit}\n`;
    return `# TYPE ${name} ${type}\n${unitLine}# HELP ${name} ${escapeText(help)}\n`;
  }
  const suffixed = type === 'counter' ? `${name}_total` : type === 'info' ? `${name}_info` : name;
  const escaped = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return `# HELP ${suffixed} ${escaped}\n# TYPE ${suffixed} ${OLDER_TYPES[type] ?? type}\n`;
}

function samplesText({ name, samples }: MetricFamily, format: TextFormat): string {
  let text = '';
  for (const { suffix, labels, value } of samples) {
    if (suffix === '_created' && format === 'prometheus') continue;
    const inner = labelText(labels);
    text += `${name}${suffix}${inner === '' ? '' : `{${inner}}`} ${valueText(value)}\n`;
  }
  return text;
}

/** A text for each series. */
function* histogramTexts({ name, bounds, series }: HistogramFamily): Iterable<string> {
  const ends = [...bounds, undefined].map((bound) => `le="${boundText(bound)}"} `);
  for (const { labels, counts, sum } of series) {
    const inner = labelText(labels);
    const start = `${name}_bucket{${inner === '' ? '' : `${inner},`}`;
    let count = 0;
    let text = '';
    for (let index = 0; index < ends.length; index += 1) {
      count += counts[index] as number;
      text += `${start}${ends[index]}${count}\n`;
    }
    const all = inner === '' ? '' : `{${inner}}`;
    yield `${text}${name}_count${all} ${count}\n${name}_sum${all} ${valueText(sum)}\n`;
  }
}

/** The labels of a series stay the same object from scrape to scrape. */
const labelTexts = new WeakMap<Labels, string>();

/** `route="shop",method="GET"`. */
function labelText(labels: Labels): string {
  const known = labelTexts.get(labels);
  if (known !== undefined) return known;
  let text = '';
  for (const name in labels) text += `${text === '' ? '' : ','}${name}="${escapeText(labels[name] as string)}"`;
  labelTexts.set(labels, text);
  return text;
}

/** In a label, and in a help text of OpenMetrics. */
function escapeText(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

/** Numbers as both formats spell them: infinity as `+Inf`. */
function valueText(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}
