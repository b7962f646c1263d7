import type { BodySink, HeaderList, Request as Incoming, Peer, RequestBody } from '../../http/message.ts';
import { RequestBodyError } from '../../http/refusal.ts';

/** What a `Request` does not tell: who the client is. */
export interface FetchInfo {
  /** Numeric address; '' when absent. */
  readonly remoteAddress?: string;
  readonly remotePort?: number;
}

const NO_TRAILERS: HeaderList = [];

/** A `Request` of fetch as the handlers of this server see it. */
export class FetchRequest implements Incoming {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly protocol = 'HTTP/1.1';
  readonly headers: HeaderList;
  readonly headersRepeat = false;
  readonly recurring = 0;
  readonly scriptName: string;
  readonly host: string;
  readonly body: RequestBody | null;
  readonly peer: Peer;
  readonly upgrades = false;
  onGone: (() => void) | null = null;
  readonly #signal: AbortSignal;

  constructor(request: Request, info: FetchInfo, scriptName: string) {
    const url = new URL(request.url);
    const secure = url.protocol === 'https:';
    const headers: string[] = [];
    for (const [name, value] of request.headers) headers.push(name, value);
    this.method = request.method;
    this.path = url.pathname;
    this.query = url.search.slice(1);
    this.scriptName = scriptName;
    this.host = request.headers.get('host') ?? url.host;
    if (!request.headers.has('host')) headers.push('host', this.host);
    this.headers = headers;
    this.body = request.body === null ? null : new StreamBody(request.body, request.headers.get('content-length'));
    this.peer = {
      remoteAddress: info.remoteAddress ?? '',
      remotePort: info.remotePort ?? 0,
      listener: 0,
      secure,
      serverPort: url.port || (secure ? '443' : '80'),
    };
    this.#signal = request.signal;
  }

  get gone(): boolean {
    return this.#signal.aborted;
  }
}

/** Content that is pulled, for who wants it pushed. */
class StreamBody implements RequestBody {
  readonly length: number;
  readonly trailers = NO_TRAILERS;
  readonly #stream: ReadableStream<Uint8Array>;
  #reader: ReadableStreamDefaultReader<Uint8Array> | null = null;
  #state: 'flowing' | 'paused' | 'cancelled' = 'flowing';
  #resumed: (() => void) | null = null;

  constructor(stream: ReadableStream<Uint8Array>, length: string | null) {
    this.#stream = stream;
    this.length = length !== null && /^\d{1,15}$/.test(length) ? Number(length) : -1;
  }

  start(sink: BodySink): void {
    void this.#pump(sink);
  }

  pause(): void {
    if (this.#state === 'flowing') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state === 'paused') this.#state = 'flowing';
    this.#resumed?.();
  }

  cancel(): void {
    this.#state = 'cancelled';
    this.#resumed?.();
    const cancelled = this.#reader?.cancel() ?? this.#stream.cancel();
    cancelled.catch(() => {}); // who wrote the content is told; it cannot fail for us any more
  }

  async #pump(sink: BodySink): Promise<void> {
    try {
      const reader = this.#stream.getReader();
      this.#reader = reader;
      for (let step = await reader.read(); !step.done; step = await reader.read()) {
        if (this.#is('cancelled')) return;
        sink.write(step.value);
        while (this.#is('paused')) await this.#untilResumed();
        if (this.#is('cancelled')) return;
      }
      if (!this.#is('cancelled')) sink.end();
    } catch (error) {
      if (!this.#is('cancelled')) sink.fail(new RequestBodyError(400, (error as Error).message));
    }
  }

  #untilResumed(): Promise<void> {
    return new Promise((resolve) => {
      this.#resumed = resolve;
    });
  }

  /** A method, because it changes while it waits. */
  #is(state: 'paused' | 'cancelled'): boolean {
    return this.#state === state;
  }
}
