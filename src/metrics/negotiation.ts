import type { TextFormat } from './text.ts';

export type MetricsFormat = TextFormat | 'protobuf';

export const CONTENT_TYPES: Readonly<Record<MetricsFormat, string>> = {
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  protobuf: 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited',
};

/** What a range of the client must say besides its type, if it says it at all. */
const OFFERS: readonly {
  readonly format: MetricsFormat;
  readonly types: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
}[] = [
  {
    format: 'prometheus',
    types: ['text/plain', 'text/*', '*/*'],
    parameters: { version: '0.0.4' },
  },
  { format: 'openmetrics', types: ['application/openmetrics-text'], parameters: { version: '1.0.0' } },
  {
    format: 'protobuf',
    types: ['application/vnd.google.protobuf'],
    parameters: { proto: 'io.prometheus.client.MetricFamily', encoding: 'delimited' },
  },
];

/**
 * The form of metrics for a client that sent `accept` (RFC 9110 section 12.5.1): the one with the highest weight, of equal ones that which the
 * client lists first. A client without the field, or with none of these types in it, gets the text that every program reads.
 */
export function chooseFormat(accept: string | null): MetricsFormat {
  let best: MetricsFormat = 'prometheus';
  let bestWeight = 0;
  for (const element of (accept ?? '').split(',')) {
    const [type = '', ...rest] = element.split(';').map((part) => part.trim());
    const parameters = new Map(rest.map(parameterOf));
    const weight = Number(parameters.get('q') ?? 1);
    const offer = OFFERS.find(
      ({ types, parameters: wanted }) =>
        types.includes(type.toLowerCase()) &&
        Object.entries(wanted).every(([name, value]) => (parameters.get(name) ?? value) === value),
    );
    if (offer === undefined || !(weight > bestWeight)) continue;
    best = offer.format;
    bestWeight = weight;
  }
  return best;
}

/** Some clients put values in quotes. */
function parameterOf(text: string): [name: string, value: string] {
  const at = text.indexOf('=');
  if (at < 0) return [text.toLowerCase(), ''];
  return [
    text.slice(0, at).trim().toLowerCase(),
    text
      .slice(at + 1)
      .trim()
      .replace(/^"(.*)"$/, '$1'),
  ];
}
