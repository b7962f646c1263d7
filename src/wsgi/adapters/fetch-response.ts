import { ReadableStream } from 'node:stream/web';
import { ViaductError } from '../../errors.ts';
import type { Response as HttpResponse } from '../../http/response.ts';
import { discardBody, knownLength } from '../../http/semantics/response-content.ts';
import { reasonPhrase } from '../../http/semantics/status.ts';
import { PassedBody } from '../passed-body.ts';
import { readHeaders } from '../response-headers.ts';
import type { FetchRequest } from './fetch-request.ts';

/** Statuses whose `Response` must not have content (Fetch standard, null body status). */
const NULL_BODY = new Set([204, 205, 304]);

/**
 * `response` as a `Response` of the fetch standard.
 *
 * @throws ViaductError `HEADER_INVALID` for a status that such a response cannot have
 */
export function fetchResponse(request: FetchRequest, response: HttpResponse): Response {
  const { status, reason, body } = response;
  if (status > 599) {
    discardBody(body);
    throw new ViaductError('HEADER_INVALID', `Cannot make a Response of status ${status}: it must be 200 to 599`);
  }
  const headers = new Headers();
  for (const [name, value] of readHeaders(response)) headers.append(name, value);
  const init = { status, statusText: reason === '' ? reasonPhrase(status) : reason, headers };
  if (request.method === 'HEAD' || NULL_BODY.has(status)) {
    const length = request.method === 'HEAD' && response.contentLength < 0 ? knownLength(response) : 0;
    if (length > 0) headers.set('content-length', `${length}`);
    discardBody(body);
    return new Response(null, init);
  }
  if (body === null || body instanceof Uint8Array) return new Response(body as Uint8Array<ArrayBuffer> | null, init);
  return new Response(streamOf(request, new PassedBody(body)) as globalThis.ReadableStream<Uint8Array>, init);
}

/** The content. A block is read when the stream asks for it. */
function streamOf(request: FetchRequest, body: PassedBody): ReadableStream<Uint8Array> {
  const iterator = body[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        request.onGone = () => {
          body.close();
          controller.error(new DOMException('The client has left', 'AbortError'));
        };
      },
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (request.gone) return;
        if (done === true) {
          request.onGone = null;
          body.close();
          controller.close();
        } else controller.enqueue(value);
      },
      cancel() {
        request.onGone = null;
        body.close();
        request.leave();
      },
    },
    { highWaterMark: 0 },
  );
}
