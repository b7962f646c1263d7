import type { ServerResponse } from 'node:http';
import { ViaductError } from '../../errors.ts';
import type { BodySink, BodySource } from '../../http/message.ts';
import type { Response } from '../../http/response.ts';
import { discardBody } from '../../http/response-writer.ts';
import { sourceOf } from './body-of.ts';
import { eachField } from './header-pairs.ts';

/** Fields that the framework around may have set for itself: these are added to, all others are replaced. */
const ADDED_TO = new Set(['set-cookie', 'vary']);

/**
 * Sends `answer` through Node's `response`, as slowly as the client reads. `onError` is told when its content ends before it is complete; the connection is
 * cut then.
 */
export function sendThroughNode(
  answer: Response,
  response: ServerResponse,
  method: string,
  onError: (error: Error) => void,
): void {
  const { body, status, contentLength } = answer;
  if (response.destroyed) {
    discardBody(body);
    return;
  }
  setHead(answer, response);
  if (body === null || method === 'HEAD' || status === 204 || status === 304) {
    discardBody(body);
    if (method === 'HEAD' && contentLength < 0 && body !== null && 'length' in body && body.length > 0)
      response.setHeader('Content-Length', body.length);
    response.end();
  } else if (body instanceof Uint8Array && (contentLength < 0 || contentLength === body.length)) response.end(body);
  else {
    const sender = new NodeSender(response, contentLength, onError);
    if (body instanceof Uint8Array) {
      sender.write(body);
      sender.end();
    } else sender.start(sourceOf(body));
  }
}

function setHead({ status, reason, lines }: Response, response: ServerResponse): void {
  response.statusCode = status;
  if (reason !== '' && response.req.httpVersionMajor < 2) response.statusMessage = reason;
  const seen = new Set<string>();
  eachField(lines, (name, value) => {
    const lower = name.toLowerCase();
    if (seen.has(lower) || ADDED_TO.has(lower)) response.appendHeader(name, value);
    else response.setHeader(name, value);
    seen.add(lower);
  });
}

class NodeSender implements BodySink {
  readonly #response: ServerResponse;
  readonly #onError: (error: Error) => void;
  /** Bytes of a declared length still to come; -1 without one. */
  #left: number;
  #source: BodySource | null = null;
  #state: 'flowing' | 'paused' | 'over' = 'flowing';

  constructor(response: ServerResponse, contentLength: number, onError: (error: Error) => void) {
    this.#response = response;
    this.#left = contentLength;
    this.#onError = onError;
  }

  start(source: BodySource): void {
    this.#source = source;
    const response = this.#response;
    response.on('drain', () => {
      if (this.#state !== 'paused') return;
      this.#state = 'flowing';
      source.resume();
    });
    response.on('close', () => this.#cancel());
    response.flushHeaders();
    source.start(this);
  }

  write(block: Uint8Array): void {
    if (this.#state === 'over' || block.length === 0) return;
    const excess = this.#left >= 0 && block.length > this.#left;
    const part = excess ? block.subarray(0, this.#left) : block;
    if (this.#left >= 0) this.#left -= part.length;
    const more = part.length === 0 || this.#response.write(part);
    if (excess) {
      this.#cancel();
      this.#response.end();
    } else if (!more && this.#state === 'flowing') {
      this.#state = 'paused';
      this.#source?.pause();
    }
  }

  end(): void {
    if (this.#state === 'over') return;
    if (this.#left > 0) {
      const message = `Cannot complete a response: ${this.#left} bytes of its Content-Length are missing`;
      this.fail(new ViaductError('RESPONSE_INVALID', message));
      return;
    }
    this.#state = 'over';
    this.#response.end();
  }

  fail(error: Error): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#response.destroy();
    this.#onError(error);
  }

  #cancel(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#source?.cancel();
  }
}
