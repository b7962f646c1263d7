import type { Trace } from '../../trace/trace.ts';
import type { HeaderList, Peer, Request, RequestBody, RequestRecord } from '../message.ts';
import type { RequestSection } from './request-section.ts';

/** The stream as its request sees it. */
export interface InterimSender {
  /** Sends an interim response, if the final response is still awaited. */
  sendInterim(status: number, lines: string): void;
}

/** The request of a stream. It is its own record, so that no further object is needed. */
export class StreamRequest implements Request, RequestRecord {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly received: string;
  readonly headers: HeaderList;
  readonly headersRepeat: boolean;
  readonly neverIndexed: ReadonlySet<string> | null;
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

  constructor(section: RequestSection, body: RequestBody | null, peer: Peer, sender: InterimSender) {
    this.method = section.method;
    this.path = section.path;
    this.query = section.query;
    this.received = section.received;
    this.headers = section.headers;
    this.headersRepeat = section.headersRepeat;
    this.neverIndexed = section.neverIndexed;
    this.host = section.host;
    this.body = body;
    this.peer = peer;
    this.upgrades = section.isWebSocket;
    this.#sender = sender;
  }

  get protocol(): 'HTTP/2.0' {
    return 'HTTP/2.0';
  }

  get headerCacheId(): number {
    return 0;
  }

  get scriptName(): string {
    return '';
  }

  get record(): RequestRecord {
    return this;
  }

  sendInterim(status: number, lines: string): void {
    this.#sender.sendInterim(status, lines);
  }
}
