import { type FieldNames, withoutFields } from './field-names.ts';
import type { BodySink, BodySource, HeaderList, RequestBody } from './message.ts';

/**
 * `body` without the trailer fields `names`. What a handler removes from the head of a message, or sets there, must not
 * come back behind the content: recipients may merge trailers into the head (RFC 9110 section 6.5.1).
 */
export function withholdTrailers(body: RequestBody, names: FieldNames): RequestBody;
export function withholdTrailers(body: BodySource, names: FieldNames): BodySource;
export function withholdTrailers(body: BodySource, names: FieldNames): BodySource {
  return names.size === 0 || body.trailers === undefined ? body : new WithheldTrailers(body, names);
}

class WithheldTrailers implements RequestBody {
  readonly length: number;
  readonly #body: BodySource;
  readonly #names: FieldNames;

  constructor(body: BodySource & Partial<Pick<RequestBody, 'length'>>, names: FieldNames) {
    this.length = body.length ?? -1;
    this.#body = body;
    this.#names = names;
  }

  get trailers(): HeaderList {
    const { trailers = [] } = this.#body;
    return trailers.length === 0 ? trailers : withoutFields(trailers, this.#names);
  }

  start(sink: BodySink): void {
    this.#body.start(sink);
  }

  pause(): void {
    this.#body.pause();
  }

  resume(): void {
    this.#body.resume();
  }

  cancel(): void {
    this.#body.cancel();
  }
}
