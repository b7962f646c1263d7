import { isIP } from 'node:net';

/** Where a backend listens: a TCP address, or the path of a Unix socket. */
export interface Backend {
  /** A host name or a numeric address; an IPv6 address has no brackets. Unused when `path` is set. */
  readonly host: string;
  readonly port: number;
  /** Path of a Unix socket. It replaces `host` and `port`. */
  readonly path?: string;
  /** TLS options; absent for a backend without TLS. */
  readonly tls?: BackendTls;
  /** Protocol of the backend; HTTP/1.1 when absent. */
  readonly protocol?: 'http2' | CgiProtocol;
  /** Share of the requests relative to the other backends: a whole number, 1 when absent. */
  readonly weight?: number;
  /** A backup receives requests only when no other backend can be reached. */
  readonly backup?: boolean;
}

export interface BackendTls {
  /** The name that the certificate must contain, also sent as SNI; `host` when absent. */
  readonly serverName?: string;
  /** Certificates of trusted authorities in PEM. They replace the system's authorities. */
  readonly ca?: string | Buffer;
  /** The client certificate and its key in PEM, for a backend that requires one. */
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  /** False accepts any certificate. True when absent. */
  readonly verify?: boolean;
}

/** The protocols of application servers besides HTTP. */
export type CgiProtocol = 'uwsgi' | 'fastcgi' | 'scgi';

/** Syntax of a backend in the configuration. */
const BACKEND_FORM =
  /^(?:unix:(?<socket>.+)|(?<scheme>https?|h2c?|uwsgi|fastcgi|scgi):\/\/(?:unix:(?<path>.+)|(?:\[(?<address>[0-9A-Fa-f:.]+)\]|(?<name>[A-Za-z0-9._-]+))(?::(?<port>\d{1,5}))?\/?))$/;

/**
 * Parses a backend: `http://HOST`, `http://HOST:PORT`, `unix:PATH`, or `SCHEME://unix:PATH`. Besides `http`, the scheme
 * may be `https`, `h2c` (HTTP/2 without TLS), `h2` (HTTP/2 over TLS), `uwsgi`, `fastcgi` or `scgi`; the last three need a
 * port with a host. Returns null for anything else, such as a URL with a path, a query or a user. `tls` becomes the TLS
 * options of an `https` or `h2` backend.
 */
export function parseBackend(text: string, tls: BackendTls = {}): Backend | null {
  const { socket, scheme = 'http', path = socket, address, name, port: digits } = BACKEND_FORM.exec(text)?.groups ?? {};
  if (path === undefined && address === undefined && name === undefined) return null;
  const protocolOptions = protocolOptionsOf(scheme, tls);
  if (path !== undefined)
    return !path.startsWith('/') || path.includes('\0') ? null : { host: '', port: 0, path, ...protocolOptions };
  const port = digits === undefined ? (DEFAULT_PORTS[scheme] ?? 0) : Number(digits);
  if (port < 1 || port > 65535 || (address !== undefined && isIP(address) !== 6)) return null;
  return { host: address ?? name ?? '', port, ...protocolOptions };
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443, h2c: 80, h2: 443 };

function protocolOptionsOf(scheme: string, tls: BackendTls): Pick<Backend, 'tls' | 'protocol'> {
  switch (scheme) {
    case 'http':
      return {};
    case 'https':
      return { tls };
    case 'h2c':
      return { protocol: 'http2' };
    case 'h2':
      return { protocol: 'http2', tls };
    default:
      return { protocol: scheme as CgiProtocol };
  }
}

function schemeOf({ protocol, tls }: Backend): string {
  if (protocol === undefined) return tls === undefined ? 'http' : 'https';
  if (protocol === 'http2') return tls === undefined ? 'h2c' : 'h2';
  return protocol;
}

/**
 * The name in logs and commands: `http://127.0.0.1:9000`, `https://app.internal`, `unix:/run/app.sock`,
 * `uwsgi://unix:/run/app.sock`.
 */
export function backendName(backend: Backend): string {
  const { path } = backend;
  const scheme = schemeOf(backend);
  if (path !== undefined) return scheme === 'http' ? `unix:${path}` : `${scheme}://unix:${path}`;
  return `${scheme}://${backendAuthority(backend)}`;
}

/**
 * The backend's own Host value: without the default port of the scheme (RFC 9110 section 4.2), `localhost` for a Unix
 * socket.
 */
export function backendAuthority(backend: Backend): string {
  const { host, port, path } = backend;
  if (path !== undefined) return 'localhost';
  const name = isIP(host) === 6 ? `[${host}]` : host;
  return port === DEFAULT_PORTS[schemeOf(backend)] ? name : `${name}:${port}`;
}
