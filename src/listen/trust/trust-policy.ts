import { deriveRequest } from '../../http/derived-request.ts';
import type { HeaderList, Peer, Request } from '../../http/message.ts';
import { isRequestId } from '../../http/request-id.ts';
import { isHost } from '../../http/semantics/host.ts';
import { type ForwardedInfo, readForwarded, readXForwarded } from './forwarded-headers.ts';
import { fieldKind, onlyFields, ordinaryFields } from './proxy-fields.ts';
import { isTrusted, readTrustedValues, TRUSTED_VALUES, type TrustedValues } from './trusted-values.ts';

export interface TrustOptions {
  /** Whether the client with this numeric address ('' on a Unix socket) is a trusted proxy. Null: no client is. */
  readonly trusted: ((address: string) => boolean) | null;
  /** How many proxies in a row are trusted at most, including the one that connected. No limit when absent. */
  readonly hopsMax?: number;
  /**
   * What the proxies may state: `address`, `scheme`, `host`, `port`, `prefix`, `user`, and names of further X-Forwarded-*. `address`
   * and `scheme` by default. Fields about everything else are removed.
   */
  readonly values?: readonly string[];
  /** Which fields the proxies write. `any`, the default: X-Forwarded-* if there is such a field, else Forwarded. The others are removed. */
  readonly fields?: 'any' | 'x-forwarded' | 'forwarded';
  /** Called once for each kind of error in the fields of a trusted proxy. */
  readonly onIgnored?: (message: string, peer: Peer) => void;
}

const BAD_CHAIN = 'A trusted proxy sent an invalid chain of addresses; all its fields about the client are ignored';
const USER_LEFT_OUT =
  'A front-end proxy sent REMOTE_USER over FastCGI, which is left out, as it may be what the client claims. If the proxy checks passwords, add "user" to trusted_proxy_values';
const BAD_ORIGIN = 'A trusted proxy sent an invalid scheme, host or port; all three are ignored';

/** REMOTE_ADDR of a client whose proxy conceals the address: no client has this address (RFC 1122 section 3.2.1.3). */
const UNSPECIFIED = '0.0.0.0';

/**
 * Returns the function that handles the fields of proxies in each request: `Forwarded` (RFC 7239), `X-Forwarded-For`, `-Proto`, `-Host`,
 * `-Port` and `X-Real-IP`. If a trusted proxy sent them, and may state their values, they become the peer and host of the request.
 * Otherwise they are removed.
 *
 * Addresses are read from the right. The first address that is not a trusted proxy is the client; addresses left of it are ignored and not
 * passed on. If one of the addresses on this way is malformed, all fields of the proxy are ignored. An invalid scheme, host or port makes
 * the server ignore these three, but not the address, because a client can influence them more easily. REMOTE_USER over FastCGI counts
 * if the proxies may state the `user`. A request without any of these
 * fields is returned unchanged. `X-Request-ID` stays in the request; that of a trusted proxy also becomes the id in the request's record.
 */
export function trustProxies(options: TrustOptions): (request: Request) => Request {
  const { trusted, fields = 'any', hopsMax = Number.POSITIVE_INFINITY, onIgnored } = options;
  const values = readTrustedValues(options.values ?? TRUSTED_VALUES);
  const reported = new Set<string>();
  function reportOnce(message: string, peer: Peer): void {
    if (reported.has(message)) return;
    reported.add(message);
    onIgnored?.(message, peer);
  }

  function believedPeer(peer: Peer): Peer {
    if (peer.cgi === undefined || peer.cgi.user.length === 0 || isTrusted(values, 'REMOTE_USER')) return peer;
    reportOnce(USER_LEFT_OUT, peer);
    return { ...peer, cgi: { ...peer.cgi, user: [] } };
  }

  return function receive(request) {
    const { headers } = request;
    const peer = believedPeer(request.peer);
    let isForwarded = false;
    for (let i = 0; i < headers.length; i += 2) {
      const kind = fieldKind(headers[i] as string);
      if (kind === 'ordinary') continue;
      if (kind !== 'request id') isForwarded = true;
      else if (trusted?.(peer.remoteAddress) && isRequestId(headers[i + 1] as string))
        request.record.id = headers[i + 1] as string;
    }
    if (!isForwarded) return peer === request.peer ? request : deriveRequest(request, { peer });
    const cleaned = ordinaryFields(headers);
    if (trusted === null || !trusted(peer.remoteAddress)) return deriveRequest(request, { peer, headers: cleaned });
    const usesX = fields === 'x-forwarded' || (fields === 'any' && prefersX(request, values));
    const info = (usesX ? readXForwarded : readForwarded)(request, { trusted, hopsMax, values });
    if (info.client === 'malformed') {
      reportOnce(BAD_CHAIN, peer);
      return deriveRequest(request, { peer, headers: cleaned });
    }
    const origin = originOf(request, info);
    if (origin === null) reportOnce(BAD_ORIGIN, peer);
    const others = usesX ? onlyFields(headers, 'passed on', (name) => isTrusted(values, name)) : [];
    return deriveRequest(request, {
      peer: { ...connectionOf(peer), ...clientOf(info), ...origin?.peer },
      host: origin?.host ?? request.host,
      headers: [...cleaned, ...info.addressFields, ...(origin?.fields ?? []), ...others],
    });
  };
}

/** The properties of the connection that also hold for the client behind the proxy. A certificate is left out: it is the proxy's own. */
function connectionOf(peer: Peer): Peer {
  const { remoteAddress, remotePort, listener, secure, serverPort, localAddress, localPort, cgi } = peer;
  const connection = { remoteAddress, remotePort, listener, secure, serverPort, localAddress, localPort };
  return cgi === undefined ? connection : { ...connection, cgi };
}

function clientOf({ client }: ForwardedInfo): Partial<Peer> {
  if (client === null) return {};
  if (typeof client === 'string') return { remoteAddress: UNSPECIFIED, remotePort: 0 };
  return { remoteAddress: client.address, remotePort: client.port };
}

interface Origin {
  readonly peer: Partial<Peer>;
  readonly host: string;
  readonly fields: HeaderList;
}

/** The origin of the client's request (RFC 6454): scheme, host and port; null when one of them is malformed. */
function originOf(request: Request, { proto, host, port }: ForwardedInfo): Origin | null {
  const scheme = SCHEMES.get(proto.toLowerCase());
  if ((proto !== '' && scheme === undefined) || (host !== '' && !isHost(host)) || !isPort(port)) return null;
  if (proto === '' && host === '' && port === '') return { peer: {}, host: request.host, fields: [] };
  const secure = scheme === undefined ? request.peer.secure : scheme === 'https';
  const authority = host === '' ? request.host : host;
  const serverPort = port || (/:(\d+)$/.exec(authority)?.[1] ?? (secure ? '443' : '80'));
  const fields: string[] = [];
  if (host !== '' && request.host === '') fields.push('Host', host); // HTTP/1.0 allows requests without Host
  if (scheme !== undefined) fields.push('X-Forwarded-Proto', scheme);
  if (host !== '') fields.push('X-Forwarded-Host', host);
  if (port !== '') fields.push('X-Forwarded-Port', port);
  return { peer: { secure, serverPort }, host: authority, fields };
}

const SCHEMES: ReadonlyMap<string, 'http' | 'https'> = new Map([
  ['http', 'http'],
  ['https', 'https'],
  ['ws', 'http'],
  ['wss', 'https'],
]);

function isPort(text: string): boolean {
  return text === '' || (/^[1-9]\d{0,4}$/.test(text) && Number(text) <= 65535);
}

/** Whether X-Forwarded-* count: if the request has one that this server reads and trusts, or has no Forwarded. */
function prefersX({ headers }: Request, values: TrustedValues): boolean {
  let forwarded = false;
  for (let i = 0; i < headers.length; i += 2) {
    const kind = fieldKind(headers[i] as string);
    if (kind === 'read' && isTrusted(values, headers[i] as string)) return true;
    if (kind === 'forwarded') forwarded = true;
  }
  return !forwarded;
}
