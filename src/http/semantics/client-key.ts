import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { requestField } from '../derived-request.ts';
import type { Request } from '../message.ts';

/**
 * What clients are told apart by: their address (of IPv6 the first 64 bits, which is what one customer has), the value of a request's
 * field, or nothing, so that all share one count. A request without the field counts by its address: leaving it out gains nothing.
 */
export type LimitPer = 'address' | 'route' | { readonly header: string };

/** The function that finds a request's key. */
export function limitKey(per: LimitPer): (request: Request) => string {
  if (per === 'route') return () => '';
  if (per === 'address') return ({ peer }) => addressKey(peer.remoteAddress);
  const name = per.header.toLowerCase();
  return (request) => {
    const value = requestField(request, name);
    return value === null ? addressKey(request.peer.remoteAddress) : `=${short(value)}`;
  };
}

/** The part of a numeric address that one client has: of IPv6 the /64, otherwise all of it. */
export function addressKey(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail = ''] = address.split('%', 1)[0]?.split('::') ?? [];
  const first = groups(head);
  const last = groups(tail);
  const all = [...first, ...new Array<string>(Math.max(0, 8 - first.length - last.length)).fill('0'), ...last];
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/** Groups of 16 bits; an IPv4 address at the end stands for two. */
function groups(text: string): string[] {
  return text === '' ? [] : text.split(':').flatMap((group) => (group.includes('.') ? ['0', '0'] : [group]));
}

const VALUE_CHARS_MAX = 64;

/** A client chooses its values, but not how much memory a key takes. */
function short(value: string): string {
  return value.length <= VALUE_CHARS_MAX ? value : createHash('sha256').update(value).digest('base64');
}
