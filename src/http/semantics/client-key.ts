import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import type { Request } from '../message.ts';

/** The key of a client with this value, which it chose; without one, that of its address: a client gains nothing by leaving out the value. */
export function valueKey({ peer }: Request, value: string): string {
  return value === '' ? addressKey(peer.remoteAddress) : `=${short(value)}`;
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
