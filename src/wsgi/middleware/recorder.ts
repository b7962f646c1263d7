import type { Environ, Header, Middleware, ResponseBody } from '../contract.ts';
import { inputOf } from '../input-stream.ts';

/** One exchange as it is recorded: a line of JSON. Bytes are base64. */
export interface Recording {
  /** When it began, as ISO 8601. */
  readonly time: string;
  readonly request: {
    readonly method: string;
    /** Path and query as received. */
    readonly target: string;
    /** Variables of header fields: CONTENT_TYPE and HTTP_*. */
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  };
  readonly response: {
    readonly status: string;
    readonly headers: readonly Header[];
    readonly body: string;
  };
}

export interface RecorderOptions {
  /** Takes each exchange when its response is over: write `JSON.stringify(recording)` and a newline to a file, and it can be replayed. */
  readonly onRecorded: (recording: Recording) => void;
  /** Which requests are recorded. All by default. */
  readonly when?: (environ: Environ) => boolean;
  /** Bytes of one content, a request's or a response's; an exchange with more is not recorded. 1 MiB by default. */
  readonly bodyBytesMax?: number;
  /** Fields whose values are replaced by `***`. Authorization, Cookie, Set-Cookie and Proxy-Authorization by default. */
  readonly hidden?: readonly string[];
}

const HIDDEN = ['Authorization', 'Cookie', 'Set-Cookie', 'Proxy-Authorization'];

/**
 * Records requests with what was answered, to be looked at or replayed. A request's content is read before the application is called, as far as it may be
 * recorded; blocks of the response go on to the client as they come.
 */
export function recorder({
  onRecorded,
  when = () => true,
  bodyBytesMax = 1024 * 1024,
  hidden = HIDDEN,
}: RecorderOptions): Middleware {
  const secret = new Set(hidden.map((name) => name.toLowerCase()));
  return function recorder(application) {
    return async (environ, startResponse) => {
      if (!when(environ) || Number(environ.CONTENT_LENGTH ?? 0) > bodyBytesMax)
        return application(environ, startResponse);
      const time = new Date().toISOString();
      const content = await environ['wsgi.input'].read(bodyBytesMax + 1);
      const rest = environ['wsgi.input'];
      if (content.length > 0) environ['wsgi.input'] = inputOf(joined(content, rest.blocks()));
      const request = requestOf(environ, content, secret);
      let start: { status: string; headers: readonly Header[] } | null = null;
      const body = await application(environ, (status, headers, excInfo) => {
        start = {
          status,
          headers: headers.map(([name, value]) => [name, secret.has(name.toLowerCase()) ? '***' : value]),
        };
        return startResponse(status, headers, excInfo);
      });
      return new RecordedBody(body, bodyBytesMax, (blocks) => {
        if (start === null || content.length > bodyBytesMax) return;
        const response = { ...start, body: Buffer.concat(blocks).toString('base64') };
        onRecorded({ time, request, response });
      });
    };
  };
}

async function* joined(first: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  yield* rest;
}

function requestOf(environ: Environ, content: Uint8Array, secret: ReadonlySet<string>): Recording['request'] {
  const headers: Record<string, string> = {};
  for (const [key, value] of Object.entries(environ)) {
    if (typeof value !== 'string' || !(key.startsWith('HTTP_') || key === 'CONTENT_TYPE')) continue;
    headers[key] = secret.has(key.slice(5).toLowerCase().replaceAll('_', '-')) ? '***' : value;
  }
  const { REQUEST_METHOD: method, REQUEST_URI: target } = environ;
  return { method, target, headers, body: Buffer.from(content).toString('base64') };
}

/** A body whose blocks are kept beside, as long as they are not too many. */
class RecordedBody implements AsyncIterable<Uint8Array> {
  readonly #body: ResponseBody;
  readonly #bytesMax: number;
  readonly #onWhole: (blocks: readonly Uint8Array[]) => void;

  constructor(body: ResponseBody, bytesMax: number, onWhole: (blocks: readonly Uint8Array[]) => void) {
    this.#body = body;
    this.#bytesMax = bytesMax;
    this.#onWhole = onWhole;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const blocks: Uint8Array[] = [];
    let bytes = 0;
    for await (const block of this.#body) {
      bytes += block.length;
      if (bytes <= this.#bytesMax) blocks.push(Uint8Array.from(block));
      yield block;
    }
    if (bytes <= this.#bytesMax) this.#onWhole(blocks);
  }

  close(): void | Promise<void> {
    return this.#body.close?.();
  }
}
