import type { Request } from '../../src/http/message.ts';

const PEER = { remoteAddress: '192.0.2.7', remotePort: 50_000, listener: 0, secure: false, serverPort: '' };

/** A parsed request, for the logs. */
export function request(parts: Partial<Request> = {}): Request {
  return {
    method: 'GET',
    path: '/',
    query: '',
    protocol: 'HTTP/1.1',
    scriptName: '',
    upgrades: false,
    headers: [],
    headersRepeat: false,
    recurring: 0,
    host: 'example.org',
    body: null,
    peer: PEER,
    gone: false,
    onGone: null,
    sendInterim() {},
    ...parts,
  };
}

/** All bytes that a latin-1 string can hold. */
export const ALL_BYTES = String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code));
