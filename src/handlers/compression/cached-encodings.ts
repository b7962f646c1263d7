import type { HandlerResult } from '../../http/handler.ts';
import { StandingResponse } from '../../http/prepared-response.ts';
import type { Response } from '../../http/response.ts';
import { changeResponse, responseFields } from '../../http/response-fields.ts';
import { codedFields, UNCODED_FIELDS, withCodingVary } from './coded-response.ts';
import type { Codec, Coding } from './codings.ts';

/**
 * The forms of responses that are given to many requests, such as small files: compressed once, in zlib's threads, and kept as long as
 * the response itself.
 */
export class StandingVariants {
  readonly #identity = new WeakMap<StandingResponse, Response>();
  readonly #coded = new WeakMap<StandingResponse, Map<Coding, Response | Promise<Response>>>();

  /** `response` as it is, for who does not take a coding. */
  identity(response: StandingResponse): Response {
    const known = this.#identity.get(response);
    if (known !== undefined) return known;
    const varied = withCodingVary(response);
    const made = varied === response ? response : standing(varied, response.body);
    this.#identity.set(response, made);
    return made;
  }

  /** `response` in `coding`, or as it is when that is no shorter. */
  coded(response: StandingResponse, coding: Coding, codec: Codec): HandlerResult {
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

  async #compress(response: StandingResponse, coding: Coding, codec: Codec): Promise<Response> {
    const { body } = response;
    const content = await codec.compressLater(body);
    if (content.length >= body.length) return this.identity(response);
    const set = ['Content-Length', `${content.length}`, ...codedFields(response, coding)];
    return standing(changeResponse(response, { set, remove: UNCODED_FIELDS, body: null }), content);
  }
}

function standing(response: Response, body: Buffer): StandingResponse {
  return new StandingResponse(response.status, responseFields(response), body);
}
