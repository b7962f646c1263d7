import { resolve } from 'node:path';
import type { Site } from '../config/site/schema.ts';
import { keptSelfSigned } from '../web/tls/self-signed.ts';
import type { TerminatorOptions } from '../web/tls/tls-terminator.ts';
import type { Configuration } from './configuration.ts';

type TlsTable = NonNullable<Site['tls']>;

/** What TLS is spoken with; null when no certificate is named. */
export function tlsOptionsOf({ settings, site, bases }: Configuration): TerminatorOptions | null {
  const table = site?.tls;
  const base = bases.tls ?? '';
  const common = {
    clientCertificates: table?.client_certificates ?? 'off',
    clientCa: table?.client_ca === undefined ? null : resolve(base, table.client_ca),
    http2: table?.http2 ?? true,
  } as const;
  if (settings.tlsSelfSigned) {
    const certificates = [{ certificate: keptSelfSigned(), key: null }];
    return { ...common, hosts: [{ names: [], certificates }] };
  }
  const hosts = table === undefined ? [] : hostsOf(table, base);
  return hosts.length === 0 ? null : { ...common, hosts };
}

function hostsOf({ certificate, key, passphrase, host }: TlsTable, base: string): TerminatorOptions['hosts'] {
  const named = host.map((one) => ({
    names: one.names,
    certificates: one.certificate.map((path, index) => files(base, path, one.key[index], one.passphrase)),
  }));
  if (certificate === undefined) return named;
  return [{ names: [], certificates: [files(base, certificate, key, passphrase)] }, ...named];
}

function files(base: string, certificate: string, key: string | undefined, passphrase: string | undefined) {
  const paths = { certificate: resolve(base, certificate), key: key === undefined ? null : resolve(base, key) };
  return passphrase === undefined ? paths : { ...paths, passphrase };
}

/** The address with its scheme: with a self-signed certificate all speak https that do not say otherwise. */
export function withScheme(address: string, selfSigned: boolean): string {
  return selfSigned && !/^https?:\/\//.test(address) ? `https://${address}` : address;
}
