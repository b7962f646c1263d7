import { isIP } from 'node:net';
import type { Directive } from './tree.ts';

/** The rule that decides which clients may come in. */
export type Guard =
  | { readonly kind: 'open' }
  | { readonly kind: 'denied'; readonly from: readonly Directive[] }
  | {
      readonly kind: 'rules';
      readonly from: readonly Directive[];
      /** Empty for everybody. */
      readonly allow: readonly string[];
      readonly deny: readonly string[];
      readonly password: Password | null;
      readonly satisfy: 'all' | 'any';
    }
  /** The rule has no counterpart, so nobody may come in. */
  | { readonly kind: 'closed'; readonly from: readonly Directive[]; readonly reason: string };

export interface Password {
  readonly file: string;
  readonly realm: string;
  readonly from: readonly Directive[];
}

export const OPEN: Guard = { kind: 'open' };

export function closed(from: readonly Directive[], reason: string): Guard {
  return { kind: 'closed', from, reason };
}

/** `10.1` is `10.1.0.0/16`, `10.1.0.0/255.255.0.0` too. Null for what is not an address. */
export function rangeOf(written: string): string | null {
  const [, address = '', bits] = /^([^/]+)(?:\/(.+))?$/.exec(written) ?? [];
  const parts = address.split('.').filter((part) => part !== '');
  const isPart =
    bits === undefined && isIP(address) === 0 && parts.length < 4 && /^\d{1,3}(?:\.\d{1,3})*\.?$/.test(address);
  if (isPart) return rangeOf(`${[...parts, '0', '0', '0'].slice(0, 4).join('.')}/${parts.length * 8}`);
  const version = isIP(address);
  if (version === 0) return null;
  if (bits === undefined) return address;
  const length = version === 4 && isIP(bits) === 4 ? maskLength(bits) : Number(bits);
  return Number.isInteger(length) && length >= 0 && length <= (version === 4 ? 32 : 128)
    ? `${address}/${length}`
    : null;
}

function maskLength(mask: string): number {
  const bits = mask
    .split('.')
    .map((part) => Number(part).toString(2).padStart(8, '0'))
    .join('');
  return /^1*0*$/.test(bits) ? bits.replaceAll('0', '').length : Number.NaN;
}
