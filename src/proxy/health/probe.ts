import { discardBody } from '../../http/http1/response-writer.ts';
import type { BodySink, Request } from '../../http/message.ts';
import { Response } from '../../http/response.ts';
import type { BackendProtocol } from '../upstream.ts';

/** What a backend must answer to count as healthy. */
export interface Expectation {
  readonly statuses: readonly (readonly [from: number, to: number])[];
  /** Must stand in the first `CONTENT_BYTES_MAX` bytes of the content; null when any content will do. */
  readonly body: string | null;
}

/** More of the content is not looked at. */
export const CONTENT_BYTES_MAX = 65536;

/** Sends `request` and resolves to null when the answer is as expected, otherwise to what is wrong with it. */
export async function probe(
  protocol: BackendProtocol,
  request: Request,
  expected: Expectation,
): Promise<string | null> {
  const result = protocol.send(request, []);
  const response = result instanceof Response ? result : await new Promise<Response>((ok, not) => result.then(ok, not));
  const { status, body } = response;
  if (!expected.statuses.some(([from, to]) => status >= from && status <= to)) {
    discardBody(body);
    return `it answered ${status}`;
  }
  const content = await readStart(request, response);
  return expected.body === null || content.includes(expected.body) ? null : `"${expected.body}" is not in its content`;
}

/** The first bytes of the content. More is not waited for, nor is anything once `request` is given up. */
function readStart(request: Request, { body }: Response): Promise<Buffer> {
  if (body === null || 'fd' in body) {
    discardBody(body);
    return Promise.resolve(Buffer.alloc(0));
  }
  if (body instanceof Uint8Array) return Promise.resolve(Buffer.from(body.subarray(0, CONTENT_BYTES_MAX)));
  return new Promise((resolve, reject) => {
    const blocks: Uint8Array[] = [];
    let length = 0;
    const cut = (): void => {
      body.cancel();
      resolve(Buffer.concat(blocks).subarray(0, CONTENT_BYTES_MAX));
    };
    request.onGone = cut;
    const sink: BodySink = {
      write(block) {
        blocks.push(block);
        length += block.length;
        if (length >= CONTENT_BYTES_MAX) cut();
      },
      end: () => resolve(Buffer.concat(blocks)),
      fail: reject,
    };
    body.start(sink);
  });
}
