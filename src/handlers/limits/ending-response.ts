import type { BodySink, BodySource, FileBody, HeaderList } from '../../http/message.ts';
import { Response } from '../../http/response.ts';
import { responseField, responseFields } from '../../http/response-fields.ts';
import { UpgradeResponse } from '../../http/upgrade-response.ts';

/**
 * Calls `onEnd` once, when the server holds no more resources for `response`: at once if its content is in memory or absent, when a file is released, when a
 * stream has ended, failed or was cancelled, and when the socket of an upgrade is closed. Returns the response to use instead.
 */
export function onResponseEnd(response: Response, onEnd: () => void): Response {
  if (response instanceof UpgradeResponse) return endingUpgrade(response, onEnd);
  const { status, reason, lines, contentLength, has, body } = response;
  if (body === null || body instanceof Uint8Array) {
    onEnd();
    return response;
  }
  const ending = 'fd' in body ? endingFile(body, onEnd) : new EndingSource(body, onEnd);
  return new Response(status, reason, lines, contentLength, has, ending);
}

function endingFile(file: FileBody, onEnd: () => void): FileBody {
  const { fd, start, end } = file;
  function release(): void {
    file.release();
    onEnd();
  }
  return { fd, start, end, release };
}

function endingUpgrade(response: UpgradeResponse, onEnd: () => void): Response {
  const fields = responseFields(response);
  const headers = fields.filter(
    (_, i) => !['connection', 'upgrade'].includes((fields[i & ~1] as string).toLowerCase()),
  );
  return new UpgradeResponse(responseField(response, 'upgrade') ?? '', headers, (socket, early) => {
    if (socket.destroyed) onEnd();
    else socket.once('close', onEnd);
    response.onSocket(socket, early);
  });
}

/** A stream that calls `onEnd` when it is over. */
class EndingSource implements BodySource, BodySink {
  readonly #source: BodySource;
  readonly #onEnd: () => void;
  #sink: BodySink | null = null;
  #over = false;

  constructor(source: BodySource, onEnd: () => void) {
    this.#source = source;
    this.#onEnd = onEnd;
  }

  get trailers(): HeaderList {
    return this.#source.trailers ?? [];
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    this.#source.start(this);
  }

  pause(): void {
    this.#source.pause();
  }

  resume(): void {
    this.#source.resume();
  }

  cancel(): void {
    this.#source.cancel();
    this.#end();
  }

  write(block: Uint8Array): void {
    this.#sink?.write(block);
  }

  end(): void {
    this.#end();
    this.#sink?.end();
  }

  fail(error: Error): void {
    this.#end();
    this.#sink?.fail(error);
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#onEnd();
  }
}
