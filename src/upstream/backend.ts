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

/**
 * Reads `http://HOST`, `http://HOST:PORT`, the same with `https`, or `unix:PATH`. Null for anything else, such as a URL with a path, a query
 * or a user. `tls` is what an `https` backend gets.
 */
export function parseBackend(text: string, tls: BackendTls = {}): Backend | null {
  if (/^unix:\/[^\0]+$/.test(text)) return { host: '', port: 0, path: text.slice('unix:'.length) };
  const parts = /^(https?):\/\/(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?\/?$/.exec(text);
  if (parts === null) return null;
  const [, scheme, address, name, digits] = parts;
  const secure = scheme === 'https';
  const port = digits === undefined ? (secure ? 443 : 80) : Number(digits);
  if (port < 1 || port > 65535 || (address !== undefined && isIP(address) !== 6)) return null;
  const backend = { host: address ?? name ?? '', port };
  return secure ? { ...backend, tls } : backend;
}

/** For people: `http://127.0.0.1:9000`, `https://app.internal`, `unix:/run/app.sock`. */
export function backendName(backend: Backend): string {
  if (backend.path !== undefined) return `unix:${backend.path}`;
  return `${backend.tls === undefined ? 'http' : 'https'}://${backendAuthority(backend)}`;
}

/** The Host that names the backend itself: without the scheme's own port (RFC 9110 section 4.2), `localhost` on a Unix socket. */
export function backendAuthority({ host, port, path, tls }: Backend): string {
  if (path !== undefined) return 'localhost';
  const name = isIP(host) === 6 ? `[${host}]` : host;
  return port === (tls === undefined ? 80 : 443) ? name : `${name}:${port}`;
}
