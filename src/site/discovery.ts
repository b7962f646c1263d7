import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { ViaductError } from '../errors.ts';
import type { Backend } from '../proxy/backend.ts';
import type { Discovery } from '../proxy/discovery/discovery.ts';
import { dnsDiscovery } from '../proxy/discovery/dns.ts';
import { fileDiscovery } from '../proxy/discovery/file.ts';
import { kubernetesDiscovery } from '../proxy/discovery/kubernetes.ts';
import { accessFromPod, type KubernetesAccess, SERVICE_ACCOUNT } from '../proxy/discovery/kubernetes-api.ts';
import { type DiscoverySource, parseSource } from '../proxy/discovery/parse-source.ts';
import { srvDiscovery } from '../proxy/discovery/srv.ts';
import type { ProxyOptionsConfig } from './schema/proxy-options.ts';

/** The parts that a service discovery is made of. */
export interface DiscoveryParts {
  readonly options: ProxyOptionsConfig['discovery'];
  /** Directory where relative paths start. */
  readonly base: string;
  /** Converts a URL to a backend. */
  readonly backendOf: (url: string) => Backend;
  readonly onError: (message: string) => void;
}

const POLL_MS = 5000;
const RETRY_MS = 500;
const RETRY_MS_MAX = 30_000;

/** Whether `url` names a service discovery and not a backend. */
export function isSource(url: string): boolean {
  return parseSource(url) !== null;
}

/**
 * The service discovery that `url` names. `changes` apply to every backend that it finds.
 *
 * @throws ViaductError `SETTINGS` if the service discovery cannot work on this machine
 */
export function discoveryOf(url: string, changes: Partial<Backend>, parts: DiscoveryParts): Discovery {
  const source = parseSource(url);
  if (source === null) throw new ViaductError('SETTINGS', `Cannot use "${url}": it does not name a service discovery`);
  const { options, backendOf, onError } = parts;
  const backendAt = (host: string, port: number): Backend => ({
    ...backendOf(
      `${source.kind === 'file' ? 'http' : source.scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ),
    ...changes,
  });
  const lookup = {
    backendAt,
    onError,
    servers: options.dns_servers ?? null,
    minMs: options.ttl_ms_min,
    maxMs: options.ttl_ms_max,
  };
  switch (source.kind) {
    case 'dns':
      return dnsDiscovery({ ...source, ...lookup });
    case 'srv':
      return srvDiscovery({ ...source, ...lookup });
    case 'kubernetes':
      return kubernetes(source, backendAt, parts);
    case 'file':
      return fileDiscovery({
        path: resolve(parts.base, source.path),
        parse: (text) => backendOrNull(text, changes, parts),
        pollMs: POLL_MS,
        onError,
      });
  }
}

function backendOrNull(text: string, changes: Partial<Backend>, { backendOf }: DiscoveryParts): Backend | null {
  try {
    return { ...backendOf(text), ...changes };
  } catch {
    return null;
  }
}

function kubernetes(
  source: Extract<DiscoverySource, { kind: 'kubernetes' }>,
  backendAt: (host: string, port: number) => Backend,
  { options, base, onError }: DiscoveryParts,
): Discovery {
  const access = accessOf(options, base);
  if (access === null) {
    throw new ViaductError(
      'SETTINGS',
      'Cannot ask Kubernetes: this is not a pod, and the options of discovery have no Kubernetes API',
    );
  }
  const namespace = source.namespace ?? options.kubernetes_namespace ?? podNamespace();
  const retry = { retryMs: RETRY_MS, retryMsMax: RETRY_MS_MAX };
  return kubernetesDiscovery({ ...source, ...retry, access, namespace, backendAt, onError });
}

function accessOf(options: DiscoveryParts['options'], base: string): KubernetesAccess | null {
  const pod = accessFromPod(process.env);
  const { kubernetes_api: api = pod?.api, kubernetes_token_file: token, kubernetes_ca_file: ca } = options;
  if (api === undefined) return null;
  return {
    api,
    tokenFile: token === undefined ? (pod?.tokenFile ?? null) : resolve(base, token),
    caFile: ca === undefined ? (pod?.caFile ?? null) : resolve(base, ca),
  };
}

function podNamespace(): string {
  try {
    return readFileSync(`${SERVICE_ACCOUNT}/namespace`, 'utf8').trim();
  } catch {
    return 'default';
  }
}
