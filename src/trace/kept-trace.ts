import type { TraceDocument } from './document.ts';
import { documentOf, stateOf, targetOf } from './document-of.ts';
import { Malformed } from './marshal-reader.ts';
import { readPythonPart } from './python-part.ts';
import { exceptionBytes, type RecordedException } from './recorded-exception.ts';
import { redactText } from './redact.ts';
import { placedSpans } from './spans-of.ts';
import type { TraceFilter, TraceSummary } from './store.ts';
import { timeParts } from './time-parts.ts';
import type { RecordedHop, Trace } from './trace.ts';

/** A trace in the store. What somebody looked at once is kept decoded, as far as lists and searches need it. */
export class KeptTrace {
  readonly number: number;
  readonly trace: Trace;
  /** How much memory it takes, as an estimate. */
  bytes: number;
  #digest: Digest | null = null;

  constructor(number: number, trace: Trace) {
    this.number = number;
    this.trace = trace;
    this.bytes = bytesOf(trace);
  }

  document(): TraceDocument {
    return documentOf(this.trace);
  }

  /** Called when more of the trace is known. */
  changed(): void {
    this.#digest = null;
    this.bytes = bytesOf(this.trace);
  }

  get summary(): TraceSummary {
    return this.digest().summary;
  }

  /** What lists, searches and groups of errors need. */
  digest(): Digest {
    if (this.#digest !== null) return this.#digest;
    const digest = digestOf(this.number, this.trace);
    if (digest.summary.state !== 'running') {
      this.#digest = digest;
      this.bytes += digest.bytes;
    }
    return digest;
  }

  /** Whether it fulfils all conditions. The cheap ones come first. */
  matches(filter: TraceFilter): boolean {
    const { trace } = this;
    if (filter.method !== undefined && trace.request.method !== filter.method.toUpperCase()) return false;
    if (filter.route !== undefined && trace.routeName !== filter.route) return false;
    if (filter.status !== undefined && !hasStatus(trace.status, filter.status)) return false;
    if (filter.minUs !== undefined && !((trace.endMs - trace.startMs) * 1000 >= filter.minUs)) return false;
    if (filter.path !== undefined && !hasInTarget(trace, filter.path)) return false;
    if (filter.notPath !== undefined && hasInTarget(trace, filter.notPath)) return false;
    if (
      filter.sql !== undefined &&
      !(this.#mentions(filter.sql) && this.digest().sql.includes(filter.sql.toLowerCase()))
    )
      return false;
    if (filter.error === undefined) return true;
    return this.mayHaveError && this.summary.error.toLowerCase().includes(filter.error.toLowerCase());
  }

  /** False if it certainly has no error. It is not decoded for this. */
  get mayHaveError(): boolean {
    const { status, reason, payload, thrown } = this.trace;
    return (
      thrown !== null ||
      status >= 500 ||
      reason !== '' ||
      (payload !== null && bufferOf(payload).includes(OF_EXCEPTION))
    );
  }

  /** Whether the record of Python has `text` anywhere, without regard to case. Most records are not decoded for a search, thanks to this. */
  #mentions(text: string): boolean {
    const { payload } = this.trace;
    const bytes = Buffer.from(text.toLowerCase(), 'utf8').toString('latin1').toLowerCase();
    return payload !== null && bufferOf(payload).toString('latin1').toLowerCase().includes(bytes);
  }
}

/** A key that only records with an exception have; texts may have it by chance. */
const OF_EXCEPTION = 'traceback';

function bufferOf({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}

export interface Digest {
  readonly summary: TraceSummary;
  /** The texts of all queries in lower case, each once. */
  readonly sql: string;
  /** What errors of the same cause have in common; '' without an error. */
  readonly cause: string;
  readonly bytes: number;
}

/** What an entry and its objects take besides their texts and arrays. */
const TRACE_BYTES = 700;
const SPAN_BYTES = 100;
const HOP_BYTES = 80;
const DIGEST_BYTES = 600;

/** Texts that several hops share count once: a handler that changes nothing passes on what it got. */
function bytesOf({ request, spans, hops, lines, payload, route, thrown, recorded }: Trace): number {
  let bytes = TRACE_BYTES + spans.length * SPAN_BYTES + request.path.length + request.query.length;
  bytes += textBytes(request.headers);
  let last: RecordedHop['fields'] = request.headers;
  for (const { fields } of hops) {
    bytes += HOP_BYTES;
    if (fields !== last && fields !== lines) bytes += typeof fields === 'string' ? fields.length : textBytes(fields);
    last = fields;
  }
  for (const [, why] of route?.rejected ?? []) bytes += why.length;
  if (thrown !== null) bytes += exceptionBytes(thrown);
  if (recorded?.body instanceof Uint8Array) bytes += recorded.body.length;
  return bytes + lines.length + (payload?.length ?? 0);
}

function textBytes(texts: readonly string[]): number {
  let bytes = texts.length * 16;
  for (const text of texts) bytes += text.length;
  return bytes;
}

/** Texts that are redacted are not found: nobody should guess a secret by searching. */
function hasInTarget({ request }: Trace, text: string): boolean {
  const { path, query } = request;
  return (path.includes(text) || `${path}?${query}`.includes(text)) && targetOf(request).includes(text);
}

function hasStatus(status: number, wanted: string): boolean {
  return /^[1-5]xx$/i.test(wanted) ? Math.floor(status / 100) === Number(wanted[0]) : String(status) === wanted;
}

/** Decodes only what is needed, because a list has many traces. */
function digestOf(number: number, trace: Trace): Digest {
  const decoded = trace.payload === null ? null : readPythonPart(trace.payload);
  const python = decoded instanceof Malformed ? null : decoded;
  const { spans } = placedSpans(trace, python);
  const queries = spans.filter(({ kind }) => kind === 'query');
  const sql = [...new Set(queries.map(({ attributes }) => String(attributes.sql ?? '')))].join('\n').toLowerCase();
  const exception = python?.exception ?? trace.thrown;
  const error = exception === null ? trace.reason : `${exception.type}: ${redactText(exception.message)}`;
  const durationUs = trace.isAnswered ? Math.max(0, Math.round((trace.endMs - trace.startMs) * 1000)) : null;
  const { queueUs, pythonUs, ownUs } = timeParts(spans, durationUs ?? 0);
  const summary: TraceSummary = {
    id: trace.id,
    number,
    startedAt: new Date(trace.startedAt).toISOString(),
    method: trace.request.method,
    host: trace.request.host,
    target: targetOf(trace.request),
    route: trace.routeName,
    status: trace.status,
    durationUs,
    queueUs,
    pythonUs,
    ownUs,
    queries: queries.length,
    detail: trace.detail,
    kept: trace.kept,
    state: stateOf(trace, decoded instanceof Malformed),
    error,
    worker: trace.worker,
  };
  const bytes = DIGEST_BYTES + sql.length + error.length + summary.target.length;
  return { summary, sql, cause: causeOf(trace, exception), bytes };
}

/** The exception and the innermost line of the project; without an exception the reason of this server, or the status. */
function causeOf({ reason, status }: Trace, exception: RecordedException | null): string {
  if (exception !== null) {
    const frame = exception.frames.findLast(({ isProject }) => isProject) ?? exception.frames.at(-1);
    return frame === undefined ? exception.type : `${exception.type} at ${frame.file}:${frame.line}`;
  }
  return reason === '' && status >= 500 ? `status ${status}` : reason;
}
