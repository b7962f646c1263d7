import type { Trace } from '../../trace/trace.ts';
import type { HeaderList, Peer, Protocol, Request, RequestBody, RequestRecord } from '../message.ts';
import type { RequestHead } from './request-head.ts';

/** The connection as its requests see it. */
export interface InterimSender {
  /** Sends an interim response to `request`, if the final response is still awaited. */
  sendInterim(request: IncomingRequest, status: number, lines: string): void;
}

/** The request that a connection makes from a complete head. It is its own record, so that no further object is needed. */
export class IncomingRequest implements Request, RequestRecord {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly received: string;
  /** 0 for HTTP/1.0, 1 for HTTP/1.1. */
  readonly minorVersion: 0 | 1;
  readonly headers: HeaderList;
  readonly headersRepeat: boolean;
  readonly headerCacheId: number;
  readonly scriptName: string;
  readonly host: string;
  readonly body: RequestBody | null;
  readonly peer: Peer;
  readonly upgrades: boolean;
  worker = 0;
  queueUs = -1;
  pythonUs = -1;
  reason = '';
  id = '';
  route = '';
  lines = '';
  trace: Trace | null = null;
  gone = false;
  onGone: (() => void) | null = null;
  readonly #sender: InterimSender;

  constructor(head: RequestHead, body: RequestBody | null, peer: Peer, upgrades: boolean, sender: InterimSender) {
    this.method = head.method;
    this.path = head.target.path;
    this.query = head.target.query;
    this.received = head.target.received;
    this.minorVersion = head.minorVersion;
    this.headers = head.headers;
    this.headersRepeat = head.headersRepeat;
    this.headerCacheId = head.headerCacheId;
    this.host = head.framing.host;
    this.body = body;
    this.peer = peer;
    this.scriptName = peer.cgi === undefined ? '' : peer.cgi.scriptName;
    this.upgrades = upgrades;
    this.#sender = sender;
  }

  get protocol(): Protocol {
    return this.peer.cgi?.protocol ?? (this.minorVersion === 1 ? 'HTTP/1.1' : 'HTTP/1.0');
  }

  get record(): RequestRecord {
    return this;
  }

  sendInterim(status: number, lines: string): void {
    this.#sender.sendInterim(this, status, lines);
  }
}
