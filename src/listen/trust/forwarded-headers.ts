import { requestField } from '../../http/derived-request.ts';
import type { HeaderList, Request } from '../../http/message.ts';
import { ForwardedReader, type Hop, parseHop } from './forwarded.ts';

/** What trusted proxies say of a request, as they wrote it. */
export interface Claim {
  /** Who connected to the outermost of them; null when they do not speak of that. */
  readonly client: Hop | null;
  readonly proto: string;
  readonly host: string;
  readonly port: string;
  /** The fields about the address, without what the client itself wrote into them. */
  readonly addressFields: HeaderList;
}

/** Whom to believe: addresses of proxies, and how many in a row, the one that connected counted. */
export interface Believed {
  readonly trusted: (address: string) => boolean;
  readonly hopsMax: number;
}

/** Reads X-Forwarded-For, else X-Real-IP, with X-Forwarded-Proto, -Host and -Port. */
export function readXForwarded(request: Request, believed: Believed): Claim {
  const chain = listOf(request, 'x-forwarded-for');
  const realIp = requestField(request, 'x-real-ip');
  const hops = chain.length === 0 && realIp !== null ? [realIp] : chain;
  let at = hops.length;
  const { client, walked } = findClient(() => (at === 0 ? null : parseHop(hops[--at] as string)), believed);
  const ofHop = (name: string): string => {
    const list = listOf(request, name);
    return list[Math.max(0, list.length - 1 - walked)] ?? '';
  };
  const addressFields: string[] = [];
  if (client !== null) addressFields.push('X-Forwarded-For', hops.slice(at).join(', '));
  if (realIp !== null && client !== null && typeof client === 'object') addressFields.push('X-Real-IP', client.address);
  return {
    client,
    proto: ofHop('x-forwarded-proto'),
    host: ofHop('x-forwarded-host'),
    port: ofHop('x-forwarded-port'),
    addressFields,
  };
}

/** Reads Forwarded. Scheme and host are those of the client's own hop: what the outermost proxy was asked for. */
export function readForwarded(request: Request, believed: Believed): Claim {
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
    return elements === 1 ? null : 'hidden'; // the proxy that connected need not speak of addresses at all
  }, believed);
  return { client, proto, host, port: '', addressFields: client === null ? [] : ['Forwarded', reader.taken] };
}

/** Goes from hop to hop, the nearest first, to the first that is no trusted proxy, or the last. `walked` counts those before it. */
function findClient(
  previous: () => Hop | null,
  { trusted, hopsMax }: Believed,
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
