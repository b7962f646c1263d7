import type { StreamBody } from '../../http/http2/stream-body.ts';
import type { BodySink, BodySource, HeaderList } from '../../http/message.ts';

/** The stream as the content of its response sees it. */
export interface ResponseBodyOwner {
  /** The client takes content. */
  onWanted(): void;
  /** The client takes no content at present. */
  onPaused(): void;
  /** The client wants no more content. */
  onCancelled(): void;
}

/** The content of a response as the client's side sees it. The stream learns whether the client takes it. */
export class ResponseBody implements BodySource {
  readonly #body: StreamBody;
  readonly #owner: ResponseBodyOwner;

  constructor(body: StreamBody, owner: ResponseBodyOwner) {
    this.#body = body;
    this.#owner = owner;
  }

  get trailers(): HeaderList {
    return this.#body.trailers;
  }

  start(sink: BodySink): void {
    this.#owner.onWanted();
    this.#body.start(sink);
  }

  pause(): void {
    this.#body.pause();
    this.#owner.onPaused();
  }

  resume(): void {
    this.#owner.onWanted();
    this.#body.resume();
  }

  cancel(): void {
    this.#body.cancel();
    this.#owner.onCancelled();
  }
}
