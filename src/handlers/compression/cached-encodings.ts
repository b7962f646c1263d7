import type { HandlerResult } from '../../http/handler.ts';
import { PreparedResponse } from '../../http/prepared-response.ts';
import type { Response } from '../../http/response.ts';
import { changeResponse, responseFields } from '../../http/response-fields.ts';
import { codedFields, UNCODED_FIELDS, withCodingVary } from './coded-response.ts';
import type { Codec, Coding } from './codings.ts';

/**
 * Caches the compressed forms of responses that answer many requests, such as small files. Each form is compressed once, in zlib's threads, and kept as long as the
 * response itself.
 */
export class CachedEncodings {
  readonly #identity = new WeakMap<PreparedResponse, Response>();
  readonly #coded = new WeakMap<PreparedResponse, Map<Coding, Response | Promise<Response>>>();

  /** `response` uncompressed, for clients that accept no coding. */
  identity(response: PreparedResponse): Response {
    const known = this.#identity.get(response);
    if (known !== undefined) return known;
    const varied = withCodingVary(response);
    const made = varied === response ? response : prepared(varied, response.body);
    this.#identity.set(response, made);
    return made;
  }

  /** `response` in `coding`, or uncompressed if that is not shorter. */
  coded(response: PreparedResponse, coding: Coding, codec: Codec): HandlerResult {
    const forms = this.#coded.get(response) ?? new Map<Coding, Response | Promise<Response>>();
    const known = forms.get(coding);
    if (known !== undefined) return known;
    const made = this.#compress(response, coding, codec).then(
      (variant) => {
        forms.set(coding, variant);
        return variant;
      },
      (error) => {
        forms.delete(coding);
        throw error;
      },
    );
    this.#coded.set(response, forms.set(coding, made));
    return made;
  }

  async #compress(response: PreparedResponse, coding: Coding, codec: Codec): Promise<Response> {
    const { body } = response;
    const content = await codec.compressLater(body);
    if (content.length >= body.length) return this.identity(response);
    const set = ['Content-Length', `${content.length}`, ...codedFields(response, coding)];
    return prepared(changeResponse(response, { set, remove: UNCODED_FIELDS, body: null }), content);
  }
}

function prepared(response: Response, body: Buffer): PreparedResponse {
  return new PreparedResponse(response.status, responseFields(response), body);
}
