import type { IncomingMessage } from 'node:http';
import { ViaductError } from '../../errors.ts';
import type { BodySink, HeaderList, RequestBody } from '../../http/message.ts';
import { RequestBodyError } from '../../http/refusal.ts';
import type { FrameworkRequest } from './node-target.ts';

const NO_TRAILERS: HeaderList = [];

/**
 * The content of a request of Node's; null when it has none. If a body parser has read it already, what counts are the bytes that it kept: `rawBody`, or
 * a `body` that is a Buffer, as `express.raw()` leaves it.
 *
 * @throws ViaductError `CONTRACT` when they are not there: what a parser made of them cannot be turned back.
 */
export function nodeBody(request: FrameworkRequest): RequestBody | null {
  const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
  if (length === '0' || (length === undefined && coding === undefined && !streams(request))) return null;
  if (!request.readableDidRead) return new NodeBody(request, length === undefined ? -1 : Number(length));
  const bytes = request.rawBody ?? request.body;
  if (bytes instanceof Uint8Array) return new KeptBody(bytes);
  throw new ViaductError(
    'CONTRACT',
    `Cannot pass on the content of ${request.method} ${request.url}: a body parser has read it before`,
    {
      advice:
        'Mount the application before the body parser, or let the parser keep the bytes: express.json({ verify: (request, response, bytes) => { request.rawBody = bytes } }).',
    },
  );
}

/** HTTP/2 has content without either field. */
function streams(request: IncomingMessage): boolean {
  return (
    request.httpVersionMajor === 2 && !request.readableEnded && request.method !== 'GET' && request.method !== 'HEAD'
  );
}

class NodeBody implements RequestBody {
  readonly length: number;
  readonly trailers = NO_TRAILERS;
  readonly #request: IncomingMessage;
  #sink: BodySink | null = null;

  constructor(request: IncomingMessage, length: number) {
    this.#request = request;
    this.length = length;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    const request = this.#request;
    request.on('end', this.#end);
    request.on('error', this.#fail);
    request.on('close', this.#close);
    request.on('data', this.#data);
  }

  pause(): void {
    this.#request.pause();
  }

  resume(): void {
    this.#request.resume();
  }

  /** What still comes is read and dropped, so that the connection can be used again. */
  cancel(): void {
    this.#release();
    this.#request.on('error', () => {});
    this.#request.resume();
  }

  readonly #data = (block: Buffer): void => this.#sink?.write(block);

  readonly #end = (): void => this.#release()?.end();

  readonly #fail = (error: Error): void => {
    this.#request.on('error', () => {});
    this.#release()?.fail(new RequestBodyError(400, error.message));
  };

  readonly #close = (): void => this.#release()?.fail(new RequestBodyError(400, 'the client broke off'));

  #release(): BodySink | null {
    const request = this.#request;
    const sink = this.#sink;
    this.#sink = null;
    request.off('end', this.#end);
    request.off('error', this.#fail);
    request.off('close', this.#close);
    request.off('data', this.#data);
    return sink;
  }
}

/** Content that is here in full. */
class KeptBody implements RequestBody {
  readonly length: number;
  readonly trailers = NO_TRAILERS;
  readonly #bytes: Uint8Array;
  #sink: BodySink | null = null;
  #state: 'whole' | 'flowing' | 'paused' = 'whole';

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.length = bytes.length;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    this.#state = 'flowing';
    sink.write(this.#bytes);
    this.#end();
  }

  pause(): void {
    this.#state = 'paused';
  }

  resume(): void {
    this.#state = 'flowing';
    this.#end();
  }

  cancel(): void {
    this.#sink = null;
  }

  #end(): void {
    if (this.#state !== 'flowing') return;
    const sink = this.#sink;
    this.#sink = null;
    sink?.end();
  }
}
