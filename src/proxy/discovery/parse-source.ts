/** A discovery source, as a configuration names it. */
export type DiscoverySource =
  | { readonly kind: 'dns'; readonly scheme: string; readonly host: string; readonly port: number }
  | { readonly kind: 'srv'; readonly scheme: string; readonly name: string }
  | {
      readonly kind: 'kubernetes';
      readonly scheme: string;
      /** Null for the namespace of the pod. */
      readonly namespace: string | null;
      readonly service: string;
      /** Name or number of a port. */
      readonly port: string;
    }
  | { readonly kind: 'file'; readonly path: string };

const SCHEMES = 'https?|h2c?|uwsgi|fastcgi|scgi';
const NAME = '[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,252})';
const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';

const DNS = new RegExp(`^dns\\+(?<scheme>${SCHEMES})://(?<host>${NAME}):(?<port>\\d{1,5})$`);
const SRV = new RegExp(`^srv\\+(?<scheme>${SCHEMES})://(?<name>${NAME})$`);
const KUBERNETES = new RegExp(
  `^kubernetes\\+(?<scheme>${SCHEMES})://(?:(?<namespace>${LABEL})/)?(?<service>${LABEL}):(?<port>${LABEL})$`,
);

/**
 * Parses `dns+http://HOST:PORT`, `srv+http://NAME`, `kubernetes+http://NAMESPACE/SERVICE:PORT` and `file:PATH`. Instead
 * of `http`, any other scheme of a backend may be used. Returns null for anything else.
 */
export function parseSource(text: string): DiscoverySource | null {
  const dns = DNS.exec(text)?.groups;
  if (dns !== undefined) {
    const port = Number(dns.port);
    return port >= 1 && port <= 65535 ? { kind: 'dns', scheme: dns.scheme ?? '', host: dns.host ?? '', port } : null;
  }
  const srv = SRV.exec(text)?.groups;
  if (srv !== undefined) return { kind: 'srv', scheme: srv.scheme ?? '', name: srv.name ?? '' };
  const kubernetes = KUBERNETES.exec(text)?.groups;
  if (kubernetes !== undefined) {
    const { scheme = '', namespace = null, service = '', port = '' } = kubernetes;
    return { kind: 'kubernetes', scheme, namespace, service, port };
  }
  const path = /^file:(.+)$/.exec(text)?.[1];
  return path === undefined ? null : { kind: 'file', path };
}
