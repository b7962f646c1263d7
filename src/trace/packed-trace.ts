import type { TraceDocument } from './document.ts';
import { RecordReader, RecordWriter } from './record-format.ts';
import type { RecordedException } from './recorded-exception.ts';
import type { RecordedRequest } from './store.ts';
import type { StoredBytes, TraceMemory } from './trace-memory.ts';
import type {
  PythonState,
  RecordedHop,
  RecordedRoute,
  RecordedSpan,
  TracedRequest,
  TraceRecord,
} from './trace-record.ts';

/** A value of an attribute that is a text, a number, false or true. */
const TEXT = 0;
const NUMBER = 1;
const FALSE = 2;
const TRUE = 3;

/** A content that there was not, that was not kept, and that follows as Latin-1. */
const NONE = 0;
const LOST = 1;
const CONTENT = 2;

/** Holds nothing between two calls of `packTrace`. */
const writer = new RecordWriter();

/** Copies a trace into `memory`. `unpackTrace` reads it. */
export function packTrace(trace: TraceRecord, memory: TraceMemory): StoredBytes {
  const { request, recorded, route, spans, hops } = trace;
  writer.text(request.path);
  writer.text(request.query);
  packRequest(request);
  writer.text(trace.id);
  writer.text(trace.traceId);
  writer.text(trace.spanId);
  writer.text(trace.parentSpanId ?? '');
  writer.name(trace.kept);
  writer.name(trace.detail);
  writer.name(trace.routeName);
  writer.name(trace.application);
  writer.text(trace.reason);
  writer.name(trace.python);
  writer.text(trace.pythonMissing);
  writer.fields(trace.lines);
  writer.number(trace.startedAt);
  writer.number(trace.startMs);
  writer.number(trace.endMs);
  writer.number(trace.returnedMs);
  writer.number(trace.returnedAfterMs);
  writer.number(trace.parentHop);
  writer.number(trace.dropped);
  writer.number(trace.worker);
  writer.number(trace.queueUs);
  writer.number(trace.pythonUs);
  writer.number(trace.status);
  writer.number(trace.bodyBytes);
  writer.number(recorded === null ? 0 : 1);
  if (recorded !== null) packRecorded(recorded, request);
  writer.number(route === null ? 0 : 1);
  if (route !== null) packRoute(route);
  writer.number(spans.length);
  for (let i = 0; i < spans.length; i += 1) packSpan(spans[i] as RecordedSpan);
  writer.number(hops.length);
  for (let i = 0; i < hops.length; i += 1) packHop(hops[i] as RecordedHop);
  writer.text(trace.thrown === null ? '' : JSON.stringify(trace.thrown));
  return writer.finish(trace.payload, memory);
}

/** Reads what `packTrace` stored. The payload is valid as long as the bytes are stored. */
export function unpackTrace(stored: StoredBytes): TraceRecord {
  const reader = new RecordReader(stored);
  const text = (): string => reader.text();
  const name = (): string => reader.name();
  const number = (): number => reader.number();
  const path = text();
  const query = text();
  const request = unpackRequest(reader, path, query);
  return {
    request,
    id: text(),
    traceId: text(),
    spanId: text(),
    parentSpanId: text() || null,
    kept: name() as TraceDocument['kept'],
    detail: name() as TraceDocument['detail'],
    routeName: name(),
    application: name(),
    reason: text(),
    python: name() as PythonState,
    pythonMissing: text(),
    lines: reader.fields() as string,
    startedAt: number(),
    startMs: number(),
    endMs: number(),
    returnedMs: number(),
    returnedAfterMs: number(),
    parentHop: number(),
    dropped: number(),
    worker: number(),
    queueUs: number(),
    pythonUs: number(),
    status: number(),
    bodyBytes: number(),
    recorded: number() === 0 ? null : unpackRecorded(reader, request),
    route: number() === 0 ? null : unpackRoute(reader),
    spans: reader.list(number(), () => unpackSpan(reader)),
    hops: reader.list(number(), () => unpackHop(reader)),
    thrown: unpackThrown(text()),
    payload: reader.payload,
  };
}

/** Path and query of the request of a stored trace, without reading the rest. */
export function packedTarget(stored: StoredBytes): readonly [path: string, query: string] {
  const reader = new RecordReader(stored);
  return [reader.text(), reader.text()];
}

/** Python's record of a stored trace; null without one. */
export function packedPayload(stored: StoredBytes): Buffer | null {
  return new RecordReader(stored).payload;
}

/** Only development has one, so it is JSON. */
function unpackThrown(text: string): RecordedException | null {
  return text === '' ? null : (JSON.parse(text) as RecordedException);
}

function packRequest({ method, protocol, secure, host, client, listener, headers, bodyBytes }: TracedRequest): void {
  writer.text(method);
  writer.name(protocol);
  writer.text(host);
  writer.text(client);
  writer.name(listener);
  writer.fields(headers);
  writer.number(secure ? 1 : 0);
  writer.number(bodyBytes);
}

function unpackRequest(reader: RecordReader, path: string, query: string): TracedRequest {
  return {
    path,
    query,
    method: reader.text(),
    protocol: reader.name(),
    host: reader.text(),
    client: reader.text(),
    listener: reader.name(),
    headers: reader.fields() as readonly string[],
    secure: reader.number() === 1,
    bodyBytes: reader.number(),
  };
}

function packRecorded(
  { method, path, query, host, headers, client, body }: RecordedRequest,
  shown: TracedRequest,
): void {
  writer.again(method, shown.method);
  writer.again(path, shown.path);
  writer.again(query, shown.query);
  writer.again(host, shown.host);
  writer.text(client.address);
  writer.name(client.serverPort);
  writer.fields(headers);
  writer.number(client.port);
  writer.number(client.listener);
  writer.number(client.secure ? 1 : 0);
  writer.number(body === null ? NONE : body === 'lost' ? LOST : CONTENT);
  if (body instanceof Uint8Array) writer.text(Buffer.from(body).toString('latin1'));
}

function unpackRecorded(reader: RecordReader, shown: TracedRequest): RecordedRequest {
  const [method, path] = [reader.again(shown.method), reader.again(shown.path)];
  const [query, host] = [reader.again(shown.query), reader.again(shown.host)];
  const [address, serverPort] = [reader.text(), reader.name()];
  const headers = reader.fields() as readonly string[];
  const [port, listener] = [reader.number(), reader.number()];
  const secure = reader.number() === 1;
  const body = unpackContent(reader);
  return { method, path, query, host, headers, client: { address, port, listener, secure, serverPort }, body };
}

function unpackContent(reader: RecordReader): RecordedRequest['body'] {
  const kind = reader.number();
  if (kind === NONE) return null;
  return kind === LOST ? 'lost' : Buffer.from(reader.text(), 'latin1');
}

function packRoute({ name, why, rejected }: RecordedRoute): void {
  writer.text(name);
  writer.text(why);
  writer.number(rejected.length);
  for (const [other, reason] of rejected) {
    writer.text(other);
    writer.text(reason);
  }
}

function unpackRoute(reader: RecordReader): RecordedRoute {
  const name = reader.text();
  const why = reader.text();
  return { name, why, rejected: reader.list(reader.number(), () => [reader.text(), reader.text()] as const) };
}

function packSpan({ kind, name, parent, startMs, endMs, attributes }: RecordedSpan): void {
  writer.name(kind);
  writer.name(name);
  writer.number(parent);
  writer.number(startMs);
  writer.number(endMs);
  if (attributes === null) writer.number(0);
  else packAttributes(Object.entries(attributes));
}

function packAttributes(all: readonly (readonly [name: string, value: string | number | boolean])[]): void {
  writer.number(all.length);
  for (const [attribute, value] of all) {
    writer.name(attribute);
    if (typeof value === 'boolean') writer.number(value ? TRUE : FALSE);
    else if (typeof value === 'number') {
      writer.number(NUMBER);
      writer.number(value);
    } else {
      writer.number(TEXT);
      writer.text(value);
    }
  }
}

function unpackSpan(reader: RecordReader): RecordedSpan {
  const kind = reader.name() as RecordedSpan['kind'];
  const name = reader.name();
  const [parent, startMs, endMs] = [reader.number(), reader.number(), reader.number()];
  const all = reader.list(reader.number(), () => [reader.name(), unpackValue(reader)] as const);
  return { kind, name, parent, startMs, endMs, attributes: all.length === 0 ? null : Object.fromEntries(all) };
}

function unpackValue(reader: RecordReader): string | number | boolean {
  const kind = reader.number();
  if (kind === TEXT) return reader.text();
  return kind === NUMBER ? reader.number() : kind === TRUE;
}

function packHop({ span, direction, name, status, fields }: RecordedHop): void {
  writer.number(span);
  writer.name(direction);
  writer.name(name);
  writer.name(status);
  writer.fields(fields);
}

function unpackHop(reader: RecordReader): RecordedHop {
  const span = reader.number();
  const direction = reader.name() as RecordedHop['direction'];
  return { span, direction, name: reader.name(), status: reader.name(), fields: reader.fields() };
}
