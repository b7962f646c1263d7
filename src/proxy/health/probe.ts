import type { BodySink, Request } from '../../http/message.ts';
import { Response } from '../../http/response.ts';
import { discardBody } from '../../http/semantics/response-content.ts';
import type { UpstreamClient } from '../upstream.ts';

/** The response of a healthy backend. */
export interface Expectation {
  readonly statuses: readonly (readonly [from: number, to: number])[];
  /** Must occur in the first `CONTENT_BYTES_MAX` bytes of the content; null accepts any content. */
  readonly body: string | null;
}

/** Later content is not examined. */
export const CONTENT_BYTES_MAX = 65536;

/** Sends `request`. Resolves to null for the expected response, otherwise to the problem. */
export async function probe(client: UpstreamClient, request: Request, expected: Expectation): Promise<string | null> {
  const result = client.send(request, []);
  const response =
    result instanceof Response
      ? result
      : await new Promise<Response>((resolve, reject) => result.then(resolve, reject));
  const { status, body } = response;
  if (!expected.statuses.some(([from, to]) => status >= from && status <= to)) {
    discardBody(body);
    return `it answered ${status}`;
  }
  const content = await readStart(request, response);
  return expected.body === null || content.includes(expected.body)
    ? null
    : `its content does not contain "${expected.body}"`;
}

/** The first bytes of the content. Reading stops at the limit and when `request` is cancelled. */
function readStart(request: Request, { body }: Response): Promise<Buffer> {
  if (body === null || 'fd' in body) {
    discardBody(body);
    return Promise.resolve(Buffer.alloc(0));
  }
  if (body instanceof Uint8Array) return Promise.resolve(Buffer.from(body.subarray(0, CONTENT_BYTES_MAX)));
  return new Promise((resolve, reject) => {
    const blocks: Uint8Array[] = [];
    let length = 0;
    const stop = (): void => {
      body.cancel();
      resolve(Buffer.concat(blocks).subarray(0, CONTENT_BYTES_MAX));
    };
    request.onGone = stop;
    const sink: BodySink = {
      write(block) {
        blocks.push(block);
        length += block.length;
        if (length >= CONTENT_BYTES_MAX) stop();
      },
      end: () => resolve(Buffer.concat(blocks)),
      fail: reject,
    };
    body.start(sink);
  });
}
