import type { Handler, HandlerResult } from '../../src/http/handler.ts';
import type { HeaderList, Peer, Request } from '../../src/http/message.ts';
import { Response } from '../../src/http/response.ts';

/** A request as a handler sees it: GET / of http://test.example from 192.0.2.1, but for `changes`. */
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
    recurring: 7,
    scriptName: '',
    host: 'test.example',
    body: null,
    upgrades: false,
    gone: false,
    onGone: null,
    sendInterim() {},
    ...changes,
    peer,
  };
}

/** The response of `handler`, and the request that it passed on, if it did. What it passes on is answered with `response`. */
export async function pass(
  handler: Handler,
  request: Request,
  response: Response = Response.text(200, 'application'),
): Promise<{ readonly response: Response; readonly passed: Request | null }> {
  let passed: Request | null = null;
  const next = (given: Request): HandlerResult => {
    passed = given;
    return response;
  };
  const result = handler(request, next);
  const answer =
    result instanceof Response
      ? result
      : await new Promise<Response>((resolve, reject) => result.then(resolve, reject));
  return { response: answer, passed };
}

/** Values of the field `name` in a list, in order. */
export function valuesOf(headers: HeaderList, name: string): string[] {
  const values: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    if ((headers[i] as string).toLowerCase() === name.toLowerCase()) values.push(headers[i + 1] as string);
  }
  return values;
}
