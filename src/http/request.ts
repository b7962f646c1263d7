import type { HeaderList, Peer, Request, RequestBody } from './message.ts';
import type { RequestHead } from './request-head.ts';

/** The request that a connection makes of a complete head. */
export class IncomingRequest implements Request {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly minorVersion: 0 | 1;
  readonly headers: HeaderList;
  readonly headersRepeat: boolean;
  readonly recurring: number;
  readonly host: string;
  readonly body: RequestBody | null;
  readonly peer: Peer;
  /** The client asks for another protocol (RFC 9110 section 7.8). */
  readonly upgrades: boolean;
  gone = false;
  onGone: (() => void) | null = null;

  constructor(head: RequestHead, body: RequestBody | null, peer: Peer, upgrades: boolean) {
    this.method = head.method;
    this.path = head.target.path;
    this.query = head.target.query;
    this.minorVersion = head.minorVersion;
    this.headers = head.headers;
    this.headersRepeat = head.headersRepeat;
    this.recurring = head.recurring;
    this.host = head.framing.host;
    this.body = body;
    this.peer = peer;
    this.upgrades = upgrades;
  }
}
