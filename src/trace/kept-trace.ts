import type { TraceDocument } from './document.ts';
import { documentOf, stateOf, targetOf } from './document-of.ts';
import { Malformed } from './marshal-reader.ts';
import { packedPayload, packedTarget, packTrace, unpackTrace } from './packed-trace.ts';
import { readPythonPart } from './python-part.ts';
import type { RecordedException } from './recorded-exception.ts';
import { redactText } from './redact.ts';
import { placedSpans } from './spans-of.ts';
import type { TraceFilter, TraceSummary } from './store.ts';
import { timeParts } from './time-parts.ts';
import type { Trace } from './trace.ts';
import type { StoredBytes, TraceMemory } from './trace-memory.ts';
import type { TraceRecord } from './trace-record.ts';

/** A trace in the store: packed, with what searches look at first. What somebody looked at once is kept decoded, as far as lists need it. */
export class KeptTrace {
  readonly number: number;
  readonly id: string;
  readonly kept: TraceDocument['kept'];
  /** How much memory it takes, as an estimate. */
  bytes = 0;
  readonly #memory: TraceMemory;
  #stored: StoredBytes;
  #method = '';
  #routeName = '';
  #status = 0;
  #reason = '';
  #hasThrown = false;
  #durationUs = 0;
  #digest: Digest | null = null;

  /** `memory` gets the trace. */
  constructor(trace: Trace, memory: TraceMemory) {
    this.number = trace.number;
    this.id = trace.id;
    this.kept = trace.kept;
    this.#memory = memory;
    this.#stored = this.#store(trace);
  }

  /** More of the trace is known. */
  change(trace: Trace): void {
    this.free();
    this.#digest = null;
    this.#stored = this.#store(trace);
  }

  /** Nobody may look at it any more. */
  free(): void {
    this.#memory.free(this.#stored);
  }

  /** The trace as it was recorded. Its payload is valid only as long as the trace is kept. */
  record(): TraceRecord {
    return unpackTrace(this.#stored);
  }

  document(): TraceDocument {
    return documentOf(this.record());
  }

  get summary(): TraceSummary {
    return this.digest().summary;
  }

  /** What lists, searches and groups of errors need. */
  digest(): Digest {
    if (this.#digest !== null) return this.#digest;
    const digest = digestOf(this.number, this.record());
    if (digest.summary.state !== 'running') {
      this.#digest = digest;
      this.bytes += digest.bytes;
    }
    return digest;
  }

  /** Whether it fulfils all conditions. The cheap ones come first. */
  matches(filter: TraceFilter): boolean {
    if (filter.method !== undefined && this.#method !== filter.method.toUpperCase()) return false;
    if (filter.route !== undefined && this.#routeName !== filter.route) return false;
    if (filter.status !== undefined && !hasStatus(this.#status, filter.status)) return false;
    if (filter.minUs !== undefined && !(this.#durationUs >= filter.minUs)) return false;
    if (filter.path !== undefined && !this.#hasInTarget(filter.path)) return false;
    if (filter.notPath !== undefined && this.#hasInTarget(filter.notPath)) return false;
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
    if (this.#status >= 500 || this.#reason !== '' || this.#hasThrown) return true;
    return packedPayload(this.#stored)?.includes(OF_EXCEPTION) === true;
  }

  /** The path of the request, as received. */
  get path(): string {
    return packedTarget(this.#stored)[0];
  }

  /** Whether it is a request of this method for this route. */
  isOf(method: string, routeName: string): boolean {
    return this.#method === method && this.#routeName === routeName;
  }

  /** Whether the request was answered well, and recorded in full. */
  get isGood(): boolean {
    if (this.#status === 0 || this.#status >= 500) return false;
    const { detail, error } = this.summary;
    return detail === 'full' && error === '';
  }

  /** Whether the record of Python has `text` anywhere, without regard to case. Most records are not decoded for a search, thanks to this. */
  #mentions(text: string): boolean {
    const bytes = Buffer.from(text.toLowerCase(), 'utf8').toString('latin1').toLowerCase();
    return packedPayload(this.#stored)?.toString('latin1').toLowerCase().includes(bytes) === true;
  }

  /** Texts that are redacted are not found: nobody should guess a secret by searching. */
  #hasInTarget(text: string): boolean {
    const [path, query] = packedTarget(this.#stored);
    return (path.includes(text) || `${path}?${query}`.includes(text)) && targetOf({ path, query }).includes(text);
  }

  #store(trace: Trace): StoredBytes {
    this.#method = trace.request.method;
    this.#routeName = trace.routeName;
    this.#status = trace.status;
    this.#reason = trace.reason;
    this.#hasThrown = trace.thrown !== null;
    this.#durationUs = (trace.endMs - trace.startMs) * 1000;
    const stored = packTrace(trace, this.#memory);
    this.bytes = ENTRY_BYTES + stored.length;
    return stored;
  }
}

/** A key that only records with an exception have; texts may have it by chance. */
const OF_EXCEPTION = 'traceback';

export interface Digest {
  readonly summary: TraceSummary;
  /** The texts of all queries in lower case, each once. */
  readonly sql: string;
  /** What errors of the same cause have in common; '' without an error. */
  readonly cause: string;
  readonly bytes: number;
}

/** What an entry takes besides its packed trace. */
const ENTRY_BYTES = 300;
const DIGEST_BYTES = 600;

function hasStatus(status: number, wanted: string): boolean {
  return /^[1-5]xx$/i.test(wanted) ? Math.floor(status / 100) === Number(wanted[0]) : String(status) === wanted;
}

/** Decodes only what is needed, because a list has many traces. */
function digestOf(number: number, trace: TraceRecord): Digest {
  const decoded = trace.payload === null ? null : readPythonPart(trace.payload);
  const python = decoded instanceof Malformed ? null : decoded;
  const { spans } = placedSpans(trace, python);
  const queries = spans.filter(({ kind }) => kind === 'query');
  const sql = [...new Set(queries.map(({ attributes }) => String(attributes.sql ?? '')))].join('\n').toLowerCase();
  const exception = python?.exception ?? trace.thrown;
  const error = exception === null ? trace.reason : `${exception.type}: ${redactText(exception.message)}`;
  const durationUs = trace.endMs >= 0 ? Math.max(0, Math.round((trace.endMs - trace.startMs) * 1000)) : null;
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
function causeOf({ reason, status }: TraceRecord, exception: RecordedException | null): string {
  if (exception !== null) {
    const frame = exception.frames.findLast(({ isProject }) => isProject) ?? exception.frames.at(-1);
    return frame === undefined ? exception.type : `${exception.type} at ${frame.file}:${frame.line}`;
  }
  return reason === '' && status >= 500 ? `status ${status}` : reason;
}
