import { replaceFields } from '../http/derived-request.ts';
import { FieldNames } from '../http/field-names.ts';
import type { Handler, HandlerResult, Next } from '../http/handler.ts';
import type { HeaderList, Later, Request } from '../http/message.ts';
import { Response } from '../http/response.ts';
import { TRACE_FIELD } from '../trace/token.ts';
import type { Trace } from '../trace/trace.ts';
import { formatTraceParent } from '../trace/trace-context.ts';
import { compose } from './chain.ts';

/** What answers at the end of a chain. */
export interface ChainEnd {
  readonly name: string;
  readonly next: Next;
  /** The application behind it; absent without one. */
  readonly application?: string;
  /** Whether `next` is itself a chain that records its steps. */
  readonly recordsSteps?: boolean;
}

/**
 * Composes a chain twice: as `compose` does, and for requests that are traced, so that the others pay only for a comparison. In the second chain
 * each step is a span, and the fields of request and response are noted where they change.
 */
export function composeTraced(handlers: readonly Handler[], last: ChainEnd): Next {
  const plain = compose(handlers, last.next);
  const traced = compose(handlers.map(tracedHandler), tracedEnd(last));
  return (request) => (request.record.trace === null ? plain(request) : traced(request));
}

function tracedHandler(handler: Handler): Handler {
  const name = `handler ${handler.name}`;
  return (request, next) => {
    const { trace } = request.record;
    if (trace === null) return handler(request, next);
    const span = trace.begin('handler', handler.name);
    return watch(trace, span, name, () =>
      handler(request, (inner) => {
        if (inner.headers !== request.headers) trace.passedRequest(span, name, inner.headers);
        return next(inner);
      }),
    );
  };
}

/** The ends of chains that add `addedTraceParent` to the fields of a request themselves. */
const adding = new WeakSet<Next>();

/** Says that `next` adds `addedTraceParent` to the fields of a request, so that no request has to be derived for it. */
export function addsTraceParent(next: Next): Next {
  adding.add(next);
  return next;
}

function tracedEnd({ name, next, application = '', recordsSteps = false }: ChainEnd): Next {
  const adds = adding.has(next);
  return (request: Request) => {
    const { trace } = request.record;
    if (trace === null) return next(request);
    if (recordsSteps) return next(request);
    if (application !== '') trace.application = application;
    const span = trace.begin('handler', name);
    if (adds && !hasOwnFields(request.headers)) {
      trace.parentHop = trace.hops.length;
      trace.passedRequest(span, name, request.headers);
      return watch(trace, span, name, () => next(request));
    }
    const passed = withTraceParent(request, trace);
    trace.passedRequest(span, name, passed.headers);
    return watch(trace, span, name, () => next(passed));
  };
}

const OWN_FIELDS = new FieldNames(['traceparent', TRACE_FIELD]);
const OWN_FIELDS_AND_STATE = new FieldNames(['traceparent', 'tracestate', TRACE_FIELD]);

/** Whether a field has to be removed before the application gets the request. Most names differ in length already. */
function hasOwnFields(headers: HeaderList): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (OWN_LENGTHS.includes(name.length) && OWN_FIELDS_AND_STATE.has(name)) return true;
  }
  return false;
}

const OWN_LENGTHS = ['traceparent', 'tracestate', TRACE_FIELD].map(({ length }) => length);

/**
 * The request as applications and backends get it, so that their spans belong to this trace (W3C Trace Context). The state of a trace that others
 * started is passed on; a token for traces is not.
 */
function withTraceParent(request: Request, trace: Trace): Request {
  const names = trace.parentSpanId === null ? OWN_FIELDS_AND_STATE : OWN_FIELDS;
  return replaceFields(request, names, ['traceparent', formatTraceParent(trace.traceId, trace.spanId)]);
}

/** Ends the span when the step has answered, at once or later, and notes the fields of the response. */
function watch(trace: Trace, span: number, name: string, run: () => HandlerResult): HandlerResult {
  let result: HandlerResult;
  try {
    result = run();
  } catch (error) {
    failed(trace, span, error);
    throw error;
  }
  if (!(result instanceof Response)) return new WatchedResult(trace, span, name, result);
  answered(trace, span, name, result);
  return result;
}

function answered(trace: Trace, span: number, name: string, { status, lines }: Response): void {
  trace.passedResponse(span, name, status, lines);
  trace.end(span);
}

function failed(trace: Trace, span: number, error: unknown): void {
  trace.set(span, 'error', error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  trace.end(span);
}

/** A result that comes later, and ends its span then. */
class WatchedResult implements Later<Response> {
  readonly #trace: Trace;
  readonly #span: number;
  readonly #name: string;
  readonly #result: Later<Response>;

  constructor(trace: Trace, span: number, name: string, result: Later<Response>) {
    this.#trace = trace;
    this.#span = span;
    this.#name = name;
    this.#result = result;
  }

  // biome-ignore lint/suspicious/noThenProperty: callers wait for a later result through its `then`
  then(onValue: (response: Response) => unknown, onError: (error: unknown) => unknown): void {
    this.#result.then(
      (response) => {
        answered(this.#trace, this.#span, this.#name, response);
        onValue(response);
      },
      (error) => {
        failed(this.#trace, this.#span, error);
        onError(error);
      },
    );
  }
}
