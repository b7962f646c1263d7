import { IncomingRequest } from '../../http/http1/request.ts';
import { RequestHead } from '../../http/http1/request-head.ts';
import type { HeaderList, Peer, Request } from '../../http/message.ts';
import { Refusal } from '../../http/refusal.ts';
import { DEFAULT_LIMITS } from '../../http/transport/limits.ts';
import { AUTHORIZATION } from './detached-site.ts';

/** A request without content, as a client would send it. */
export interface DryRequest {
  /** The listener's address: `0.0.0.0:80`, `[::]:443`, `unix:/run/site.sock`. */
  readonly address: string;
  /** Whether the listener speaks https. */
  readonly secure: boolean;
  /** The client's numeric address; '' on a Unix socket. */
  readonly client: string;
  /** Whether the client knows a password, and services for authentication accept it. */
  readonly authorized: boolean;
  readonly method: string;
  /** The request-target as sent. */
  readonly target: string;
  /** Field lines, with Host. */
  readonly headers: HeaderList;
}

const CLIENT_PORT = 50_000;
/** Requests take what they need of it. */
const head = new RequestHead(DEFAULT_LIMITS);

/** Reads the request's bytes as a connection does. */
export function readRequest(asked: DryRequest, listener: number): Request | Refusal {
  const { headers } = asked;
  let lines = asked.authorized ? `Authorization: ${AUTHORIZATION}\r\n` : '';
  for (let i = 0; i < headers.length; i += 2) lines += `${headers[i]}: ${headers[i + 1]}\r\n`;
  const bytes = Buffer.from(`${asked.method} ${asked.target} HTTP/1.1\r\n${lines}\r\n`, 'latin1');
  head.reset(null);
  const progress = head.scan(bytes, 0, bytes.length);
  if (progress === 'incomplete') return new Refusal(400, 'the head is incomplete');
  const refusal = progress === 'complete' ? head.interpret(bytes, 0) : progress;
  if (refusal !== null) return refusal;
  const peer: Peer = {
    remoteAddress: asked.client,
    remotePort: CLIENT_PORT,
    listener,
    secure: asked.secure,
    serverPort: '',
  };
  return new IncomingRequest(head, null, peer, false, { sendInterim() {} });
}

export function isRefusal(request: Request | Refusal): request is Refusal {
  return request instanceof Refusal;
}
