import type { Socket } from 'node:net';
import type { CgiParams } from '../../cgi/params.ts';
import { readScgiNetstring } from '../../cgi/scgi.ts';
import { readUwsgiPacket } from '../../cgi/uwsgi.ts';
import { refusalMessage } from '../../http/http1/response-head.ts';
import { Refusal } from '../../http/refusal.ts';
import { DEFAULT_LIMITS, type HttpLimits } from '../../http/transport/limits.ts';
import type { ConnectionHandler, OpenRequest, ProtocolServer } from '../../http/transport/protocol-server.ts';
import type { ConnectionChanges } from '../../http/transport/server-context.ts';
import type { CgiProtocol } from '../address.ts';
import type { CgiConnection, CgiConnectionOwner } from './cgi-connection.ts';
import { readCgiRequest } from './cgi-request.ts';
import type { CgiRequestSocket } from './cgi-request-socket.ts';
import { FastCgiConnection } from './fastcgi-connection.ts';
import { PacketConnection } from './packet-connection.ts';

export interface CgiServerOptions {
  /** Answers the requests, as connections of HTTP/1.0. */
  readonly http1: ConnectionHandler;
  /** Those that differ from `DEFAULT_LIMITS`. */
  readonly limits: Partial<HttpLimits>;
  /** Called when `remoteAddress` sent something that is not an acceptable request of the protocol. For the log. */
  readonly onRefused: (reason: string, remoteAddress: string) => void;
}

/** Room for parameters other than fields: front-end proxies also send addresses, paths and the like. */
const OTHER_BYTES_MAX = 32_768;
const OTHER_COUNT_MAX = 100;

/** All connections of front-end proxies that speak uwsgi, FastCGI or SCGI. */
export class CgiServer implements ProtocolServer {
  /** Each request is a connection of the HTTP/1.1 server, which counts it and waits for it. */
  readonly size = 0;
  readonly #protocol: CgiProtocol;
  readonly #options: CgiServerOptions;
  #limits: HttpLimits;
  readonly #open = new Set<CgiConnection>();
  #draining = false;

  constructor(protocol: CgiProtocol, options: CgiServerOptions) {
    this.#protocol = protocol;
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
  }

  /** The socket's address is the proxy's. Each request says who its client is. */
  accept(socket: Socket, listener: number): void {
    const owner = this.#ownerFor(listener, socket.remoteAddress ?? '');
    this.#open.add(this.#connectionFor(socket, owner));
  }

  /** The HTTP/1.1 server has them. */
  requests(): readonly OpenRequest[] {
    return [];
  }

  reconfigure({ limits }: ConnectionChanges): void {
    if (limits !== undefined) this.#limits = { ...DEFAULT_LIMITS, ...limits };
  }

  drain(): Promise<void> {
    this.#draining = true;
    for (const connection of this.#open) connection.drain();
    return Promise.resolve();
  }

  destroy(): void {
    this.#draining = true;
    for (const connection of this.#open) connection.destroy();
  }

  #connectionFor(socket: Socket, owner: CgiConnectionOwner): CgiConnection {
    switch (this.#protocol) {
      case 'uwsgi':
        return new PacketConnection(socket, owner, readUwsgiPacket, 'http');
      case 'scgi':
        return new PacketConnection(socket, owner, readScgiNetstring, 'cgi');
      case 'fastcgi':
        return new FastCgiConnection(socket, owner);
    }
  }

  #ownerFor(listener: number, remoteAddress: string): CgiConnectionOwner {
    const limits = this.#limits;
    const isDraining = (): boolean => this.#draining;
    return {
      limits: {
        bytesMax: limits.headerBytesMax + 2 * limits.requestLineBytesMax + OTHER_BYTES_MAX,
        countMax: limits.headerCountMax + OTHER_COUNT_MAX,
      },
      headerTimeoutMs: limits.headerTimeoutMs,
      keepAliveTimeoutMs: limits.keepAliveTimeoutMs,
      get draining() {
        return isDraining();
      },
      begin: (requestSocket, variables) => this.#begin(requestSocket, variables, listener, remoteAddress),
      refused: (reason) => this.#options.onRefused(reason, remoteAddress),
      closed: (connection) => this.#open.delete(connection),
    };
  }

  #begin(requestSocket: CgiRequestSocket, variables: CgiParams, listener: number, remoteAddress: string): void {
    const cgiRequest = readCgiRequest(variables, listener, this.#protocol);
    if (cgiRequest instanceof Refusal) {
      this.#options.onRefused(cgiRequest.reason, remoteAddress);
      requestSocket.on('error', () => {});
      requestSocket.end(refusalMessage(cgiRequest), 'latin1');
      return;
    }
    this.#options.http1.accept(requestSocket as unknown as Socket, listener, cgiRequest.peer);
    requestSocket.deliver(Buffer.from(cgiRequest.head, 'latin1'));
  }
}
