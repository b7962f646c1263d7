import { once } from 'node:events';
import { type ClientRequest, request as clientRequest, type IncomingMessage } from 'node:http';
import { asError } from '../../errors.ts';
import { RequestBodyError } from '../../http/refusal.ts';
import { isHopByHop } from '../../http/response.ts';
import { EARLY_HINTS } from '../../http/semantics/status.ts';
import type { Application, Environ, Header, InputStream } from '../contract.ts';
import { NO_INPUT } from '../input-stream.ts';
import { formatStatus } from '../status.ts';
import { EmbeddedServer, type NodeListener } from './embedded-server.ts';
import { headersOf, targetOf } from './environ-target.ts';

/**
 * Makes an application of a listener of Node's `http` module: Express, Koa, Fastify, Vite. The listener gets the objects that `http` itself makes, over a
 * connection in memory, so frameworks work unchanged. Contents are streamed in both directions at the pace of the slower side. `close` and `aborted` are
 * emitted if the client leaves. `res.writeEarlyHints` calls `wsgi.early_hints`. `req.url` is the target as the client sent it. `req.socket` has the client's
 * address, and `encrypted` for https.
 *
 * What the listener throws or rejects with before its response starts is thrown by the application. A request to change the protocol (`Upgrade`) is answered
 * as if it had not outgoing.
 *
 * @example
 * ```ts
 * import express from 'express';
 * import { serve } from 'viaduct';
 * import { fromNode } from 'viaduct/adapters';
 *
 * const app = express();
 * app.get('/', (_request, response) => response.send('hello'));
 * await serve({ application: fromNode(app), port: 8000 });
 * ```
 */
export function fromNode(listener: NodeListener): Application {
  const server = new EmbeddedServer(listener);
  return async function nodeApplication(environ, startResponse) {
    const connection = server.connect({
      remoteAddress: environ.REMOTE_ADDR,
      remotePort: Number(environ.REMOTE_PORT) || 0,
      localPort: Number(environ.SERVER_PORT) || 0,
      encrypted: environ['wsgi.url_scheme'] === 'https',
    });
    const outgoing = clientRequest({
      method: environ.REQUEST_METHOD,
      path: targetOf(environ),
      createConnection: () => connection.socket,
      setHost: false,
    });
    setHeaders(outgoing, environ);
    outgoing.on('information', (interim) => {
      if (interim.statusCode === EARLY_HINTS) hint(outgoing, environ, responseHeaders(interim));
    });
    const stopWatching = whenGone(environ, () => outgoing.destroy());
    const failed = new Promise<never>((_, reject) => {
      outgoing.on('error', reject).once('close', () => reject(new Error('The listener has closed the connection')));
    });
    failed.catch(() => {}); // the request also closes after a response, when nothing waits for this any more
    const sending = send(outgoing, environ);
    try {
      const [response] = (await Promise.race([once(outgoing, 'response'), failed])) as [IncomingMessage];
      startResponse(formatStatus(response.statusCode ?? 200, response.statusMessage ?? ''), responseHeaders(response));
      return new NodeBody(response, () => {
        stopWatching();
        outgoing.destroy();
      });
    } catch (error) {
      stopWatching();
      outgoing.destroy();
      await sending;
      if (environ['viaduct.client']?.gone === true) throw new RequestBodyError(0, 'the client left');
      throw connection.failure ?? error;
    }
  };
}

function setHeaders(outgoing: ClientRequest, environ: Environ): void {
  for (const [name, value] of headersOf(environ)) if (!isHopByHop(name)) outgoing.setHeader(name, value);
  if (environ.HTTP_HOST === undefined) outgoing.setHeader('host', `${environ.SERVER_NAME}:${environ.SERVER_PORT}`);
  if (environ['wsgi.input'] === NO_INPUT) return;
  if (environ.CONTENT_LENGTH === undefined) outgoing.setHeader('transfer-encoding', 'chunked');
}

/** Sends the content at the pace at which the listener reads it. Never rejects. */
async function send(outgoing: ClientRequest, environ: Environ): Promise<void> {
  const input: InputStream = environ['wsgi.input'];
  try {
    if (input !== NO_INPUT) {
      outgoing.flushHeaders();
      for await (const block of input.blocks()) {
        if (outgoing.destroyed) return;
        if (!outgoing.write(block)) await room(outgoing);
        if (outgoing.destroyed) return;
      }
    }
    outgoing.end();
  } catch (error) {
    outgoing.destroy(asError(error));
  }
}

function room(outgoing: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      outgoing.off('drain', go).off('close', go);
      resolve();
    };
    outgoing.on('drain', go).on('close', go);
  });
}

function whenGone(environ: Environ, leave: () => void): () => void {
  const signal = environ['viaduct.client']?.signal;
  if (signal === undefined) return () => {};
  if (signal.aborted) leave();
  else signal.addEventListener('abort', leave, { once: true });
  return () => signal.removeEventListener('abort', leave);
}

/** Passes on the headers that `res.writeEarlyHints` has sent. */
function hint(outgoing: ClientRequest, environ: Environ, headers: readonly Header[]): void {
  try {
    environ['wsgi.early_hints']?.(headers);
  } catch (error) {
    outgoing.destroy(asError(error));
  }
}

function responseHeaders({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>): Header[] {
  const headers: Header[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    if (!isHopByHop(name)) headers.push([name, rawHeaders[i + 1] as string]);
  }
  return headers;
}

/** The content of a response. A block is read when it is outgoing for. */
class NodeBody implements AsyncIterable<Uint8Array> {
  readonly #response: IncomingMessage;
  readonly #end: () => void;

  constructor(response: IncomingMessage, end: () => void) {
    this.#response = response;
    this.#end = end;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.#response[Symbol.asyncIterator]();
  }

  close(): void {
    this.#end();
  }
}
