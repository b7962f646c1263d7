import { once } from 'node:events';
import { type ClientRequest, request as clientRequest, type IncomingMessage } from 'node:http';
import { RequestBodyError } from '../../http/refusal.ts';
import { isHopByHop } from '../../http/response.ts';
import { EARLY_HINTS } from '../../http/semantics/status.ts';
import type { Application, Environ, Header, InputStream } from '../contract.ts';
import { NO_INPUT } from '../input-stream.ts';
import { formatStatus } from '../status.ts';
import { InnerServer, type NodeListener } from './embedded-server.ts';
import { headersOf, targetOf } from './environ-target.ts';

/**
 * Makes an application of a listener of Node's `http` module. It gets the objects that `http` itself makes, over a connection that stays in memory: all that
 * frameworks do with them works, the content flows both ways at the pace of the slower side, and `close` and `aborted` come when the client leaves.
 * `res.writeEarlyHints` becomes `wsgi.early_hints`, `req.url` is the target as the client sent it, and `req.socket` tells the client's address and whether it speaks https.
 *
 * What the listener throws, or rejects with, before its response begins is thrown by the application. A request for another protocol (`Upgrade`) is
 * answered without it.
 */
export function fromNode(listener: NodeListener): Application {
  const server = new InnerServer(listener);
  return async function nodeApplication(environ, startResponse) {
    const visit = server.connect({
      remoteAddress: environ.REMOTE_ADDR,
      remotePort: Number(environ.REMOTE_PORT) || 0,
      localPort: Number(environ.SERVER_PORT) || 0,
      encrypted: environ['wsgi.url_scheme'] === 'https',
    });
    const asked = clientRequest({
      method: environ.REQUEST_METHOD,
      path: targetOf(environ),
      createConnection: () => visit.socket,
      setHost: false,
    });
    setHeaders(asked, environ);
    asked.on('information', (interim) => {
      if (interim.statusCode === EARLY_HINTS) hint(asked, environ, responseHeaders(interim));
    });
    const stopWatching = whenGone(environ, () => asked.destroy());
    const failed = new Promise<never>((_, reject) => {
      asked.on('error', reject).once('close', () => reject(new Error('The listener has closed the connection')));
    });
    failed.catch(() => {}); // it comes with every response, too, when that is there
    const sending = send(asked, environ);
    try {
      const [response] = (await Promise.race([once(asked, 'response'), failed])) as [IncomingMessage];
      startResponse(formatStatus(response.statusCode ?? 200, response.statusMessage ?? ''), responseHeaders(response));
      return new NodeBody(response, () => {
        stopWatching();
        asked.destroy();
      });
    } catch (error) {
      stopWatching();
      asked.destroy();
      await sending;
      if (environ['viaduct.client']?.gone === true) throw new RequestBodyError(0, 'the client left');
      throw visit.failure ?? error;
    }
  };
}

function setHeaders(asked: ClientRequest, environ: Environ): void {
  for (const [name, value] of headersOf(environ)) if (!isHopByHop(name)) asked.setHeader(name, value);
  if (environ.HTTP_HOST === undefined) asked.setHeader('host', `${environ.SERVER_NAME}:${environ.SERVER_PORT}`);
  if (environ['wsgi.input'] === NO_INPUT) return;
  if (environ.CONTENT_LENGTH === undefined) asked.setHeader('transfer-encoding', 'chunked');
}

/** Sends the content at the pace at which it is read. Never rejects. */
async function send(asked: ClientRequest, environ: Environ): Promise<void> {
  const input: InputStream = environ['wsgi.input'];
  try {
    if (input !== NO_INPUT) {
      asked.flushHeaders();
      for await (const block of input.blocks()) {
        if (asked.destroyed) return;
        if (!asked.write(block)) await room(asked);
        if (asked.destroyed) return;
      }
    }
    asked.end();
  } catch (error) {
    asked.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

function room(asked: ClientRequest): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      asked.off('drain', go).off('close', go);
      resolve();
    };
    asked.on('drain', go).on('close', go);
  });
}

function whenGone(environ: Environ, leave: () => void): () => void {
  const signal = environ['viaduct.client']?.signal;
  if (signal === undefined) return () => {};
  if (signal.aborted) leave();
  else signal.addEventListener('abort', leave, { once: true });
  return () => signal.removeEventListener('abort', leave);
}

/** Passes on what `res.writeEarlyHints` has sent. */
function hint(asked: ClientRequest, environ: Environ, headers: readonly Header[]): void {
  try {
    environ['wsgi.early_hints']?.(headers);
  } catch (error) {
    asked.destroy(error instanceof Error ? error : new Error(String(error)));
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

/** The content of a response, a block when one is asked for. */
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
