import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';

const LABELS = /^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?$/;

const LETTERS = /^[\p{L}\p{N}\p{M}*._-]+$/u;

/** A host name as clients send it in SNI (RFC 6066 section 3): lower case, in ASCII. Null when `text` is none. `*.` may stand before it. */
export function hostNameOf(text: string): string | null {
  if (!LETTERS.test(text)) return null;
  const wildcard = text.startsWith('*.') ? '*.' : '';
  const name = wildcard + domainToASCII(text.slice(wildcard.length)).replace(/\.$/, '');
  return LABELS.test(name) && isIP(name) === 0 ? name : null;
}

/** What `name` has in `byName`: under its own name, or under the wildcard that stands for its first label. */
export function findByHostName<T>(byName: ReadonlyMap<string, T>, name: string): T | undefined {
  const host = name.toLowerCase();
  const exact = byName.get(host);
  if (exact !== undefined) return exact;
  const dot = host.indexOf('.');
  return dot < 0 ? undefined : byName.get(`*${host.slice(dot)}`);
}

/** The host names that a certificate is for. */
export function hostNamesOf(certificate: X509Certificate): string[] {
  const names = (certificate.subjectAltName ?? '').split(', ').filter((entry) => entry.startsWith('DNS:'));
  return names.map((entry) => hostNameOf(entry.slice('DNS:'.length))).filter((name) => name !== null);
}

/** Whether a client that asks for `name` accepts the certificate. */
export function covers(certificate: X509Certificate, name: string): boolean {
  return certificate.checkHost(name.replace(/^\*/, 'any')) !== undefined;
}
