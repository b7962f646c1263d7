import type { Environ, Header, Middleware, ResponseBody } from '../contract.ts';

/** The head of a response, before it is sent. */
export interface ResponseStart {
  /** Code and reason: `200 OK`. */
  readonly status: string;
  /** Header fields in order. */
  readonly headers: readonly Header[];
}

/** Changes of a response. An absent part stays as it is. */
export interface TransformedResponse {
  /** The new code and reason. */
  readonly status?: string;
  /** All new header fields. */
  readonly headers?: readonly Header[];
  /** Makes new blocks of the blocks of the content, one by one. */
  readonly body?: (blocks: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
}

/** Returns the changes of a response; undefined changes nothing. */
export type Transform = (response: ResponseStart, environ: Environ) => TransformedResponse | undefined;

/** Headers that describe the bytes of the content. */
const OF_CONTENT = new Set(['content-length', 'content-md5', 'digest', 'repr-digest', 'etag', 'accept-ranges']);

/**
 * Changes responses: status, headers, and the content block by block, so a stream stays a stream. If the content changes, the headers that describe its
 * bytes are removed: Content-Length, ETag, Accept-Ranges and digests.
 *
 * @example
 * ```ts
 * const shout = transformResponse(() => ({
 *   async *body(blocks) {
 *     for await (const block of blocks) yield Buffer.from(Buffer.from(block).toString().toUpperCase());
 *   },
 * }));
 * ```
 */
export function transformResponse(transform: Transform): Middleware {
  return function transformResponse(application) {
    return async (environ, startResponse) => {
      let change: TransformedResponse['body'];
      let hasStarted = false;
      const result = await application(environ, (status, headers, excInfo) => {
        const transformed = transform({ status, headers }, environ) ?? {};
        change = transformed.body;
        hasStarted = true;
        const kept = transformed.headers ?? headers;
        return startResponse(transformed.status ?? status, change === undefined ? kept : withoutLength(kept), excInfo);
      });
      // A generator calls start_response only when it is iterated.
      return hasStarted && change === undefined ? result : new ChangedBody(result, () => change);
    };
  };
}

function withoutLength(headers: readonly Header[]): Header[] {
  return headers.filter(([name]) => !OF_CONTENT.has(name.toLowerCase()));
}

/** A body whose blocks are changed. The change may be known only after the first block. */
class ChangedBody implements AsyncIterable<Uint8Array> {
  readonly #body: ResponseBody;
  readonly #change: () => TransformedResponse['body'];

  constructor(body: ResponseBody, change: () => TransformedResponse['body']) {
    this.#body = body;
    this.#change = change;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const blocks = this.#blocks();
    const first = await blocks.next();
    const change = this.#change();
    const all = (async function* () {
      if (first.done !== true) yield first.value;
      yield* blocks;
    })();
    yield* change === undefined ? all : change(all);
  }

  close(): void | Promise<void> {
    return this.#body.close?.();
  }

  async *#blocks(): AsyncGenerator<Uint8Array> {
    yield* this.#body;
  }
}
