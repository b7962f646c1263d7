import type { Environ, Header, Middleware, ResponseBody } from '../contract.ts';
import { inputOf } from '../input-stream.ts';

/** A recorded request with its response, as plain data for JSON. Contents are base64. */
export interface Recording {
  /** The time at which the request started, in ISO 8601. */
  readonly time: string;
  /** The request. */
  readonly request: {
    /** Method as received. */
    readonly method: string;
    /** Path and query as received. */
    readonly target: string;
    /** Variables of header fields: CONTENT_TYPE and HTTP_*. */
    readonly headers: Readonly<Record<string, string>>;
    /** The content in base64. */
    readonly body: string;
  };
  /** The response. */
  readonly response: {
    /** Code and reason: `200 OK`. */
    readonly status: string;
    /** Header fields in order. */
    readonly headers: readonly Header[];
    /** The content in base64. */
    readonly body: string;
  };
}

/** Options of `recorder`. */
export interface RecorderOptions {
  /** Receives each recording when its response has ended. `replayer` reads a file with one line of JSON for each recording. */
  readonly onRecorded: (recording: Recording) => void;
  /** Returns whether a request is recorded. By default every request is. */
  readonly when?: (environ: Environ) => boolean;
  /** Bytes of the content of a request or of a response. If either is larger, neither is recorded. 1 MiB by default. */
  readonly bodyBytesMax?: number;
  /** Names of fields whose values are recorded as `***`. Authorization, Cookie, Set-Cookie and Proxy-Authorization by default. */
  readonly hidden?: readonly string[];
}

const HIDDEN = ['Authorization', 'Cookie', 'Set-Cookie', 'Proxy-Authorization'];

/**
 * Records requests and responses, to be inspected or replayed. The content of a request is read before the application is called, up to `bodyBytesMax`.
 * Blocks of the response reach the client as they come.
 *
 * @example
 * ```ts
 * const file = createWriteStream('recording.jsonl', { flags: 'a' });
 * const record = recorder({ onRecorded: (recording) => file.write(`${JSON.stringify(recording)}\n`) });
 * ```
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
      const following = environ['wsgi.input'].blocks();
      if (content.length > 0) environ['wsgi.input'] = inputOf(joined(content, following));
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

async function* joined(first: Uint8Array, following: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  yield* following;
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

/** A body whose blocks are also kept, unless there are too many. */
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
