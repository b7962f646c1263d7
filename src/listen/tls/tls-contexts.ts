import { constants, createHash, type X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { noFindings, type TlsFindings } from '../../web/tls/findings.ts';
import {
  type CertificateFiles,
  type LoadedCertificate,
  loadCertificate,
  loadChain,
  reasonOf,
} from './certificate-files.ts';
import { covers, hostNameOf, hostNamesOf } from './host-names.ts';

/** Certificates, and the host names that get them. */
export interface TlsHost {
  /** `example.org` or `*.example.org`, which stands for one label. When empty, those that its certificates are for. */
  readonly names: readonly string[];
  /** Several when they have keys of different kinds, RSA and ECDSA: each client gets one that it understands. */
  readonly certificates: readonly CertificateFiles[];
}

export interface TlsOptions {
  /** The first one is also for clients that name no host, or one that is nobody's. */
  readonly hosts: readonly TlsHost[];
  /**
   * Whether clients are asked for a certificate. With `required` none gets through without one that `clientCa` vouches for; with
   * `optional` each does, and `Peer.clientCertificate` tells what it showed.
   */
  readonly clientCertificates: 'off' | 'optional' | 'required';
  /** PEM file with the authorities that vouch for clients. */
  readonly clientCa: string | null;
}

/** What a TLS server is made of. */
export interface TlsContexts {
  /** For `tls.createServer`. */
  readonly standard: SecureContextOptions;
  /** By SNI; empty when all clients get the standard. */
  readonly byName: ReadonlyMap<string, SecureContext>;
  /** What was read. */
  readonly files: readonly string[];
}

/** The "intermediate" choice of Mozilla's server-side TLS guidelines, without finite-field Diffie-Hellman: forward secrecy and AEAD only. */
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
/** The server chooses, but a client that prefers ChaCha20 has no AES in hardware. */
const SECURE_OPTIONS = constants.SSL_OP_PRIORITIZE_CHACHA | constants.SSL_OP_NO_RENEGOTIATION;

/** Tells all that is wrong with certificates and keys, and changes nothing. */
export function checkTls(options: TlsOptions): TlsFindings {
  return loadContexts(options, Buffer.alloc(TICKET_KEY_BYTES)).findings;
}

/** What a server's session tickets are encrypted with. */
export const TICKET_KEY_BYTES = 48;

/** Reads all files. `contexts` is null when there are problems. */
export function loadContexts(
  options: TlsOptions,
  ticketKeys: Buffer,
): { readonly contexts: TlsContexts | null; readonly findings: TlsFindings } {
  const findings = noFindings();
  const common = commonOptions(options, ticketKeys, findings);
  const hosts = options.hosts.map((host) => loadHost(host, common, findings));
  if (hosts.length === 0) findings.problems.push('Cannot speak TLS: no certificate is given');
  const byName = contextsByName(hosts, findings);
  const standard = hosts[0]?.options;
  if (findings.problems.length > 0 || standard === undefined) return { contexts: null, findings };
  if (hosts.length === 1) byName.clear();
  return { contexts: { standard, byName, files: filesOf(options) }, findings };
}

/** A name that is given comes before one that only stands in a certificate. */
function contextsByName(hosts: readonly (LoadedHost | null)[], findings: TlsFindings): Map<string, SecureContext> {
  const byName = new Map<string, SecureContext>();
  for (const host of hosts) {
    if (host?.namesAreGiven !== true) continue;
    for (const name of host.names) {
      if (byName.has(name)) findings.problems.push(`Two TLS hosts have the name "${name}"`);
      byName.set(name, host.context);
    }
  }
  for (const host of hosts) {
    if (host?.namesAreGiven !== false) continue;
    for (const name of host.names) if (!byName.has(name)) byName.set(name, host.context);
  }
  return byName;
}

interface LoadedHost {
  readonly options: SecureContextOptions;
  readonly context: SecureContext;
  readonly names: readonly string[];
  readonly namesAreGiven: boolean;
}

function commonOptions(options: TlsOptions, ticketKeys: Buffer, findings: TlsFindings): SecureContextOptions {
  const authorities = loadAuthorities(options, findings);
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

function loadAuthorities({ clientCertificates, clientCa }: TlsOptions, findings: TlsFindings): string[] | null {
  if (clientCertificates === 'off') return null;
  if (clientCa === null) {
    const state = 'no file with the authorities that vouch for them is given';
    findings.problems.push(`Cannot ask for client certificates: ${state}`);
    return null;
  }
  return loadChain(clientCa, 'client CA', findings)?.map((certificate) => certificate.toString()) ?? null;
}

/** A session that began under other demands on clients is not resumed: it would get around them. */
function sessionScope({ clientCertificates }: TlsOptions, authorities: readonly string[] | null): string {
  const scope = [clientCertificates, ...(authorities ?? [])].join('\n');
  return createHash('sha256').update(scope).digest('hex').slice(0, 32);
}

function loadHost(host: TlsHost, common: SecureContextOptions, findings: TlsFindings): LoadedHost | null {
  const paths = host.certificates.map(({ certificate }) => `"${certificate}"`).join(', ');
  if (host.certificates.length === 0) {
    findings.problems.push(`Cannot use the TLS host "${host.names.join(', ')}": it has no certificate`);
    return null;
  }
  const loaded = host.certificates.map((files) => loadCertificate(files, findings));
  const certificates = loaded.filter((certificate) => certificate !== null);
  const leaf = certificates[0]?.leaf;
  if (leaf === undefined || certificates.length < loaded.length) return null;
  const names = namesFor(host, leaf, paths, findings);
  const options = { ...common, cert: certificates.map(({ chain }) => chain), key: certificates.map(({ key }) => key) };
  if (!haveDifferentKeys(certificates)) {
    findings.problems.push(`Cannot use ${paths} for one host: of each kind of key there can be one certificate`);
    return null;
  }
  try {
    return { options, context: createSecureContext(options), names, namesAreGiven: host.names.length > 0 };
  } catch (error) {
    findings.problems.push(`Cannot use the certificate ${paths}: ${reasonOf(error)}`);
    return null;
  }
}

function haveDifferentKeys(certificates: readonly LoadedCertificate[]): boolean {
  const kinds = certificates.map(({ leaf }) => leaf.publicKey.asymmetricKeyType);
  return new Set(kinds).size === kinds.length;
}

function namesFor(host: TlsHost, leaf: X509Certificate, paths: string, findings: TlsFindings): string[] {
  if (host.names.length === 0) return hostNamesOf(leaf);
  const names: string[] = [];
  for (const text of host.names) {
    const name = hostNameOf(text);
    if (name === null) {
      findings.problems.push(`Cannot use the TLS host "${text}": it is neither a host name nor *. and a host name`);
      continue;
    }
    names.push(name);
    if (!covers(leaf, name)) findings.warnings.push(`The certificate ${paths} is not for "${name}"`);
  }
  return names;
}

function filesOf({ hosts, clientCertificates, clientCa }: TlsOptions): string[] {
  const pairs = hosts.flatMap((host) => host.certificates.flatMap(({ certificate, key }) => [certificate, key]));
  const all = clientCertificates === 'off' ? pairs : [...pairs, clientCa];
  return [...new Set(all.filter((path) => path !== null))];
}
