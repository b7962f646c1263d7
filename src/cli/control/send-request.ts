import { type ClientRequest, type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { ViaductError } from '../../errors.ts';

/** A request as somebody typed it. */
export interface TypedRequest {
  readonly url: URL;
  readonly method: string;
  /** Name and value. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** Null for a request without content. */
  readonly content: string | null;
  /** Accepts any certificate. */
  readonly insecure: boolean;
}

export interface ReceivedAnswer {
  readonly status: number;
  /** The field `Server`; '' without it. */
  readonly server: string;
  readonly bytes: number;
}

/** An answer that takes longer than this, or is longer, is not waited for. */
const ANSWER_MS = 120_000;
const BYTES_MAX = 256 * 1024 * 1024;

/**
 * Sends a request, and resolves when its answer is complete. Redirects are not followed.
 *
 * @throws ViaductError `LISTEN` with the reason if there is no answer
 */
export function sendRequest({ url, method, fields, content, insecure }: TypedRequest): Promise<ReceivedAnswer> {
  const headers: Record<string, string[]> = {};
  for (const [name, value] of fields) headers[name] = [...(headers[name] ?? []), value];
  const given = new Set(fields.map(([name]) => name.toLowerCase()));
  if (!given.has('user-agent')) headers['User-Agent'] = ['viaduct-trace'];
  if (!given.has('accept')) headers.Accept = ['*/*'];
  if (content !== null && !given.has('content-type')) headers['Content-Type'] = ['application/x-www-form-urlencoded'];
  if (content !== null) headers['Content-Length'] = [`${Buffer.byteLength(content)}`];
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void =>
      reject(
        new ViaductError('LISTEN', `Cannot trace ${url.href}: ${reason}`, {
          advice: 'Check that the server listens there: viaduct status shows its addresses.',
        }),
      );
    const options: RequestOptions & { rejectUnauthorized?: boolean } = {
      method,
      headers,
      agent: false,
      timeout: ANSWER_MS,
    };
    let message: ClientRequest;
    try {
      message =
        url.protocol === 'https:'
          ? requestHttps(url, { ...options, rejectUnauthorized: !insecure })
          : requestHttp(url, options);
    } catch (error) {
      fail((error as Error).message); // a field that cannot be sent
      return;
    }
    message.on('response', (response) => {
      let bytes = 0;
      response.on('data', (block: Buffer) => {
        bytes += block.length;
        if (bytes > BYTES_MAX) message.destroy(new Error(`the answer is longer than ${BYTES_MAX} bytes`));
      });
      const done = (): void =>
        resolve({ status: response.statusCode ?? 0, server: String(response.headers.server ?? ''), bytes });
      response.on('end', done);
      response.on('error', done); // an answer that breaks off has a trace, too
    });
    message.on('timeout', () => message.destroy(new Error(`there is no answer within ${ANSWER_MS / 1000} s`)));
    message.on('error', (error: NodeJS.ErrnoException) => fail(error.message || (error.code ?? 'no connection')));
    message.end(content ?? undefined);
  });
}
