import { constants, createHash, type X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { messageOf } from '../../errors.ts';
import { type CertificateFiles, type LoadedCertificate, loadCertificate, loadChain } from './certificate-files.ts';
import { covers, hostNameOf, hostNamesOf } from './host-names.ts';
import { noTlsProblems, type TlsProblems } from './tls-problems.ts';

/** Certificates, and the host names for which clients get them. */
export interface TlsHost {
  /** `example.org`, or `*.example.org` with `*` for one label. When empty, the names in the first certificate. */
  readonly names: readonly string[];
  /** Several certificates must have keys of different kinds, RSA and ECDSA: each client gets one that it supports. */
  readonly certificates: readonly CertificateFiles[];
}

export interface TlsOptions {
  /** The first host also serves clients that name no host, or an unknown one. */
  readonly hosts: readonly TlsHost[];
  /**
   * Whether the server asks clients for a certificate. With `required` a client must present one from an authority in `clientCa`. With
   * `optional` each client may connect, and `Peer.clientCertificate` is the certificate that it presented.
   */
  readonly clientCertificates: 'off' | 'optional' | 'required';
  /** PEM file with the certificate authorities for clients. */
  readonly clientCa: string | null;
}

/** The parts of a TLS server. */
export interface TlsContexts {
  /** For `tls.createServer`. */
  readonly standard: SecureContextOptions;
  /** By SNI; empty when all clients get `standard`. */
  readonly byName: ReadonlyMap<string, SecureContext>;
  /** The files that were read. */
  readonly files: readonly string[];
  readonly certificates: readonly CertificateStatus[];
}

/** A certificate that clients get. */
export interface CertificateStatus {
  readonly file: string;
  /** The host names for which clients get it. */
  readonly names: readonly string[];
  /** ISO 8601; null if the certificate has no date that can be read. */
  readonly expires_at: string | null;
}

/** The "intermediate" list of Mozilla's server-side TLS guidelines, without finite-field Diffie-Hellman: forward secrecy and AEAD only. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');
const SESSION_TIMEOUT_S = 24 * 3600;
/** The server chooses the cipher, except for clients that prefer ChaCha20: they have no AES in hardware. */
const SECURE_OPTIONS = constants.SSL_OP_PRIORITIZE_CHACHA | constants.SSL_OP_NO_RENEGOTIATION;

/** Checks certificates and keys without using them. Returns all problems and warnings. */
export function checkTls(options: TlsOptions): TlsProblems {
  return loadContexts(options, Buffer.alloc(TICKET_KEY_BYTES)).report;
}

/** Length of the keys for session tickets. */
export const TICKET_KEY_BYTES = 48;

/** Reads all files. `contexts` is null if the report has problems. */
export function loadContexts(
  options: TlsOptions,
  ticketKeys: Buffer,
): { readonly contexts: TlsContexts | null; readonly report: TlsProblems } {
  const report = noTlsProblems();
  const common = commonOptions(options, ticketKeys, report);
  const hosts = options.hosts.map((host) => loadHost(host, common, report));
  if (hosts.length === 0) report.problems.push('Cannot use TLS: no certificate is given');
  const byName = contextsByName(hosts, report);
  const standard = hosts[0]?.options;
  if (report.problems.length > 0 || standard === undefined) return { contexts: null, report };
  if (hosts.length === 1) byName.clear();
  const certificates = hosts.flatMap((host) => host?.certificates ?? []);
  return { contexts: { standard, byName, files: filesOf(options), certificates }, report };
}

/** A configured name takes precedence over the same name in a certificate. */
function contextsByName(hosts: readonly (LoadedHost | null)[], report: TlsProblems): Map<string, SecureContext> {
  const byName = new Map<string, SecureContext>();
  for (const host of hosts) {
    if (host?.hasConfiguredNames !== true) continue;
    for (const name of host.names) {
      if (byName.has(name)) report.problems.push(`Two TLS hosts have the name "${name}"`);
      byName.set(name, host.context);
    }
  }
  for (const host of hosts) {
    if (host?.hasConfiguredNames !== false) continue;
    for (const name of host.names) if (!byName.has(name)) byName.set(name, host.context);
  }
  return byName;
}

interface LoadedHost {
  readonly options: SecureContextOptions;
  readonly context: SecureContext;
  readonly names: readonly string[];
  readonly hasConfiguredNames: boolean;
  readonly certificates: readonly CertificateStatus[];
}

function commonOptions(options: TlsOptions, ticketKeys: Buffer, report: TlsProblems): SecureContextOptions {
  const authorities = loadAuthorities(options, report);
  return {
    minVersion: 'TLSv1.2',
    ciphers: CIPHERS,
    honorCipherOrder: true,
    secureOptions: SECURE_OPTIONS,
    ticketKeys,
    sessionTimeout: SESSION_TIMEOUT_S,
    sessionIdContext: sessionScope(options, authorities),
    ...(authorities === null ? {} : { ca: authorities }),
  };
}

function loadAuthorities({ clientCertificates, clientCa }: TlsOptions, report: TlsProblems): string[] | null {
  if (clientCertificates === 'off') return null;
  if (clientCa === null) {
    const state = 'no file with certificate authorities for clients is given';
    report.problems.push(`Cannot ask for client certificates: ${state}`);
    return null;
  }
  return loadChain(clientCa, 'client CA', report)?.map((certificate) => certificate.toString()) ?? null;
}

/** Sessions depend on the requirements for clients: otherwise a client could resume an older session to bypass new requirements. */
function sessionScope({ clientCertificates }: TlsOptions, authorities: readonly string[] | null): string {
  const scope = [clientCertificates, ...(authorities ?? [])].join('\n');
  return createHash('sha256').update(scope).digest('hex').slice(0, 32);
}

function loadHost(host: TlsHost, common: SecureContextOptions, report: TlsProblems): LoadedHost | null {
  const paths = host.certificates.map(({ certificate }) => `"${certificate}"`).join(', ');
  if (host.certificates.length === 0) {
    report.problems.push(`Cannot use the TLS host "${host.names.join(', ')}": it has no certificate`);
    return null;
  }
  const loaded = host.certificates.map((files) => loadCertificate(files, report));
  const certificates = loaded.filter((certificate) => certificate !== null);
  const leaf = certificates[0]?.leaf;
  if (leaf === undefined || certificates.length < loaded.length) return null;
  const names = namesFor(host, leaf, paths, report);
  const options = { ...common, cert: certificates.map(({ chain }) => chain), key: certificates.map(({ key }) => key) };
  if (!haveDifferentKeys(certificates)) {
    report.problems.push(`Cannot use ${paths} for one host: it can have only one certificate for each kind of key`);
    return null;
  }
  try {
    const context = createSecureContext(options);
    return {
      options,
      context,
      names,
      hasConfiguredNames: host.names.length > 0,
      certificates: describe(host, loaded, names),
    };
  } catch (error) {
    report.problems.push(`Cannot use the certificate ${paths}: ${messageOf(error)}`);
    return null;
  }
}

function describe(
  { certificates }: TlsHost,
  loaded: readonly (LoadedCertificate | null)[],
  names: readonly string[],
): CertificateStatus[] {
  return loaded.flatMap((certificate, index) => {
    const file = certificates[index]?.certificate;
    if (certificate === null || file === undefined) return [];
    const expiresMs = Date.parse(certificate.leaf.validTo);
    return [{ file, names, expires_at: Number.isNaN(expiresMs) ? null : new Date(expiresMs).toISOString() }];
  });
}

function haveDifferentKeys(certificates: readonly LoadedCertificate[]): boolean {
  const kinds = certificates.map(({ leaf }) => leaf.publicKey.asymmetricKeyType);
  return new Set(kinds).size === kinds.length;
}

function namesFor(host: TlsHost, leaf: X509Certificate, paths: string, report: TlsProblems): string[] {
  if (host.names.length === 0) return hostNamesOf(leaf);
  const names: string[] = [];
  for (const text of host.names) {
    const name = hostNameOf(text);
    if (name === null) {
      report.problems.push(`Cannot use the TLS host "${text}": it is neither a host name nor *. and a host name`);
      continue;
    }
    names.push(name);
    if (!covers(leaf, name)) report.warnings.push(`The certificate ${paths} is not for "${name}"`);
  }
  return names;
}

function filesOf({ hosts, clientCertificates, clientCa }: TlsOptions): string[] {
  const pairs = hosts.flatMap((host) => host.certificates.flatMap(({ certificate, key }) => [certificate, key]));
  const all = clientCertificates === 'off' ? pairs : [...pairs, clientCa];
  return [...new Set(all.filter((path) => path !== null))];
}
