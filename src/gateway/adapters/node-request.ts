import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { HeaderList, Peer, Protocol, Request, RequestBody } from '../../http/message.ts';
import { nodeBody } from './node-body.ts';
import type { FrameworkRequest, Target } from './node-target.ts';

/** A request of Node's as the handlers of this server see it. */
export class NodeRequest implements Request {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly protocol: Protocol;
  readonly headers: HeaderList;
  readonly headersRepeat = true;
  readonly recurring = 0;
  readonly scriptName: string;
  readonly host: string;
  readonly body: RequestBody | null;
  readonly peer: Peer;
  readonly upgrades = false;
  onGone: (() => void) | null = null;
  readonly #response: ServerResponse;

  constructor(request: FrameworkRequest, response: ServerResponse, target: Target) {
    const { authority, path, query, scriptName } = target;
    const isHttp2 = request.httpVersionMajor === 2;
    this.method = request.method ?? 'GET';
    this.path = path;
    this.query = query;
    this.scriptName = scriptName;
    this.protocol = isHttp2 ? 'HTTP/2.0' : request.httpVersion === '1.0' ? 'HTTP/1.0' : 'HTTP/1.1';
    this.headers = isHttp2 ? withoutPseudoFields(request) : request.rawHeaders;
    this.host = authority || (request.headers.host ?? `${request.headers[':authority'] ?? ''}`);
    this.body = nodeBody(request);
    this.peer = peerOf(request);
    this.#response = response;
  }

  get gone(): boolean {
    return this.#response.destroyed || this.#response.closed;
  }
}

function withoutPseudoFields({ rawHeaders, headers }: FrameworkRequest): HeaderList {
  const fields: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (!name.startsWith(':')) fields.push(name, rawHeaders[i + 1] as string);
  }
  if (headers.host === undefined) fields.push('host', `${headers[':authority'] ?? ''}`);
  return fields;
}

/** Of each connection that has brought a request. */
const peers = new WeakMap<Socket, Peer>();

/** Express says in `ip` and `protocol` whom it takes the client for, as its setting `trust proxy` has it. */
function peerOf(request: FrameworkRequest): Peer {
  const { socket, ip, protocol } = request;
  let peer = peers.get(socket);
  if (peer === undefined) {
    peer = {
      remoteAddress: withoutPrefix(socket.remoteAddress),
      remotePort: socket.remotePort ?? 0,
      listener: 0,
      secure: 'encrypted' in socket && socket.encrypted === true,
      serverPort: socket.localPort === undefined ? '' : `${socket.localPort}`,
    };
    peers.set(socket, peer);
  }
  const secure = protocol === undefined ? peer.secure : protocol === 'https';
  const remoteAddress = ip === undefined || ip === socket.remoteAddress ? peer.remoteAddress : withoutPrefix(ip);
  if (secure === peer.secure && remoteAddress === peer.remoteAddress) return peer;
  const remotePort = remoteAddress === peer.remoteAddress ? peer.remotePort : 0;
  const serverPort = secure === peer.secure ? peer.serverPort : secure ? '443' : '80';
  return { ...peer, secure, remoteAddress, remotePort, serverPort };
}

/** IPv4 on an IPv6 listener is IPv4. */
function withoutPrefix(address = ''): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
