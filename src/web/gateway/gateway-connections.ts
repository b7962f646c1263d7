import type { Socket } from 'node:net';
import type { Variables } from '../../cgi/params.ts';
import { readScgiNetstring } from '../../cgi/scgi.ts';
import { readUwsgiPacket } from '../../cgi/uwsgi.ts';
import { refusalMessage } from '../../http/http1/response-head.ts';
import type { Peer } from '../../http/message.ts';
import { Refusal } from '../../http/refusal.ts';
import type { HttpLimits } from '../../http/transport/limits.ts';
import type { GatewayProtocol } from '../../listen/address.ts';
import { toldRequest } from '../../listen/cgi/cgi-request.ts';
import type { CarriedSocket } from '../../listen/cgi/cgi-request-socket.ts';
import { FastCgiCarrier } from '../../listen/cgi/fastcgi-connection.ts';
import { PacketCarrier } from '../../listen/cgi/packet-connection.ts';
import type { CarrierOwner, OpenCarrier } from './carrier-owner.ts';

export interface GatewayConnectionsOptions {
  /** Answers the requests, as connections of HTTP/1.0. */
  readonly http1: { accept(socket: Socket, listener: number, peer: Peer | null): void };
  /** As they are now. */
  readonly limits: () => HttpLimits;
  /** What came from `remoteAddress` is no request of the protocol, or none that is allowed. For the log. */
  readonly onRefused: (reason: string, remoteAddress: string) => void;
}

/** Beside the fields of a request a front tells where it came from and where things are. */
const OTHER_BYTES_MAX = 32_768;
const OTHER_COUNT_MAX = 100;

/** All connections of fronts that speak uwsgi, FastCGI or SCGI. */
export class GatewayConnections {
  readonly #options: GatewayConnectionsOptions;
  readonly #open = new Set<OpenCarrier>();
  #draining = false;

  constructor(options: GatewayConnectionsOptions) {
    this.#options = options;
  }

  accept(socket: Socket, listener: number, protocol: GatewayProtocol): void {
    const owner = this.#ownerFor(listener, socket.remoteAddress ?? '');
    this.#open.add(this.#carrier(socket, protocol, owner));
  }

  /** Closes idle connections now; busy ones close behind their response. */
  drain(): void {
    this.#draining = true;
    for (const carrier of this.#open) carrier.drain();
  }

  destroy(): void {
    this.#draining = true;
    for (const carrier of this.#open) carrier.destroy();
  }

  #carrier(socket: Socket, protocol: GatewayProtocol, owner: CarrierOwner): OpenCarrier {
    switch (protocol) {
      case 'uwsgi':
        return new PacketCarrier(socket, owner, readUwsgiPacket, 'http');
      case 'scgi':
        return new PacketCarrier(socket, owner, readScgiNetstring, 'cgi');
      case 'fastcgi':
        return new FastCgiCarrier(socket, owner);
    }
  }

  #ownerFor(listener: number, remoteAddress: string): CarrierOwner {
    const limits = this.#options.limits();
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
      begin: (carried, variables) => this.#begin(carried, variables, listener, remoteAddress),
      refused: (reason) => this.#options.onRefused(reason, remoteAddress),
      closed: (carrier) => this.#open.delete(carrier),
    };
  }

  #begin(carried: CarriedSocket, variables: Variables, listener: number, remoteAddress: string): void {
    const told = toldRequest(variables, listener);
    if (told instanceof Refusal) {
      this.#options.onRefused(told.reason, remoteAddress);
      carried.on('error', () => {});
      carried.end(refusalMessage(told), 'latin1');
      return;
    }
    this.#options.http1.accept(carried as unknown as Socket, listener, told.peer);
    carried.deliver(Buffer.from(told.head, 'latin1'));
  }
}
