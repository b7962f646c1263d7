import { isIP } from 'node:net';

/** Where a backend listens: a TCP address, or the path of a Unix socket. */
export interface Backend {
  /** Name or numeric address; an IPv6 address without brackets. Unused beside `path`. */
  readonly host: string;
  readonly port: number;
  /** A Unix socket instead of `host` and `port`. */
  readonly path?: string;
  /** Speaks TLS. */
  readonly tls?: BackendTls;
  /** What it speaks; HTTP/1.1 when absent. */
  readonly protocol?: GatewayProtocol;
  /** Its share of the requests, beside the other backends': a whole number, 1 when absent. */
  readonly weight?: number;
  /** Gets requests only when none of the others can be connected to. */
  readonly backup?: boolean;
}

export interface BackendTls {
  /** The name that the certificate must have, sent as SNI; `host` when absent. */
  readonly serverName?: string;
  /** Certificates of the authorities that are trusted instead of the system's, in PEM. */
  readonly ca?: string | Buffer;
  /** Our own certificate and its key, in PEM, for a backend that asks for one. */
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  /** False takes any certificate. True when absent. */
  readonly verify?: boolean;
}

/** The protocols of application servers, beside HTTP. */
export type GatewayProtocol = 'uwsgi' | 'fastcgi' | 'scgi';

/** How a backend is written. */
const BACKEND_FORM =
  /^(?:unix:(?<socket>.+)|(?<scheme>https?|uwsgi|fastcgi|scgi):\/\/(?:unix:(?<path>.+)|(?:\[(?<address>[0-9A-Fa-f:.]+)\]|(?<name>[A-Za-z0-9._-]+))(?::(?<port>\d{1,5}))?\/?))$/;

/**
 * Reads `http://HOST`, `http://HOST:PORT`, the same with `https`, `uwsgi`, `fastcgi` or `scgi`, which all need a port but the first two, any of them with `unix:PATH`
 * in place of the host, or `unix:PATH` alone. Null for anything else, such as a URL with a path, a query or a user. `tls` is what an `https` backend gets.
 */
export function parseBackend(text: string, tls: BackendTls = {}): Backend | null {
  const { socket, scheme = 'http', path = socket, address, name, port: digits } = BACKEND_FORM.exec(text)?.groups ?? {};
  if (path === undefined && address === undefined && name === undefined) return null;
  const how = scheme === 'https' ? { tls } : scheme === 'http' ? {} : { protocol: scheme as GatewayProtocol };
  if (path !== undefined)
    return !path.startsWith('/') || path.includes('\0') ? null : { host: '', port: 0, path, ...how };
  const port = digits === undefined ? (USUAL_PORTS[scheme] ?? 0) : Number(digits);
  if (port < 1 || port > 65535 || (address !== undefined && isIP(address) !== 6)) return null;
  return { host: address ?? name ?? '', port, ...how };
}

const USUAL_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

/** For people: `http://127.0.0.1:9000`, `https://app.internal`, `unix:/run/app.sock`, `uwsgi://unix:/run/app.sock`. */
export function backendName(backend: Backend): string {
  const { path, protocol, tls } = backend;
  const scheme = protocol ?? (tls === undefined ? 'http' : 'https');
  if (path !== undefined) return scheme === 'http' ? `unix:${path}` : `${scheme}://unix:${path}`;
  return `${scheme}://${backendAuthority(backend)}`;
}

/** The Host that names the backend itself: without the scheme's own port (RFC 9110 section 4.2), `localhost` on a Unix socket. */
export function backendAuthority({ host, port, path, tls, protocol }: Backend): string {
  if (path !== undefined) return 'localhost';
  const name = isIP(host) === 6 ? `[${host}]` : host;
  const usual = protocol === undefined ? (tls === undefined ? 80 : 443) : 0;
  return port === usual ? name : `${name}:${port}`;
}
