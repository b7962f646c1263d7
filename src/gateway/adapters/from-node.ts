import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Request } from '../../http/message.ts';
import type { Response } from '../../http/response.ts';
import type { Application } from '../contract.ts';
import { applicationOf } from '../direct.ts';
import { incomingMessage } from './incoming-message.ts';
import { RequestSocket } from './request-socket.ts';
import { ResponseCapture } from './response-capture.ts';

/** What `http.createServer` takes: an Express app, Koa's `app.callback()`, Fastify's `app.routing`, Vite's `server.middlewares`. */
export type NodeListener = (request: IncomingMessage, response: ServerResponse) => unknown;

/**
 * Makes an application of a listener of Node's HTTP server, without a server or a port: it gets an `http.IncomingMessage` and an `http.ServerResponse` whose
 * socket ends here. Content streams in both directions, with back-pressure. When the client goes, both are destroyed and emit `close`, the request
 * `aborted`.
 *
 * Below a SCRIPT_NAME the listener sees what a handler of Connect's sees: `url` without it, `originalUrl`, and `baseUrl`. Framing is the server's:
 * hop-by-hop fields and trailers of the response are left out, `writeContinue` and `writeEarlyHints` send nothing. When the listener throws or
 * rejects, or destroys the response before it has begun, the answer is 500; after that it breaks off.
 */
export function fromNode(listener: NodeListener): Application {
  return applicationOf(function callListener(request) {
    return new Promise<Response>((resolve, reject) => call(listener, request, resolve, reject));
  });
}

function call(
  listener: NodeListener,
  request: Request,
  resolve: (response: Response) => void,
  reject: (error: unknown) => void,
): void {
  const socket = new RequestSocket(request.peer);
  const incoming = incomingMessage(request, socket);
  const capture = new ResponseCapture(incoming, socket, resolve, reject);
  const before = request.onGone;
  const gone = (): void => {
    before?.();
    capture.abort();
  };
  if (request.gone) gone();
  else request.onGone = gone;
  const fail = (error: unknown): void => capture.fail(error);
  try {
    const returned = listener(incoming, capture.response);
    if (returned instanceof Promise) returned.catch(fail);
  } catch (error) {
    fail(error);
  }
}
