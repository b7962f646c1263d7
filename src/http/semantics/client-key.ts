import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { requestField } from '../derived-request.ts';
import type { Request } from '../message.ts';

/**
 * How clients are distinguished: by address (of IPv6 by the first 64 bits, the network of one customer), by the value of a request's
 * field, or not at all, so that all share one count. A request without the field counts by address: a client gains nothing by
 * leaving out the field.
 */
export type LimitPer =
  | 'address'
  | 'route'
  | {
      /** Name of the field. */
      readonly header: string;
    };

/** Returns the function that computes a request's key. */
export function limitKey(per: LimitPer): (request: Request) => string {
  if (per === 'route') return () => '';
  if (per === 'address') return ({ peer }) => addressKey(peer.remoteAddress);
  const name = per.header.toLowerCase();
  return (request) => {
    const value = requestField(request, name);
    return value === null ? addressKey(request.peer.remoteAddress) : `=${short(value)}`;
  };
}

/** The part of a numeric address that belongs to one client: of IPv6 the /64, otherwise the whole address. */
export function addressKey(address: string): string {
  if (!address.includes(':') || !isIPv6(address)) return address;
  const [head = '', tail = ''] = address.split('%', 1)[0]?.split('::') ?? [];
  const first = groups(head);
  const last = groups(tail);
  const all = [...first, ...new Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0'), ...last];
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/** Groups of 16 bits; an IPv4 address at the end counts as two groups. */
function groups(text: string): string[] {
  return text === '' ? [] : text.split(':').flatMap((group) => (group.includes('.') ? ['0', '0'] : [group]));
}

const VALUE_CHARS_MAX = 64;

/** Limits the length of a key: a client chooses the value, but not how much memory its key takes. */
function short(value: string): string {
  return value.length <= VALUE_CHARS_MAX ? value : createHash('sha256').update(value).digest('base64');
}
