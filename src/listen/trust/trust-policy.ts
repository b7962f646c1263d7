import { deriveRequest } from '../../http/derived-request.ts';
import type { HeaderList, Peer, Request } from '../../http/message.ts';
import { isHost } from '../../http/semantics/host.ts';
import { type Claim, readForwarded, readXForwarded } from './forwarded-headers.ts';
import { fieldKind, hasClaims, onlyFields } from './proxy-fields.ts';

export interface TrustOptions {
  /** Whether the client with this numeric address, '' for one on a Unix socket, is a proxy whose word is taken. Null: nobody is. */
  readonly trusted: ((address: string) => boolean) | null;
  /** At most so many proxies in a row are believed, the one that connected counted; as many as are trusted when absent. */
  readonly hopsMax?: number;
  /** Which fields the proxies write. `any`, the default: X-Forwarded-* where there is one of them, else Forwarded. The others are removed. */
  readonly fields?: 'any' | 'x-forwarded' | 'forwarded';
  /** Told once for each kind of mistake in what a trusted proxy sent. */
  readonly onIgnored?: (message: string, peer: Peer) => void;
}

const BAD_CHAIN = 'A trusted proxy sent a chain of addresses that is none; all that it says of the client is ignored';
const BAD_ORIGIN = 'A trusted proxy sent a scheme, host or port that is none; these three are ignored';

/** REMOTE_ADDR of a client whose proxy keeps its address to itself: one that nobody has (RFC 1122 section 3.2.1.3). */
const UNSPECIFIED = '0.0.0.0';

/**
 * Makes the first step of every request: what `Forwarded` (RFC 7239), `X-Forwarded-For`, `-Proto`, `-Host`, `-Port` and `X-Real-IP` say of
 * the client becomes the request's peer and host where a trusted proxy sent them, and all of them go where anybody else did.
 *
 * Addresses are read from the right, past trusted proxies, to the first that is not one: that is the client, and nothing left of it counts or
 * is passed on. Where one of those read is malformed, all that the proxy says is ignored. Scheme, host and port, which a client
 * reaches more easily, are ignored together and leave the address as it is. A request without such fields is returned as it came.
 */
export function trustProxies(options: TrustOptions): (request: Request) => Request {
  const { trusted, fields = 'any', hopsMax = Number.POSITIVE_INFINITY, onIgnored } = options;
  const told = new Set<string>();
  function ignore(message: string, peer: Peer): void {
    if (told.has(message)) return;
    told.add(message);
    onIgnored?.(message, peer);
  }

  return function receive(request) {
    const { headers, peer } = request;
    if (!hasClaims(headers)) return request;
    const cleaned = onlyFields(headers, 'ordinary');
    if (trusted === null || !trusted(peer.remoteAddress)) return deriveRequest(request, { headers: cleaned });
    const usesX = fields === 'x-forwarded' || (fields === 'any' && prefersX(request));
    const claim = (usesX ? readXForwarded : readForwarded)(request, { trusted, hopsMax });
    if (claim.client === 'malformed') {
      ignore(BAD_CHAIN, peer);
      return deriveRequest(request, { headers: cleaned });
    }
    const origin = originOf(request, claim);
    if (origin === null) ignore(BAD_ORIGIN, peer);
    const others = usesX ? onlyFields(headers, 'passed on') : [];
    return deriveRequest(request, {
      peer: { ...aboutProxy(peer), ...clientOf(claim), ...origin?.peer },
      host: origin?.host ?? request.host,
      headers: [...cleaned, ...claim.addressFields, ...(origin?.fields ?? []), ...others],
    });
  };
}

/** What is true of the connection whoever is behind it; not what else its peer proved, such as a certificate, which is the proxy's own. */
function aboutProxy({ remoteAddress, remotePort, listener, secure, serverPort }: Peer): Peer {
  return { remoteAddress, remotePort, listener, secure, serverPort };
}

function clientOf({ client }: Claim): Partial<Peer> {
  if (client === null) return {};
  if (typeof client === 'string') return { remoteAddress: UNSPECIFIED, remotePort: 0 };
  return { remoteAddress: client.address, remotePort: client.port };
}

interface Origin {
  readonly peer: Partial<Peer>;
  readonly host: string;
  readonly fields: HeaderList;
}

/** The origin that the client asked for (RFC 6454): scheme, host and port; null when one of them is malformed. */
function originOf(request: Request, { proto, host, port }: Claim): Origin | null {
  const scheme = SCHEMES.get(proto.toLowerCase());
  if ((proto !== '' && scheme === undefined) || (host !== '' && !isHost(host)) || !isPort(port)) return null;
  if (proto === '' && host === '' && port === '') return { peer: {}, host: request.host, fields: [] };
  const secure = scheme === undefined ? request.peer.secure : scheme === 'https';
  const authority = host === '' ? request.host : host;
  const serverPort = port || (/:(\d+)$/.exec(authority)?.[1] ?? (secure ? '443' : '80'));
  const fields: string[] = [];
  if (host !== '' && request.host === '') fields.push('Host', host); // HTTP/1.0 knows requests without one
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

/** Whether X-Forwarded-* count: where there is any that is read, or no Forwarded. */
function prefersX({ headers }: Request): boolean {
  let forwarded = false;
  for (let i = 0; i < headers.length; i += 2) {
    const kind = fieldKind(headers[i] as string);
    if (kind === 'read') return true;
    if (kind === 'forwarded') forwarded = true;
  }
  return !forwarded;
}
