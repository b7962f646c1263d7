import type { Field, Span, TraceDocument } from './document.ts';

/** HTTP Archive 1.2 (http://www.softwareishard.com/blog/har-12-spec/), as far as a server knows the values. Sizes are -1 where they are not known. */
export interface Har {
  readonly log: {
    readonly version: '1.2';
    readonly creator: { readonly name: string; readonly version: string };
    readonly pages: readonly never[];
    readonly entries: readonly HarEntry[];
  };
}

export interface HarEntry {
  readonly startedDateTime: string;
  /** Milliseconds: the sum of the timings. */
  readonly time: number;
  readonly request: HarRequest;
  readonly response: HarResponse;
  readonly cache: Readonly<Record<string, never>>;
  readonly timings: HarTimings;
  /** The connection. */
  readonly connection: string;
  /** The whole trace. Names that start with an underscore are for extensions. */
  readonly _viaduct: TraceDocument;
}

export interface HarRequest {
  readonly method: string;
  readonly url: string;
  readonly httpVersion: string;
  readonly cookies: readonly HarCookie[];
  readonly headers: readonly HarPair[];
  readonly queryString: readonly HarPair[];
  readonly headersSize: number;
  readonly bodySize: number;
}

export interface HarResponse {
  readonly status: number;
  readonly statusText: string;
  readonly httpVersion: string;
  readonly cookies: readonly HarCookie[];
  readonly headers: readonly HarPair[];
  readonly content: { readonly size: number; readonly mimeType: string };
  readonly redirectURL: string;
  readonly headersSize: number;
  readonly bodySize: number;
}

export interface HarPair {
  readonly name: string;
  readonly value: string;
}

export interface HarCookie extends HarPair {
  readonly path?: string;
  readonly domain?: string;
  readonly expires?: string;
  readonly httpOnly?: boolean;
  readonly secure?: boolean;
}

/** In milliseconds; -1 for what the request did not need. `ssl` is within `connect`. */
export interface HarTimings {
  readonly blocked: number;
  readonly dns: number;
  readonly connect: number;
  readonly ssl: number;
  readonly send: number;
  readonly wait: number;
  readonly receive: number;
}

/**
 * The request of a trace as an archive with one entry, which the network panels of browsers and other programs open. `usualPhrase` returns the
 * standard reason phrase of a status; '' for a status without one.
 */
export function harOf(document: TraceDocument, version: string, usualPhrase: (status: number) => string): Har {
  const { request, response } = document;
  const timings = timingsOf(document);
  const entry: HarEntry = {
    startedDateTime: document.startedAt,
    time: sumOf(timings),
    request: {
      method: request.method,
      url: `${request.scheme}://${request.host || 'localhost'}${request.target.startsWith('/') ? request.target : `/${request.target}`}`,
      httpVersion: request.protocol,
      cookies: request.headers.filter(isNamed('cookie')).flatMap(([, value]) => cookiesOf(value)),
      headers: pairsOf(request.headers),
      queryString: queryOf(request.target),
      headersSize: -1,
      bodySize: request.bodyBytes,
    },
    response: {
      status: response?.status ?? 0,
      statusText: response === null ? '' : (ownPhrase(document, response.status) ?? usualPhrase(response.status)),
      httpVersion: request.protocol,
      cookies: (response?.headers ?? []).filter(isNamed('set-cookie')).map(([, value]) => setCookieOf(value)),
      headers: pairsOf(response?.headers ?? []),
      content: { size: response?.bodyBytes ?? 0, mimeType: firstValue(response?.headers ?? [], 'content-type') },
      redirectURL: firstValue(response?.headers ?? [], 'location'),
      headersSize: -1,
      bodySize: response?.bodyBytes ?? -1,
    },
    cache: {},
    timings,
    connection: request.client,
    _viaduct: document,
  };
  return { log: { version: '1.2', creator: { name: 'Viaduct', version }, pages: [], entries: [entry] } };
}

/** The reason phrase with which the application started a response with this status; undefined if it started none. */
function ownPhrase({ startResponse }: TraceDocument, status: number): string | undefined {
  const code = `${status} `;
  return startResponse.findLast((call) => call.status.startsWith(code))?.status.slice(code.length);
}

/**
 * `send` is the arrival of head and content, `receive` from the head of the response to its last byte, `wait` all between them. A connection is
 * opened before the clock of the request starts.
 */
function timingsOf({ spans, durationUs }: TraceDocument): HarTimings {
  const connection = lengthOf(spans.find(({ kind }) => kind === 'connection'));
  const tls = lengthOf(spans.find(({ kind }) => kind === 'tls'));
  const sent = Math.max(0, ...spans.filter(({ kind }) => kind === 'head' || kind === 'content').map(endOf));
  const last = durationUs ?? Math.max(sent, ...spans.map(endOf));
  const answered = spans.find(({ kind }) => kind === 'response')?.startUs ?? last;
  const wait = Math.max(0, answered - sent);
  return {
    blocked: -1,
    dns: -1,
    connect: milliseconds(connection),
    ssl: milliseconds(tls),
    send: sent / 1000,
    wait: wait / 1000,
    receive: Math.max(0, last - sent - wait) / 1000,
  };
}

function lengthOf(span: Span | undefined): number {
  return span === undefined || span.endUs === null ? -1 : Math.max(0, span.endUs - span.startUs);
}

function endOf({ startUs, endUs }: Span): number {
  return endUs ?? startUs;
}

function milliseconds(us: number): number {
  return us < 0 ? -1 : us / 1000;
}

/** Without `ssl`, which is part of `connect`, and without what is not known. */
function sumOf({ connect, send, wait, receive }: HarTimings): number {
  return Math.max(0, connect) + send + wait + receive;
}

function isNamed(name: string): (field: Field) => boolean {
  return ([own]) => own.toLowerCase() === name;
}

function firstValue(fields: readonly Field[], name: string): string {
  return fields.find(isNamed(name))?.[1] ?? '';
}

function pairsOf(fields: readonly Field[]): HarPair[] {
  return fields.map(([name, value]) => ({ name, value }));
}

function queryOf(target: string): HarPair[] {
  const start = target.indexOf('?');
  if (start < 0) return [];
  return [...new URLSearchParams(target.slice(start + 1))].map(([name, value]) => ({ name, value }));
}

/** The pairs of a Cookie field (RFC 6265 section 5.4). A redacted field has no pair that is known. */
function cookiesOf(value: string): HarCookie[] {
  return value
    .split(';')
    .filter((pair) => pair.includes('='))
    .map(cookieOf);
}

function setCookieOf(value: string): HarCookie {
  const [pair = '', ...attributes] = value.split(';');
  const known = new Map(
    attributes.map((text) => [text.split('=')[0]?.trim().toLowerCase() ?? '', cookieOf(text).value]),
  );
  const expires = Date.parse(known.get('expires') ?? '');
  return {
    ...cookieOf(pair),
    ...optional('path', known.get('path')),
    ...optional('domain', known.get('domain')),
    ...(Number.isNaN(expires) ? {} : { expires: new Date(expires).toISOString() }),
    httpOnly: known.has('httponly'),
    secure: known.has('secure'),
  };
}

function cookieOf(pair: string): HarPair {
  const middle = pair.indexOf('=');
  if (middle < 0) return { name: pair.trim(), value: '' };
  return { name: pair.slice(0, middle).trim(), value: pair.slice(middle + 1).trim() };
}

function optional<N extends string>(name: N, value: string | undefined): { readonly [key in N]?: string } {
  return value === undefined || value === '' ? {} : ({ [name]: value } as { readonly [key in N]: string });
}
