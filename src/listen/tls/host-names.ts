import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';

const LABELS = /^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/;

const LETTERS = /^[\p{L}\p{N}\p{M}*._-]+$/u;

/** The host name in the form of SNI (RFC 6066 section 3): lower case, in ASCII, optionally after `*.`. Null for an invalid name. */
export function hostNameOf(text: string): string | null {
  if (!LETTERS.test(text)) return null;
  const wildcard = text.startsWith('*.') ? '*.' : '';
  const name = wildcard + domainToASCII(text.slice(wildcard.length)).replace(/\.$/, '');
  return LABELS.test(name) && isIP(name) === 0 ? name : null;
}

/** Looks up `name` in `byName`: first the exact name, then the name with `*` for the first label. */
export function findByHostName<T>(byName: ReadonlyMap<string, T>, name: string): T | undefined {
  const host = name.toLowerCase();
  const exact = byName.get(host);
  if (exact !== undefined) return exact;
  const dot = host.indexOf('.');
  return dot < 0 ? undefined : byName.get(`*${host.slice(dot)}`);
}

/** The host names in a certificate. */
export function hostNamesOf(certificate: X509Certificate): string[] {
  const names = (certificate.subjectAltName ?? '').split(', ').filter((entry) => entry.startsWith('DNS:'));
  return names.map((entry) => hostNameOf(entry.slice('DNS:'.length))).filter((name) => name !== null);
}

/** Whether a client that asks for `name` accepts the certificate. */
export function covers(certificate: X509Certificate, name: string): boolean {
  return certificate.checkHost(name.replace(/^\*/, 'any')) !== undefined;
}
