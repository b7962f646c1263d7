import { requestField } from '../../http/derived-request.ts';
import type { HeaderList, Request } from '../../http/message.ts';
import { ForwardedReader, type Hop, parseHop } from './forwarded.ts';
import type { TrustedValues } from './trusted-values.ts';

/** What trusted proxies say about a request, unchanged; null or '' for what they may not state. */
export interface ForwardedInfo {
  /** The client of the outermost trusted proxy; null when the proxies do not name a client. */
  readonly client: Hop | null;
  readonly proto: string;
  readonly host: string;
  readonly port: string;
  /** The fields about the address, without the values that the client wrote itself. */
  readonly addressFields: HeaderList;
}

/** Which proxies are trusted: their addresses, how many of them in a row, including the one that connected, and for what. */
export interface TrustPolicy {
  readonly trusted: (address: string) => boolean;
  readonly hopsMax: number;
  readonly values: TrustedValues;
}

/** Reads X-Forwarded-For, else X-Real-IP, with X-Forwarded-Proto, -Host and -Port. */
export function readXForwarded(request: Request, policy: TrustPolicy): ForwardedInfo {
  const { values } = policy;
  const chain = values.has('address') ? listOf(request, 'x-forwarded-for') : [];
  const realIp = values.has('address') ? requestField(request, 'x-real-ip') : null;
  const hops = chain.length === 0 && realIp !== null ? [realIp] : chain;
  let at = hops.length;
  const { client, walked } = findClient(() => (at === 0 ? null : parseHop(hops[--at] as string)), policy);
  const ofHop = (value: 'scheme' | 'host' | 'port', name: string): string => {
    const list = values.has(value) ? listOf(request, name) : [];
    return list[Math.max(0, list.length - 1 - walked)] ?? '';
  };
  const addressFields: string[] = [];
  if (client !== null) addressFields.push('X-Forwarded-For', hops.slice(at).join(', '));
  if (realIp !== null && client !== null && typeof client === 'object') addressFields.push('X-Real-IP', client.address);
  return {
    client,
    proto: ofHop('scheme', 'x-forwarded-proto'),
    host: ofHop('host', 'x-forwarded-host'),
    port: ofHop('port', 'x-forwarded-port'),
    addressFields,
  };
}

/** Reads Forwarded. Scheme and host are those of the client's own hop: they are what the client asked the outermost proxy for. */
export function readForwarded(request: Request, policy: TrustPolicy): ForwardedInfo {
  const reader = new ForwardedReader(requestField(request, 'forwarded') ?? '');
  let proto = '';
  let host = '';
  let elements = 0;
  const { client } = findClient(() => {
    const element = reader.previous();
    if (element === null || element === 'malformed') return element;
    proto = element.proto;
    host = element.host;
    elements += 1;
    if (element.for !== '') return parseHop(element.for);
    return elements === 1 ? null : 'hidden'; // the proxy that connected may leave out addresses altogether
  }, policy);
  const { values } = policy;
  const counted = values.has('address') ? client : null;
  return {
    client: counted,
    proto: values.has('scheme') ? proto : '',
    host: values.has('host') ? host : '',
    port: '',
    addressFields: counted === null ? [] : ['Forwarded', reader.taken],
  };
}

/** Finds the first hop that is not a trusted proxy, from the nearest hop on, or the last hop. `walked` counts the hops before it. */
function findClient(
  previous: () => Hop | null,
  { trusted, hopsMax }: TrustPolicy,
): { readonly client: Hop | null; readonly walked: number } {
  let client = previous();
  let walked = 0;
  while (client !== null && typeof client === 'object' && walked + 1 < hopsMax && trusted(client.address)) {
    const next = previous();
    if (next === null) break;
    client = next;
    walked += 1;
  }
  return { client, walked };
}

function listOf(request: Request, name: string): string[] {
  const value = requestField(request, name);
  if (value === null) return [];
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
