import { traceClock } from './clock.ts';
import type {
  ApplicationPart,
  ExceptionPart,
  Frame,
  Hop,
  Raise,
  RequestPart,
  ResponsePart,
  RoutePart,
  Span,
  TraceDocument,
} from './document.ts';
import { groupedEnviron } from './environ-groups.ts';
import { fieldsOf } from './field-lines.ts';
import { Malformed } from './marshal-reader.ts';
import { neighbourNotes } from './neighbours.ts';
import type { PythonFields } from './python-log.ts';
import { type PythonPart, readPythonPart } from './python-part.ts';
import { summarizeQueries } from './query-summary.ts';
import type { RecordedException, RecordedFrame, RecordedRaise } from './recorded-exception.ts';
import { redactField, redactNamed, redactSource, redactTarget, redactText } from './redact.ts';
import { type PlacedSpans, placedSpans, shownSpans } from './spans-of.ts';
import { timeParts } from './time-parts.ts';
import { addedTraceParent } from './trace-context.ts';
import type { TracedRequest, TraceRecord } from './trace-record.ts';

/** Makes what is shown of a trace: Python's record is decoded, everything is on one clock, and secrets are redacted. */
export function documentOf(trace: TraceRecord): TraceDocument {
  const decoded = trace.payload === null ? null : readPythonPart(trace.payload);
  const python = decoded instanceof Malformed ? null : decoded;
  const placed = placedSpans(trace, python);
  const spans = shownSpans(placed.spans);
  const hasBackend = spans.some(({ kind, attributes }) => kind === 'backend' && attributes.error === undefined);
  const missing = [...missingOf(trace, decoded), ...neighbourNotes(trace.request.headers, trace.startedAt, hasBackend)];
  const exception = python?.exception ?? trace.thrown;
  const durationUs = trace.endMs >= 0 ? usOf(trace, trace.endMs) : null;
  return {
    id: trace.id,
    traceId: trace.traceId,
    spanId: trace.spanId,
    parentSpanId: trace.parentSpanId,
    startedAt: new Date(trace.startedAt).toISOString(),
    durationUs,
    state: stateOf(trace, decoded instanceof Malformed),
    missing,
    kept: trace.kept,
    detail: trace.detail,
    request: requestOf(trace),
    response: responseOf(trace),
    route: routeOf(trace),
    application: applicationOf(trace, python),
    environ: python?.environ == null ? null : groupedEnviron(python.environ),
    startResponse: (python?.startResponse ?? []).map(({ caller, status, fields, hasExcInfo }) => {
      return { caller, status: redactText(status), headers: shownFields(fields), hasExcInfo };
    }),
    spans,
    hops: hopsOf(trace, python, placed),
    exception: exception === null ? null : exceptionOf(exception),
    queries: summarizeQueries(placed.spans),
    times: timeParts(spans, durationUs ?? lastUs(spans)),
    clockErrorUs: traceClock().errorUs,
    profile: python?.profile ?? null,
  };
}

/** Whether something of the trace is still to come, or never will. */
export function stateOf(trace: TraceRecord, isMalformed: boolean): TraceDocument['state'] {
  if (trace.endMs < 0 || trace.python === 'awaited') return 'running';
  return trace.python === 'lost' || isMalformed ? 'incomplete' : 'done';
}

function missingOf(trace: TraceRecord, decoded: PythonPart | Malformed | null): string[] {
  const missing: string[] = [];
  if (trace.detail === 'stages')
    missing.push(
      'Only the stages that are measured of every request are known: this request was not recorded in full.',
    );
  if (trace.pythonMissing !== '') missing.push(trace.pythonMissing);
  if (trace.python === 'awaited')
    missing.push('What happened in Python is not known yet: the worker still has the request.');
  if (decoded instanceof Malformed)
    missing.push(
      `What happened in Python is not known: the worker's record cannot be read, because ${decoded.reason}.`,
    );
  else for (const note of decoded?.notes ?? []) missing.push(redactText(note));
  const dropped = trace.dropped + (decoded instanceof Malformed ? 0 : (decoded?.dropped ?? 0));
  if (dropped > 0) missing.push(`${dropped} spans or hops are missing: there were more than the limit.`);
  return missing;
}

function requestOf({ request }: TraceRecord): RequestPart {
  const { method, protocol, host, client, listener, headers, bodyBytes } = request;
  const target = targetOf(request);
  const scheme = request.secure ? 'https' : 'http';
  return { method, target, protocol, scheme, host, client, listener, headers: fieldsOf(headers), bodyBytes };
}

/** Path and query, secrets redacted. */
export function targetOf({ path, query }: Pick<TracedRequest, 'path' | 'query'>): string {
  return redactTarget(query === '' ? path : `${path}?${query}`);
}

function responseOf({ status, lines, bodyBytes, reason }: TraceRecord): ResponsePart | null {
  return status === 0 ? null : { status, headers: fieldsOf(lines), bodyBytes, reason };
}

function routeOf({ route, routeName }: TraceRecord): RoutePart | null {
  if (route === null) return routeName === '' ? null : { name: routeName, why: '', rejected: [] };
  return { name: route.name, why: route.why, rejected: route.rejected.map(([name, why]) => ({ name, why })) };
}

function applicationOf({ application, worker }: TraceRecord, python: PythonPart | null): ApplicationPart | null {
  if (application === '' && worker === 0) return null;
  return { name: application, worker, thread: python?.thread ?? '' };
}

/** In order of time: the requests inwards, then the responses outwards. Those of Python lie between those of the server. */
function hopsOf(trace: TraceRecord, python: PythonPart | null, { ofServer, ofPython }: PlacedSpans): Hop[] {
  const server = trace.hops.map(
    ({ span, direction, name, status, fields }, index): Hop => ({
      span: ofServer[span] ?? -1,
      direction,
      name,
      status,
      headers:
        index === trace.parentHop ? [...fieldsOf(fields), ['traceparent', addedTraceParent(trace)]] : fieldsOf(fields),
    }),
  );
  const worker = (python?.hops ?? []).map(
    ({ span, direction, name, status, fields }): Hop => ({
      span: ofPython[span] ?? -1,
      direction,
      name,
      status: redactText(status),
      headers: shownFields(fields),
    }),
  );
  const isRequest = ({ direction }: Hop): boolean => direction === 'request';
  const outwards = server.findIndex(({ direction }) => direction === 'response');
  const inwards = outwards < 0 ? server : server.slice(0, outwards);
  const others = outwards < 0 ? [] : server.slice(outwards);
  return [...inwards, ...worker.filter(isRequest), ...worker.filter((hop) => !isRequest(hop)), ...others];
}

function shownFields(fields: PythonFields): (readonly [string, string])[] {
  return fields.map(([name, value]) => redactField(name, value));
}

function exceptionOf({ traceback, chain, ...last }: RecordedException): ExceptionPart {
  return {
    ...raiseOf(last),
    traceback: redactText(traceback),
    chain: chain.map(({ relation, of, ...raise }) => ({ relation, of, ...raiseOf(raise) })),
  };
}

function raiseOf({ type, message, frames, members }: RecordedRaise): Raise {
  return { type, message: redactText(message), frames: frames.map(frameOf), members };
}

/** Columns count characters of the line as it was read, so a line in which a secret was replaced has none. */
function frameOf(frame: RecordedFrame): Frame {
  const source = frame.source.map(redactSource);
  const at = frame.line - frame.sourceLine;
  return {
    ...frame,
    source,
    locals: frame.locals.map(([name, value]) => [name, redactNamed(name, value)] as const),
    columns: source[at] === frame.source[at] ? frame.columns : null,
  };
}

function usOf({ startMs }: TraceRecord, ms: number): number {
  return Math.max(0, Math.round((ms - startMs) * 1000));
}

function lastUs(spans: readonly Span[]): number {
  return spans.reduce((last, { startUs, endUs }) => Math.max(last, endUs ?? startUs), 0);
}
