import { requestIdOf } from '../http/request-id.ts';
import { hostName } from '../routing/router.ts';
import { routingPath } from '../routing/routing-path.ts';
import { bytesOf } from './bytes.ts';
import type { Moment, Placeholder, PlaceholderRequest, Value } from './placeholder.ts';

/** The placeholders without an argument, by their names. docs/placeholders.md describes them. */
export const STANDARD: ReadonlyMap<string, Placeholder> = new Map(
  [
    ...placeholders('request', true, {
      path: ({ path }) => path,
      query: ({ query }) => query,
      uri: uriOf,
      'uri.raw': uriOf,
    }),
    ...placeholders('request', false, {
      'path.decoded': ({ path }) => bytesOf(routingPath(path) ?? ''),
      method: ({ method }) => method.toUpperCase(),
      scheme: ({ peer }) => (peer.secure ? 'https' : 'http'),
      host: ({ host }) => host,
      hostname: ({ host }) => hostName(host),
      port: portOf,
      protocol: ({ protocol }) => protocol,
      'request.id': ({ protocol, record }) => (protocol === '' ? '' : requestIdOf(record)),
      route: ({ record }) => bytesOf(record.route),
      'client.address': ({ peer }) => peer.remoteAddress,
      'client.port': ({ peer }) => numberOf(peer.remotePort),
      'server.address': ({ peer }) => peer.localAddress ?? '',
      'server.port': ({ peer }) => peer.serverPort || numberOf(peer.localPort ?? 0),
      'tls.version': ({ peer }) => peer.tls?.version ?? '',
      'tls.cipher': ({ peer }) => peer.tls?.cipher ?? '',
      'tls.server_name': ({ peer }) => peer.tls?.serverName ?? '',
      'tls.client.verified': ({ peer }) => String(peer.clientCertificate?.verified ?? ''),
      'tls.client.subject': ({ peer }) => bytesOf(peer.clientCertificate?.subject ?? ''),
      'tls.client.issuer': ({ peer }) => bytesOf(peer.clientCertificate?.issuer ?? ''),
      'tls.client.serial': ({ peer }) => peer.clientCertificate?.serial ?? '',
      'tls.client.fingerprint': ({ peer }) => peer.clientCertificate?.fingerprint256 ?? '',
      time: () => new Date().toISOString(),
      'time.unix': () => `${Math.floor(Date.now() / 1000)}`,
      'time.unix_ms': () => `${Date.now()}`,
      'time.http': () => new Date().toUTCString(),
    }),
    ...placeholders('response', false, { status: (_request, { status }) => numberOf(status) }),
    ...placeholders('end', false, {
      body_bytes: (_request, { bodyBytes }) => `${bodyBytes ?? ''}`,
      duration_ms: (_request, { durationMs }) =>
        durationMs === undefined ? '' : `${Math.round(durationMs * 1000) / 1000}`,
      worker: ({ record }) => numberOf(record.worker),
      queue_ms: ({ record }) => millisecondsOf(record.queueUs),
      python_ms: ({ record }) => millisecondsOf(record.pythonUs),
      reason: ({ record }) => record.reason,
    }),
  ].map((placeholder) => [placeholder.name, placeholder]),
);

function placeholders(from: Moment, isEncoded: boolean, values: Readonly<Record<string, Value>>): Placeholder[] {
  return Object.entries(values).map(([name, value]) => ({ name, from, isEncoded, value }));
}

function uriOf({ path, query }: PlaceholderRequest): string {
  return query === '' ? path : `${path}?${query}`;
}

/** The port in the URL that the client asked for. */
function portOf({ host, peer }: PlaceholderRequest): string {
  return /:(\d+)$/.exec(host)?.[1] ?? (peer.serverPort || (peer.secure ? '443' : '80'));
}

/** 0 stands for a number that is not known. */
function numberOf(number: number): string {
  return number === 0 ? '' : `${number}`;
}

function millisecondsOf(us: number): string {
  return us < 0 ? '' : `${us / 1000}`;
}
