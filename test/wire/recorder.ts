import type { Handler } from '../../src/http/handler.ts';
import type { BodySource, HeaderList, Request, RequestBody } from '../../src/http/message.ts';
import { Response } from '../../src/http/response.ts';
import type { SeenRequest } from './case.ts';

export interface Recorder {
  readonly handle: Handler;
  /** Complete requests, in the order in which they became complete. */
  readonly seen: SeenRequest[];
}

/** The application of the wire cases: records what it receives, and answers as README.md defines. */
export function createRecorder(): Recorder {
  const seen: SeenRequest[] = [];
  const handle = async (request: Request): Promise<Response> => {
    if (request.path === '/answer/unread' || request.path === '/answer/refused') {
      seen.push(describe(request, '', []));
      return Response.text(request.path === '/answer/unread' ? 200 : 403, textOf(request));
    }
    const body = request.body === null ? '' : await readBody(request.body);
    seen.push(describe(request, body, request.body?.trailers ?? []));
    return answer(request);
  };
  return { handle, seen };
}

/** The content of an answer 200. It identifies the request, so that answers cannot be confused. */
export function textOf(request: { readonly method: string; readonly path: string }): string {
  return `${request.method} ${request.path}`;
}

async function answer(request: Request): Promise<Response> {
  switch (request.path) {
    case '/answer/slow':
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
      break;
    case '/answer/stream':
      return Response.fromHeaders(200, ['Content-Type', 'text/plain'], streamOf(['one ', 'two ', 'three']));
    case '/answer/length':
      return Response.fromHeaders(200, ['Content-Length', '1000'], null);
    case '/answer/204':
      return Response.fromHeaders(204, [], null);
    case '/answer/304':
      return Response.fromHeaders(304, ['ETag', '"a"'], null);
  }
  return Response.text(200, textOf(request));
}

function describe(request: Request, body: string, trailers: HeaderList): SeenRequest {
  const query = request.query === '' ? '' : `?${request.query}`;
  return {
    line: `${request.method} ${request.path}${query} ${request.protocol}`,
    headers: [...request.headers],
    host: request.host,
    body,
    trailers: [...trailers],
  };
}

function readBody(body: RequestBody): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    body.start({
      write: (block) => {
        text += Buffer.from(block).toString('latin1');
      },
      end: () => resolve(text),
      fail: reject,
    });
  });
}

function streamOf(blocks: readonly string[]): BodySource {
  let cancelled = false;
  return {
    start: async (sink) => {
      for (const block of blocks) {
        await new Promise(setImmediate);
        if (cancelled) return;
        sink.write(Buffer.from(block));
      }
      sink.end();
    },
    pause: () => {},
    resume: () => {},
    cancel: () => {
      cancelled = true;
    },
  };
}
