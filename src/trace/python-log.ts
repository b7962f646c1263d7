import type { SpanKind } from './document.ts';
import { Malformed, type MarshalValue } from './marshal-reader.ts';
import { dict, fieldsOf, list, marshalled, number, text } from './marshal-values.ts';

export interface PythonSpan {
  readonly kind: SpanKind;
  readonly name: string;
  readonly startNs: number;
  /** 0 if it has not ended. */
  readonly endNs: number;
  /** Index in `PythonPart.spans`, of an earlier one; -1 without one. */
  readonly parent: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly file: string;
  readonly line: number;
}

export type PythonFields = readonly (readonly [name: string, value: string])[];

export interface PythonHop {
  readonly span: number;
  readonly direction: 'request' | 'response';
  readonly name: string;
  readonly status: string;
  readonly fields: PythonFields;
}

export interface PythonStartResponse {
  readonly caller: string;
  readonly status: string;
  readonly fields: PythonFields;
  readonly hasExcInfo: boolean;
}

/** What a worker's thread noted, in order. */
export interface PythonLog {
  readonly spans: readonly PythonSpan[];
  readonly hops: readonly PythonHop[];
  readonly startResponse: readonly PythonStartResponse[];
}

/** The kinds of spans that a worker may report. */
const KINDS: ReadonlySet<string> = new Set<SpanKind>([
  ...(['python', 'wsgi-middleware', 'application', 'middleware', 'phase', 'url', 'view', 'template', 'query'] as const),
  ...(['cache', 'signal', 'hook', 'http-client', 'body', 'close'] as const),
]);

/** The values of an event. */
const EVENT = 3;
/** A span starts only among the first 4000 events (`recorder.py`), and has at most two more. */
const EVENTS_MAX = 12_000;
const HOPS_MAX = 200;

/**
 * Reads the log of a request; `recorder.py` has its form. A worker only notes that something starts and ends. What is within what follows from
 * the order, as do the phases of Django's middleware: the request phase lasts until the next middleware starts, and the response phase starts when that
 * one ends, or when Django has made a response of its exception.
 *
 * @throws Malformed
 */
export function readPythonLog(value: MarshalValue | undefined): PythonLog {
  const log = list(value, EVENTS_MAX * EVENT);
  if (log.length % EVENT !== 0) throw new Malformed('it has an event that is cut short');
  const reader = new LogReader();
  for (let at = 0; at < log.length; at += EVENT) {
    const what = log[at];
    const time = number(log[at + 1]);
    const ns = nanoseconds(time);
    const known = log[at + 2] ?? null;
    if (typeof what !== 'number')
      reader.start(time, list(what instanceof Uint8Array ? marshalled(what) : what), ns, known);
    else if (ns === 0) reader.know(what, known);
    else reader.end(what, ns, known);
  }
  return reader;
}

/** Times are seconds. */
export function nanoseconds(value: MarshalValue | undefined): number {
  return number(Math.round(number(value) * 1e9));
}

type Draft = { -readonly [name in keyof PythonSpan]: PythonSpan[name] };

/** A span that has started, or several: a middleware has its phases within. */
interface Started {
  /** -1 for the link to the view, which is not a middleware. */
  readonly span: number;
  /** Nothing is within it. */
  readonly isAside: boolean;
  /** Django makes a response of an exception. The response phase of the middleware around it follows. */
  readonly isAnswer: boolean;
  /** Null unless it is a link of Django's chain. */
  readonly link: Link | null;
}

interface Link {
  readonly outer: Link | null;
  /** The response phase of the middleware. */
  readonly response: MarshalValue | undefined;
  /** The span of the middleware, or of the one around the view. */
  span: number;
  /** The phase within which the chain of another request starts; -1 without one. Null if the link is not the first one of a further chain. */
  readonly around: number | null;
}

class LogReader implements PythonLog {
  readonly spans: Draft[] = [];
  readonly hops: PythonHop[] = [];
  readonly startResponse: PythonStartResponse[] = [];
  /** By the time of their start. */
  readonly #started = new Map<number, Started>();
  /** The innermost open span; -1 outside of all. */
  #current = -1;
  /** The open phase of a middleware; -1 without one. */
  #phase = -1;
  #link: Link | null = null;
  /** Status and fields of the last hop of the response. */
  #response = '';

  start(startTime: number, description: readonly MarshalValue[], ns: number, known: MarshalValue): void {
    const [kind, name, file, line, more, last] = description;
    if (!KINDS.has(text(kind))) throw new Malformed('it has a span of an unknown kind');
    if (kind === 'middleware') {
      this.#startLink(startTime, description, ns);
      return;
    }
    const isAside = last === undefined && more === true;
    const isAnswer = kind === 'phase' && more === 'exception' && this.#takeBackPhase();
    const span = this.#add(kind as SpanKind, [name, file, line], ns);
    if (!isAside) this.#current = span;
    if (typeof more === 'string') this.#set(span, 'phase', more);
    this.#started.set(startTime, { span, isAside, isAnswer, link: null });
    this.#know(span, known);
  }

  #startLink(startTime: number, [, name, file, line, request, response]: readonly MarshalValue[], ns: number): void {
    const around = this.#isElsewhere() ? this.#phase : null;
    if (around === null) this.#endPhase(ns);
    this.#phase = -1;
    const link = {
      outer: this.#link,
      response,
      around,
      span: around === null ? (this.#link?.span ?? -1) : this.#current,
    };
    this.#link = link;
    let span = -1;
    if (name !== '') {
      span = this.#add('middleware', [name, file, line], ns);
      this.#current = span;
      link.span = span;
      this.#startPhase('request', request, ns);
    }
    this.#started.set(startTime, { span, isAside: false, isAnswer: false, link: this.#link });
  }

  /** Whether something between the last link and the next one runs: a view or another part of it sends a request through Django itself. */
  #isElsewhere(): boolean {
    if (this.#link === null) return false;
    let current = this.#current;
    while (current >= 0 && current !== this.#phase && (this.spans[current] as Draft).endNs > 0)
      current = (this.spans[current] as Draft).parent;
    return current !== (this.#phase >= 0 ? this.#phase : this.#link.span);
  }

  end(startTime: number, ns: number, known: MarshalValue): void {
    const { span, isAside, isAnswer, link } = this.#find(startTime);
    if (link !== null) this.#endPhase(ns);
    if (span >= 0) {
      this.#know(span, known);
      (this.spans[span] as Draft).endNs = ns;
      if (!isAside) this.#current = (this.spans[span] as Draft).parent;
    }
    if (isAnswer) this.#startPhase('response', this.#link?.response, ns);
    if (link === null) return;
    this.#link = link.outer;
    if (link.around !== null) this.#phase = link.around;
    else if (link.outer !== null) this.#startPhase('response', link.outer.response, ns);
  }

  /** More is known of a span. */
  know(startTime: number, known: MarshalValue): void {
    this.#know(this.#find(startTime).span, known);
  }

  #find(startTime: number): Started {
    const started = this.#started.get(startTime);
    if (started === undefined) throw new Malformed('it has the end of a span that has not started');
    return started;
  }

  #add(kind: SpanKind, [name, file, line]: readonly (MarshalValue | undefined)[], ns: number): number {
    let parent = this.#current;
    // Two parts of an asynchronous view ran at the same time.
    while (parent >= 0 && (this.spans[parent] as Draft).endNs > 0) parent = (this.spans[parent] as Draft).parent;
    const place = { file: text(file), line: number(line) };
    return this.spans.push({ kind, name: text(name), startNs: ns, endNs: 0, parent, attributes: {}, ...place }) - 1;
  }

  /** A phase without a name does nothing. */
  #startPhase(phase: 'request' | 'response', description: MarshalValue | undefined, ns: number): void {
    const what = list(description ?? ['']);
    if (what[0] === '') return;
    this.#phase = this.#add('phase', what, ns);
    this.#current = this.#phase;
    this.#set(this.#phase, 'phase', phase);
  }

  /** Takes back the phase that has started when a link ended. Returns whether there was one. */
  #takeBackPhase(): boolean {
    if (this.#phase < 0 || this.#phase !== this.spans.length - 1) return false;
    this.#current = (this.spans.pop() as Draft).parent;
    this.#phase = -1;
    return true;
  }

  #endPhase(ns: number): void {
    const phase = this.spans[this.#phase];
    this.#phase = -1;
    if (phase === undefined) return;
    phase.endNs = ns;
    this.#current = phase.parent;
  }

  #set(span: number, name: string, value: string | number | boolean): void {
    const draft = this.spans[span];
    if (draft !== undefined) draft.attributes = { ...draft.attributes, [name]: value };
  }

  #know(span: number, known: MarshalValue): void {
    const draft = this.spans[span];
    if (known === null || draft === undefined) return;
    if (Array.isArray(known)) {
      this.#hop(span, draft, known);
      return;
    }
    draft.attributes = { ...draft.attributes, ...attributesOf(known) };
    const { pattern } = draft.attributes;
    if (draft.kind === 'url' && typeof pattern === 'string') draft.name = pattern || 'the empty pattern';
  }

  #hop(span: number, { kind, name }: Draft, known: readonly MarshalValue[]): void {
    const caller = passerOf(kind, name);
    if (known.length === 1) {
      this.#pass({ span, direction: 'request', name: caller, status: '', fields: fieldsOf(known[0]) });
      return;
    }
    const status = text(known[0]);
    const received = fieldsOf(known[1]);
    if (known.length > 2) this.startResponse.push({ caller, status, fields: received, hasExcInfo: known[2] === true });
    // Whitespace around a value is not a part of it (RFC 9110 section 5.5): Django before 6 has some in Set-Cookie.
    const fields = received.map(([field, content]) => [field, content.trim()] as const);
    const response = JSON.stringify([status, fields]);
    if (response === this.#response) return;
    this.#response = response;
    this.#pass({ span, direction: 'response', name: caller, status, fields });
  }

  #pass(hop: PythonHop): void {
    if (this.hops.length < HOPS_MAX) this.hops.push(hop);
  }
}

/** The name of a hop, and of the caller of `start_response`, by its span. */
function passerOf(kind: SpanKind, name: string): string {
  if (kind === 'middleware' || kind === 'view') return `${kind} ${name}`;
  return kind === 'hook' ? `after_request ${name}` : name.slice(name.lastIndexOf('.') + 1);
}

function attributesOf(value: MarshalValue): Record<string, string | number | boolean> {
  const attributes: Record<string, string | number | boolean> = Object.create(null);
  for (const [name, one] of dict(value)) {
    if (one === null) continue;
    if (typeof one === 'object') throw new Malformed('it has an attribute that is not a plain value');
    attributes[name] = one;
  }
  return attributes;
}
