import type { HeaderList, Peer, Request, RequestBody } from '../message.ts';
import type { RequestFields } from './request-fields.ts';

/** Sends an interim response on a request's stream, if the final one is still awaited. */
export type SendInterim = (status: number, lines: string) => void;

/** The request that a stream is. */
export class StreamRequest implements Request {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly protocol = 'HTTP/2.0';
  readonly headers: HeaderList;
  readonly headersRepeat: boolean;
  readonly recurring = 0;
  readonly scriptName = '';
  readonly host: string;
  readonly body: RequestBody | null;
  readonly peer: Peer;
  readonly upgrades = false;
  gone = false;
  onGone: (() => void) | null = null;
  readonly sendInterim: SendInterim;

  constructor(fields: RequestFields, body: RequestBody | null, peer: Peer, sendInterim: SendInterim) {
    this.method = fields.method;
    this.path = fields.target.path;
    this.query = fields.target.query;
    this.headers = fields.headers;
    this.headersRepeat = fields.headersRepeat;
    this.host = fields.framing.host;
    this.body = body;
    this.peer = peer;
    this.sendInterim = sendInterim;
  }
}
