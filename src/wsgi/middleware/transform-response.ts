import type { Environ, Header, Middleware, ResponseBody } from '../contract.ts';

/** The head of a response, as it is before it is sent. */
export interface ResponseStart {
  readonly status: string;
  readonly headers: readonly Header[];
}

/** What becomes of a response. */
export interface TransformedResponse {
  readonly status?: string;
  readonly headers?: readonly Header[];
  /** Makes other blocks of the content's, one by one. */
  readonly body?: (blocks: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
}

/** Decides what becomes of a response; undefined leaves it as it is. */
export type Transform = (response: ResponseStart, environ: Environ) => TransformedResponse | undefined;

/** Headers that say something of the content's bytes. */
const OF_CONTENT = new Set(['content-length', 'content-md5', 'digest', 'repr-digest', 'etag', 'accept-ranges']);

/**
 * Changes responses on their way: status, headers, and the content block by block, so that a stream stays one. Where the content changes, its length and
 * checksums are taken out of the headers.
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
      // It may be called as late as in the iteration.
      return hasStarted && change === undefined ? result : new ChangedBody(result, () => change);
    };
  };
}

function withoutLength(headers: readonly Header[]): Header[] {
  return headers.filter(([name]) => !OF_CONTENT.has(name.toLowerCase()));
}

/** A body whose blocks are changed; which way is only known when the first one is there. */
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
