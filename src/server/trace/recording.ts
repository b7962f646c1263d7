import { deriveRequest, requestField } from '../../http/derived-request.ts';
import type { Request } from '../../http/message.ts';
import { requestIdOf } from '../../http/request-id.ts';
import { cookieOf } from '../../http/semantics/cookie.ts';
import type { Arrival } from '../../http/transport/server-context.ts';
import type { RequestRecorder } from '../../site/client-rules.ts';
import { optionsOnRequest, type TraceOptions } from '../../site/trace-options.ts';
import type { TraceDocument } from '../../trace/document.ts';
import { TraceRing } from '../../trace/ring.ts';
import { SlowLimits } from '../../trace/slow-limit.ts';
import { OneTimeTokens, readToken, TRACE_COOKIE, TRACE_FIELD } from '../../trace/token.ts';
import { Trace, type TraceDetails, USUAL_DETAILS } from '../../trace/trace.ts';
import { parseTraceParent } from '../../trace/trace-context.ts';
import type { TracedRequest } from '../../trace/trace-record.ts';
import { WaitingTraces } from '../../trace/waiting-traces.ts';
import { KEPT_CONTENT_BYTES_MAX, KeptContent } from './kept-content.ts';

export interface TraceRecordingParts {
  /** Whether the client with this address is a trusted proxy. */
  readonly trusts: (address: string) => boolean;
  /** The URL of the listener with this index (`Peer.listener`), for people; '' without one. */
  readonly urlOf: (listener: number) => string;
  /** Recording starts or may end: the connections must learn of it. */
  readonly onSwitched: () => void;
}

/** So long after its answer the worker's record of a request is awaited. */
const PYTHON_MS_MAX = 30_000;
const SWEEP_MS = 5000;
/** How long after a token for one request was made requests are looked at: as long as it is valid. */
const ON_REQUEST_MS = 61_000;

const FIELD = TRACE_FIELD.toLowerCase();

/** Decides which requests are recorded, and keeps the records. Without options it records only those that somebody asks for with a one-time token. */
export class TraceRecording implements RequestRecorder {
  readonly store: TraceRing;
  readonly #parts: TraceRecordingParts;
  readonly #tokens = new OneTimeTokens();
  readonly #slow = new SlowLimits();
  /** Answered requests whose worker still has to send its record. */
  readonly #waiting = new WaitingTraces();
  readonly #onOver = (trace: Trace): void => {
    this.#waiting.remove(trace);
    this.store.keep(trace);
  };
  /** By the index of the listener, which no other one gets. */
  readonly #urls = new Map<number, string>();
  #configured: TraceOptions | null = null;
  #options: TraceOptions = optionsOnRequest();
  #sweep: NodeJS.Timeout | null = null;

  constructor(parts: TraceRecordingParts) {
    this.#parts = parts;
    this.store = new TraceRing(this.#options);
  }

  /** Uses `options` from now on; null for none. */
  take(options: TraceOptions | null): void {
    this.#configured = options;
    this.#options = options ?? optionsOnRequest();
    this.store.resize(this.#options);
  }

  /** Whether requests must be looked at. */
  get isOn(): boolean {
    return this.#configured !== null || this.#tokens.size > 0;
  }

  /** Records one request with this token of `newOneTimeToken` in full, if it comes within a minute. */
  acceptToken(token: string, details: TraceDetails): void {
    const wasOn = this.isOn;
    this.#tokens.add(token, details);
    if (wasOn) return;
    this.#parts.onSwitched();
    setTimeout(() => this.#parts.onSwitched(), ON_REQUEST_MS).unref();
  }

  /**
   * Decides whether a request is recorded: `arrived` from its connection, and `shown` to handlers after the rules for proxies. Returns what handlers
   * get: in development, a copy of a short content is kept for a replay.
   */
  receive(arrived: Request, shown: Request, arrival: Arrival): Request {
    const options = this.#options;
    const asked = options.secret !== null || this.#tokens.size > 0 ? this.#askedBy(arrived) : null;
    let draw = 0;
    if (asked === null && options.records === 'share') {
      draw = Math.random();
      if (draw >= options.shareMax) return shown;
    }
    const details = detailsOf(asked, options);
    const kept = asked !== null ? 'asked' : options.records === 'all' ? 'development' : 'sampled';
    const trace = this.#begin(kept, details, arrived, shown, arrival);
    trace.draw = draw;
    arrived.record.trace = trace;
    return options.records === 'all' ? keepContent(trace, shown) : shown;
  }

  /** A request is answered or given up. */
  readonly onAnswered = (request: Request, status: number, bodyBytes: number, startedAtMs: number): void => {
    const { record } = request;
    const { trace } = record;
    if (trace === null) {
      this.#keepStages(request, status, bodyBytes, startedAtMs);
      return;
    }
    if (trace.kept === 'sampled' && hasFailed(status, record.reason)) trace.kept = 'failed';
    noteRecord(trace, record);
    trace.onOver = this.#onOver;
    if (trace.python === 'awaited') this.#await(trace);
    trace.answered(status, bodyBytes);
  };

  /** The server ends. */
  close(): void {
    if (this.#sweep !== null) clearInterval(this.#sweep);
    this.#sweep = null;
  }

  /** Keeps what is known of a request that failed or was slow, although it was not chosen. */
  #keepStages(request: Request, status: number, bodyBytes: number, startedAtMs: number): void {
    const { keepsFailed, keepsSlow } = this.#options;
    const { record } = request;
    let kept: TraceDocument['kept'] | null = null;
    if (keepsSlow && this.#slow.isSlow(record.route, (performance.now() - startedAtMs) * 1000)) kept = 'slow';
    if (keepsFailed && hasFailed(status, record.reason)) kept = 'failed';
    if (kept === null) return;
    const traced = this.#tracedRequest(request, request.headers);
    const id = requestIdOf(record);
    const trace = new Trace(id, kept, 'stages', USUAL_DETAILS, traced, startedAtMs, null);
    noteRecord(trace, record);
    trace.onOver = this.#onOver;
    trace.answered(status, bodyBytes);
  }

  #begin(
    kept: TraceDocument['kept'],
    details: TraceDetails,
    arrived: Request,
    shown: Request,
    { openedAtMs, headAtMs, startedAtMs }: Arrival,
  ): Trace {
    const now = performance.now();
    const headEndMs = startedAtMs || now;
    const startMs = headAtMs || headEndMs;
    const traced = this.#tracedRequest(shown, arrived.headers);
    const id = requestIdOf(arrived.record);
    const trace = new Trace(id, kept, 'full', details, traced, startMs, this.#parentOf(arrived));
    const { peer } = arrived;
    const { handshakeMs } = peer;
    if (openedAtMs > 0) {
      const connection = trace.add('connection', 'connection', handshakeMs?.[0] ?? openedAtMs, startMs);
      if (handshakeMs !== undefined) trace.add('tls', 'TLS handshake', ...handshakeMs, connection);
    }
    const head = trace.add('head', 'head', startMs, headEndMs);
    trace.passedRequest(head, 'the client', arrived.headers);
    const rules = trace.add('rules', 'rules', headEndMs, now);
    if (shown.headers !== arrived.headers) trace.passedRequest(rules, 'the rules for proxies', shown.headers);
    trace.recorded = {
      method: arrived.method,
      path: arrived.path,
      query: arrived.query,
      host: arrived.host,
      headers: arrived.headers,
      client: {
        address: peer.remoteAddress,
        port: peer.remotePort,
        listener: peer.listener,
        secure: peer.secure,
        serverPort: peer.serverPort,
      },
      body: arrived.body === null ? null : 'lost',
    };
    return trace;
  }

  #tracedRequest(request: Request, headers: readonly string[]): TracedRequest {
    const { method, path, query, protocol, host, body, peer } = request;
    const { remoteAddress, remotePort, secure, listener } = peer;
    return {
      method,
      path,
      query,
      protocol,
      secure,
      host,
      client: remoteAddress === '' ? '' : addressText(remoteAddress, remotePort),
      listener: this.#urlOf(listener),
      headers,
      bodyBytes: body === null ? 0 : body.length,
    };
  }

  #urlOf(listener: number): string {
    let url = this.#urls.get(listener);
    if (url === undefined) {
      url = this.#parts.urlOf(listener);
      this.#urls.set(listener, url);
    }
    return url;
  }

  /** The trace and the span that a trusted proxy states; null without them. */
  #parentOf(request: Request): readonly [traceId: string, spanId: string] | null {
    if (!this.#options.trustsParent || !this.#parts.trusts(request.peer.remoteAddress)) return null;
    const parent = parseTraceParent(requestField(request, 'traceparent') ?? '');
    return parent === null ? null : [parent.traceId, parent.parentId];
  }

  /** What to record for the client of `request`, which sent a token; null if it did not, or the token is not valid. */
  #askedBy(request: Request): TraceDetails | null {
    const token = requestField(request, FIELD) ?? cookieOf(request, TRACE_COOKIE);
    if (token === null || token === '') return null;
    const once = this.#tokens.take(token);
    if (once !== null) return once;
    const { secret, trustedTokens } = this.#options;
    if (secret === null || (trustedTokens && !this.#parts.trusts(request.peer.remoteAddress))) return null;
    return readToken(secret, token);
  }

  #await(trace: Trace): void {
    this.#waiting.add(trace);
    this.#sweep ??= setInterval(() => this.#giveUpLate(), SWEEP_MS).unref();
  }

  /** Keeps the requests as they are whose workers have not sent their records in time. */
  #giveUpLate(): void {
    for (const trace of this.#waiting.answeredBefore(performance.now() - PYTHON_MS_MAX))
      trace.losePython(
        `What happened in Python is not known yet: the worker was still at work with the request ${PYTHON_MS_MAX / 1000} s after its answer.`,
      );
    if (this.#waiting.isEmpty) this.close();
  }
}

/** What to record for a client that asked for `asked`; null if it did not ask. */
function detailsOf(asked: TraceDetails | null, { sqlParameters, records }: TraceOptions): TraceDetails {
  const isDevelopment = records === 'all';
  if (asked === null && !sqlParameters && !isDevelopment) return USUAL_DETAILS;
  const wanted = asked ?? USUAL_DETAILS;
  return {
    sqlParameters: wanted.sqlParameters || sqlParameters,
    locals: wanted.locals || isDevelopment,
    profile: wanted.profile,
  };
}

/** Returns `request`, whose content becomes a part of `trace` when it is complete. */
function keepContent(trace: Trace, request: Request): Request {
  const { body } = request;
  if (body === null || body.length > KEPT_CONTENT_BYTES_MAX) return request;
  const kept = new KeptContent(body, (content) => {
    if (trace.recorded !== null && !trace.isAnswered) trace.recorded = { ...trace.recorded, body: content };
  });
  return deriveRequest(request, { body: kept });
}

/** Whether the server failed, or the response did not reach its client. An error of the client (4xx) does not count. */
function hasFailed(status: number, reason: string): boolean {
  return status >= 500 || (reason !== '' && (status < 400 || status === CLIENT_LEFT));
}

/** As in the access log: the client left before the response. */
const CLIENT_LEFT = 499;

function noteRecord(trace: Trace, { reason, route, worker, queueUs, pythonUs, lines }: Request['record']): void {
  trace.reason = reason;
  trace.routeName = route;
  trace.worker = worker;
  trace.queueUs = queueUs;
  trace.pythonUs = pythonUs;
  trace.lines = lines;
}

function addressText(address: string, port: number): string {
  const shown = address.includes(':') ? `[${address}]` : address;
  return port === 0 ? shown : `${shown}:${port}`;
}
