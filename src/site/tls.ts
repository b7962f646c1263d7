import { resolve } from 'node:path';
import { keptSelfSigned } from '../listen/tls/self-signed.ts';
import type { TerminatorOptions } from '../listen/tls/tls-terminator.ts';
import type { Configuration } from './configuration.ts';
import type { Site } from './schema/site.ts';

type TlsTable = NonNullable<Site['tls']>;

/** The options for TLS; null if the configuration has no certificate. */
export function tlsOptionsOf({ settings, site, bases }: Configuration): TerminatorOptions | null {
  const table = site?.tls;
  const base = bases.tls ?? '';
  const common = {
    clientCertificates: table?.client_certificates ?? 'off',
    clientCa: table?.client_ca === undefined ? null : resolve(base, table.client_ca),
    http2: table?.http2 ?? true,
  } as const;
  if (settings.tlsSelfSigned || table?.self_signed === true) {
    const selfSigned = [{ certificate: keptSelfSigned(), key: null }];
    return { ...common, hosts: [{ names: [], certificates: selfSigned }] };
  }
  const hosts = table === undefined ? [] : hostsOf(table, base);
  return hosts.length === 0 ? null : { ...common, hosts };
}

function hostsOf({ host, ...standard }: TlsTable, base: string): TerminatorOptions['hosts'] {
  const all = standard.certificate.length === 0 ? host : [{ names: [], ...standard }, ...host];
  return all.map(({ names, certificate, key, passphrase }) => ({
    names,
    certificates: certificate.map((path, index) => ({
      certificate: resolve(base, path),
      key: key[index] === undefined ? null : resolve(base, key[index]),
      ...(passphrase === undefined ? {} : { passphrase }),
    })),
  }));
}

/** The address with its scheme. With `--tls-self-signed`, an address without a scheme speaks https. */
export function withScheme(address: string, selfSigned: boolean): string {
  return selfSigned && !/^[a-z]+:\/\//.test(address) ? `https://${address}` : address;
}
