import { createHash } from 'node:crypto';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { Span, TraceDocument } from './document.ts';
import { isError, requestAttributes, spanAttributes } from './span-attributes.ts';

/** `SpanKind` and `SpanStatusCode` of the API, which is not loaded for some numbers. */
const KINDS = { internal: 0, server: 1, client: 2 } as const;
const UNSET = 0;
const ERROR = 2;
/** Sampled (W3C Trace Context, section 3.2.2.5.1). */
const FLAGS = 1;

type Resource = ReadableSpan['resource'];
type HrTime = ReadableSpan['startTime'];

/**
 * A trace as spans of OpenTelemetry: one of the kind SERVER for the request, by the semantic conventions for HTTP, and its parts below it. A request
 * that has not ended has no spans.
 */
export function spansOf(document: TraceDocument, resource: Resource, version: string): ReadableSpan[] {
  const { durationUs, traceId, parentSpanId } = document;
  if (durationUs === null) return [];
  const startMs = Date.parse(document.startedAt);
  const contextOf = (spanId: string) => ({ traceId, spanId, traceFlags: FLAGS });
  const idOf = (index: number): string => (index < 0 ? document.spanId : partId(document.spanId, index));
  const make = (span: Omit<SpanParts, 'status'> & { readonly failed: string | null }): ReadableSpan => {
    const { index, parent, startUs, endUs, failed, ...own } = span;
    const context = contextOf(idOf(index));
    return {
      ...own,
      spanContext: () => context,
      ...(parent === null ? {} : { parentSpanContext: contextOf(parent) }),
      startTime: timeOf(startMs, startUs),
      endTime: timeOf(startMs, endUs),
      duration: timeOf(0, endUs - startUs),
      status: failed === null ? { code: UNSET } : { code: ERROR, ...(failed === '' ? {} : { message: failed }) },
      links: [],
      ended: true,
      resource,
      instrumentationScope: { name: 'viaduct', version },
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0,
    };
  };
  const status = document.response?.status ?? 0;
  const root = make({
    index: -1,
    parent: parentSpanId,
    name: rootName(document),
    kind: KINDS.server,
    startUs: 0,
    endUs: durationUs,
    failed: status === 0 || status >= 500 || document.exception !== null ? failureOf(document) : null,
    attributes: requestAttributes(document),
    events: eventsOf(document, startMs),
  });
  const parts = document.spans.map((span, index) =>
    make({
      index,
      parent: idOf(span.parent),
      name: partName(span),
      kind: CLIENT_KINDS.has(span.kind) ? KINDS.client : KINDS.internal,
      startUs: span.startUs,
      endUs: Math.max(span.startUs, span.endUs ?? durationUs),
      failed: isError(span.attributes.error) ? String(span.attributes.error) : null,
      attributes: spanAttributes(span),
      events: [],
    }),
  );
  return [root, ...parts];
}

/** Parts in which this server or its application waits for another program. */
const CLIENT_KINDS: ReadonlySet<string> = new Set(['query', 'http-client', 'backend']);

interface SpanParts extends Pick<ReadableSpan, 'name' | 'kind' | 'attributes' | 'events' | 'status'> {
  /** In the document; -1 for the request. */
  readonly index: number;
  readonly parent: string | null;
  readonly startUs: number;
  readonly endUs: number;
}

/** What happened to a request, in words; '' if only its status says it. */
function failureOf({ exception, response }: TraceDocument): string {
  return exception === null ? (response?.reason ?? '') : `${exception.type}: ${exception.message}`;
}

/** `{method} {http.route}`, or the method alone. */
function rootName({ request, route }: TraceDocument): string {
  return route === null || route.name === '' ? request.method : `${request.method} ${route.name}`;
}

/** Kind and name, or the name alone if the kind is a word of it. A query is named by its operation, because a name should not have as many values as there are texts. */
function partName({ kind, name, attributes }: Span): string {
  if (kind === 'query') return /^\s*([a-z]+)/i.exec(String(attributes.sql ?? name))?.[1]?.toUpperCase() ?? 'query';
  return name === '' ? kind : name.split(' ').includes(kind) ? name : `${kind} ${name}`;
}

function eventsOf({ exception, durationUs }: TraceDocument, startMs: number): ReadableSpan['events'] {
  if (exception === null) return [];
  return [
    {
      name: 'exception',
      time: timeOf(startMs, durationUs ?? 0),
      attributes: {
        'exception.type': exception.type,
        'exception.message': exception.message,
        'exception.stacktrace': exception.traceback,
      },
    },
  ];
}

/** The id of a part: 16 hexadecimal digits that are the same each time that a trace is exported. */
function partId(spanId: string, index: number): string {
  const id = createHash('sha256').update(`${spanId} ${index}`).digest('hex').slice(0, 16);
  return id === '0000000000000000' ? '0000000000000001' : id;
}

/** Seconds and nanoseconds. */
function timeOf(startMs: number, us: number): HrTime {
  const totalUs = startMs * 1000 + us;
  const seconds = Math.floor(totalUs / 1_000_000);
  return [seconds, Math.round(totalUs - seconds * 1_000_000) * 1000];
}
