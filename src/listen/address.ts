import { ViaductError } from '../errors.ts';
import type { SocketAccess } from './unix-socket.ts';

/** The protocols besides HTTP by which a front-end proxy passes requests to an application server. */
export type CgiProtocol = 'uwsgi' | 'fastcgi' | 'scgi';

interface AddressOptions {
  /** The CGI protocol of the address; HTTP when absent. */
  readonly protocol?: CgiProtocol;
  /** The address uses TLS. */
  readonly secure?: true;
  /** Each connection starts with a PROXY header. */
  readonly proxyProtocol?: true;
}

interface AddressFamily {
  /** An address of all IPv6 hosts takes no connections by IPv4. */
  readonly ipv6Only?: true;
}

/** An address to listen on: a TCP host and port, the path of a Unix socket, or a descriptor inherited from a service manager. */
export type Address = AddressOptions &
  (
    | ({ readonly kind: 'tcp'; readonly host: string; readonly port: number } & AddressFamily)
    | ({ readonly kind: 'unix'; readonly path: string } & SocketAccess)
    | { readonly kind: 'fd'; readonly fd: number }
  );

const FORM = /^(?:(https?|uwsgi|fastcgi|scgi):\/\/)?([^?]*)(?:\?(.*))?$/s;
const OWNER = /^([^:]*)(?::([^:]*))?$/;

/**
 * Reads `8000` (on 127.0.0.1), `HOST:PORT`, `[::1]:PORT`, `unix:PATH` or `fd:3`. A scheme may precede it: `http://`, `https://`,
 * `uwsgi://`, `fastcgi://` or `scgi://`. After `http://` and `https://` a host needs no port. Options may follow: `?proxy_protocol=on`,
 * for all IPv6 hosts `ipv6only=on`, and for a Unix socket `mode=660` and `owner=USER:GROUP`.
 *
 * @throws ViaductError `USAGE` for any other text.
 */
export function parseAddress(text: string): Address {
  const [, scheme = '', endpoint = '', query] = FORM.exec(text) ?? [];
  const address = parseEndpoint(endpoint, scheme) ?? refuse(text, 'it is not a valid address');
  const options = query === undefined ? {} : parseOptions(text, query, address);
  return { ...address, ...schemeOptions(scheme), ...options };
}

function schemeOptions(scheme: string): AddressOptions {
  if (scheme === 'https') return { secure: true };
  return scheme === '' || scheme === 'http' ? {} : { protocol: scheme as CgiProtocol };
}

function parseEndpoint(endpoint: string, scheme: string): Address | null {
  const unix = /^unix:(.+)$/s.exec(endpoint);
  if (unix !== null) return { kind: 'unix', path: unix[1] as string };
  const fd = /^fd:(\d{1,6})$/.exec(endpoint);
  if (fd !== null) return { kind: 'fd', fd: Number(fd[1]) };
  const authority = !scheme.startsWith('http') ? endpoint : withPort(endpoint.replace(/\/$/, ''), scheme);
  const tcp = /^(?:(?:\[([0-9A-Fa-f:.%a-z]+)\]|([^:[\]\s/]*)):)?(\d{1,5})$/.exec(authority);
  const port = Number(tcp?.[3]);
  if (tcp === null || port > 65535) return null;
  return { kind: 'tcp', host: tcp[1] ?? (tcp[2] === '' ? '0.0.0.0' : (tcp[2] ?? '127.0.0.1')), port };
}

/** Adds the default port of the scheme to a URL without a port. */
function withPort(authority: string, scheme: string): string {
  const hasPort = /^\d+$|:\d*$/.test(authority.replace(/^\[[^\]]*\]/, ''));
  return hasPort || authority === '' ? authority : `${authority}:${scheme === 'https' ? 443 : 80}`;
}

function parseOptions(text: string, query: string, address: Address): AddressOptions & AddressFamily & SocketAccess {
  const options: { proxyProtocol?: true; ipv6Only?: true; mode?: number; owner?: SocketAccess['owner'] & object } = {};
  const isUnix = address.kind === 'unix';
  const isAllIpv6 = address.kind === 'tcp' && address.host === '::';
  for (const pair of query.split('&')) {
    const [, name = '', value = ''] = /^([^=]*)=(.*)$/s.exec(pair) ?? [];
    const owner = OWNER.exec(value);
    if (name === 'proxy_protocol' && value === 'on') options.proxyProtocol = true;
    else if (name === 'proxy_protocol' && value === 'off') delete options.proxyProtocol;
    else if (isAllIpv6 && name === 'ipv6only' && value === 'on') options.ipv6Only = true;
    else if (isAllIpv6 && name === 'ipv6only' && value === 'off') delete options.ipv6Only;
    else if (isUnix && name === 'mode' && /^0?[0-7]{3}$/.test(value)) options.mode = Number.parseInt(value, 8);
    else if (isUnix && name === 'owner' && value !== '' && owner !== null)
      options.owner = { user: owner[1] || null, group: owner[2] || null };
    else refuse(text, `"${pair}" is not an option of ${isUnix ? 'a Unix socket' : 'this address'}`);
  }
  return options;
}

function refuse(text: string, state: string): never {
  throw new ViaductError('USAGE', `Cannot listen on "${text}": ${state}`, {
    advice:
      'Write 8000, HOST:PORT, [::1]:PORT, unix:PATH or fd:3. ' +
      'Put https:// before it for TLS, or uwsgi://, fastcgi:// or scgi:// for these protocols. ' +
      'Options follow it: ?proxy_protocol=on, for [::] also ?ipv6only=on, and for a Unix socket also ?mode=660&owner=USER:GROUP.',
  });
}
