import type { Handler, HandlerResult } from '../../src/http/handler.ts';
import type { HeaderList, Peer, Request } from '../../src/http/message.ts';
import { newRecord } from '../../src/http/request-record.ts';
import { Response } from '../../src/http/response.ts';

/** A request as a handler receives it: `GET /` for test.example from 192.0.2.1, with `changes`. */
export function requestOf(changes: Partial<Omit<Request, 'peer'>> & { readonly peer?: Partial<Peer> } = {}): Request {
  const peer = {
    remoteAddress: '192.0.2.1',
    remotePort: 5000,
    listener: 0,
    secure: false,
    serverPort: '',
    ...changes.peer,
  };
  return {
    method: 'GET',
    path: '/',
    query: '',
    protocol: 'HTTP/1.1',
    headers: ['Host', 'test.example'],
    headersRepeat: false,
    headerCacheId: 7,
    scriptName: '',
    host: 'test.example',
    body: null,
    upgrades: false,
    record: newRecord(),
    gone: false,
    onGone: null,
    sendInterim() {},
    ...changes,
    peer,
  };
}

/** Calls `handler`. Returns its response and the request that it passed on, if any. The next handler answers with `response`. */
export async function pass(
  handler: Handler,
  request: Request,
  response: Response = Response.text(200, 'application'),
): Promise<{ readonly response: Response; readonly passed: Request | null }> {
  let passed: Request | null = null;
  const next = (nextRequest: Request): HandlerResult => {
    passed = nextRequest;
    return response;
  };
  const result = handler(request, next);
  const answer =
    result instanceof Response
      ? result
      : await new Promise<Response>((resolve, reject) => result.then(resolve, reject));
  return { response: answer, passed };
}

/** The values of the field `name` in a header list, in order. */
export function valuesOf(headers: HeaderList, name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if ((headers[i] as string).toLowerCase() === name.toLowerCase()) values.push(headers[i + 1] as string);
  }
  return values;
}

/** All bytes that a latin-1 string can hold. */
export const ALL_BYTES = String.fromCharCode(...Array.from({ length: 256 }, (_, code) => code));
