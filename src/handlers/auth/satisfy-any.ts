import { ViaductError } from '../../errors.ts';
import { replaceFields } from '../../http/derived-request.ts';
import { FieldNames } from '../../http/field-names.ts';
import { type Handler, type HandlerResult, mapResponse, type Next } from '../../http/handler.ts';
import type { Request } from '../../http/message.ts';
import type { Response } from '../../http/response.ts';
import { changeResponse, responseFields } from '../../http/response-fields.ts';

/** A handler that passes a request on, or refuses it. */
export interface AccessCheck {
  /** The handler. */
  readonly handler: Handler;
  /** Request fields that only this check may set. A request that another check passed on does not have them. */
  readonly owns: readonly string[];
}

/**
 * Passes a request on as soon as one of `checks` does, like nginx with `satisfy any`. They are asked in order. If all of them
 * refuse with 401 or 403, a 401 is the answer rather than a 403, with the challenges of all (RFC 9110 section 11.6.1). Any
 * other answer of a check, such as a redirect or 502, is final.
 *
 * @throws ViaductError `SETTINGS` without checks, because then everybody could come in
 */
export function satisfyAny(checks: readonly AccessCheck[]): Handler {
  if (checks.length === 0) throw new ViaductError('SETTINGS', 'Cannot satisfy any of no checks: there must be one');
  const steps = checks.map(({ handler, owns }) => ({ handler, foreign: foreignTo(owns, checks) }));

  function ask(index: number, request: Request, next: Next, refusal: Response | null): HandlerResult {
    const step = steps[index];
    if (step === undefined) return refusal as Response;
    const { handler, foreign } = step;
    let isPassed = false;
    const result = handler(request, (passed) => {
      isPassed = true;
      return next(foreign.size === 0 ? passed : replaceFields(passed, foreign));
    });
    return mapResponse(result, (response) => {
      if (isPassed || (response.status !== 401 && response.status !== 403)) return response;
      return ask(index + 1, request, next, refusal === null ? response : stronger(refusal, response));
    });
  }

  const name = `any of ${checks.map(({ handler }) => handler.name).join(', ')}`;
  const satisfyAny: Handler = (request, next) => ask(0, request, next, null);
  return Object.defineProperty(satisfyAny, 'name', { value: name });
}

/** The fields that other checks own. */
function foreignTo(owns: readonly string[], checks: readonly AccessCheck[]): FieldNames {
  const own = new FieldNames(owns);
  return new FieldNames(checks.flatMap((check) => check.owns.filter((name) => !own.has(name))));
}

function stronger(refusal: Response, other: Response): Response {
  if (refusal.status !== 401) return other;
  return other.status === 401 ? changeResponse(refusal, { add: challengesOf(other) }) : refusal;
}

function challengesOf(response: Response): string[] {
  const fields = responseFields(response);
  return fields.filter((_, i) => (fields[i - (i % 2)] as string).toLowerCase() === 'www-authenticate');
}
