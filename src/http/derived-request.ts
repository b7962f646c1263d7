import { type FieldNames, withoutFields } from './field-names.ts';
import type { HeaderList, Peer, Priority, Protocol, Request, RequestBody, RequestRecord } from './message.ts';
import { withholdTrailers } from './withheld-trailers.ts';

/** The properties of a request that a handler may change for the handlers behind it. */
export type RequestChanges = Partial<
  Pick<
    Request,
    | 'method'
    | 'path'
    | 'query'
    | 'headers'
    | 'host'
    | 'peer'
    | 'scriptName'
    | 'body'
    | 'user'
    | 'timeoutMs'
    | 'priority'
  >
>;

/** A request as the handlers behind a change see it, with another path or other headers. The client is still that of `origin`. */
class DerivedRequest implements Request {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly received: string;
  readonly protocol: Protocol;
  readonly headers: HeaderList;
  readonly headersRepeat: boolean;
  readonly host: string;
  readonly scriptName: string;
  readonly body: RequestBody | null;
  readonly peer: Peer;
  readonly headerCacheId: number;
  readonly user: string | undefined;
  readonly timeoutMs: number | undefined;
  readonly priority: Priority | undefined;
  readonly upgrades: boolean;
  readonly #origin: Request;

  constructor(origin: Request, changes: RequestChanges) {
    this.method = changes.method ?? origin.method;
    this.path = changes.path ?? origin.path;
    this.query = changes.query ?? origin.query;
    this.received = changes.path === undefined && changes.query === undefined ? (origin.received ?? '') : '';
    this.protocol = origin.protocol;
    this.headers = changes.headers ?? origin.headers;
    this.headersRepeat = changes.headers === undefined ? origin.headersRepeat : true;
    this.host = changes.host ?? origin.host;
    this.scriptName = changes.scriptName ?? origin.scriptName;
    this.body = changes.body === undefined ? origin.body : changes.body;
    this.peer = changes.peer ?? origin.peer;
    this.headerCacheId =
      changes.headers === undefined && changes.host === undefined && changes.peer === undefined
        ? origin.headerCacheId
        : 0;
    this.user = changes.user ?? origin.user;
    this.timeoutMs = changes.timeoutMs ?? origin.timeoutMs;
    this.priority = changes.priority ?? origin.priority;
    this.upgrades = origin.upgrades;
    this.#origin = origin;
  }

  get neverIndexed(): ReadonlySet<string> | null {
    return this.#origin.neverIndexed ?? null;
  }

  get record(): RequestRecord {
    return this.#origin.record;
  }

  get gone(): boolean {
    return this.#origin.gone;
  }

  get onGone(): (() => void) | null {
    return this.#origin.onGone;
  }

  set onGone(onGone: (() => void) | null) {
    this.#origin.onGone = onGone;
  }

  sendInterim(status: number, lines: string): void {
    this.#origin.sendInterim(status, lines);
  }
}

/** Returns `request` with `changes`, for the handlers further down the chain. The original stays as it was. */
export function deriveRequest(request: Request, changes: RequestChanges): Request {
  return new DerivedRequest(request, changes);
}

/**
 * Returns `request` with the fields `added` instead of the fields `names`, which are removed from its trailers too. `changes` are
 * further changes.
 */
export function replaceFields(
  request: Request,
  names: FieldNames,
  added: HeaderList = [],
  changes: Pick<RequestChanges, 'host' | 'user'> = {},
): Request {
  const { body } = request;
  return deriveRequest(request, {
    ...changes,
    headers: [...withoutFields(request.headers, names), ...added],
    body: body === null ? null : withholdTrailers(body, names),
  });
}

/** The value of the request field `name` (in lower case). Lines of the same name are joined by commas; null without the field. */
export function requestField({ headers }: Pick<Request, 'headers'>, name: string): string | null {
  let value: string | null = null;
  for (let i = 0; i < headers.length; i += 2) {
    const field = headers[i] as string;
    if (field.length !== name.length || field.toLowerCase() !== name) continue;
    value = value === null ? (headers[i + 1] as string) : `${value}, ${headers[i + 1]}`;
  }
  return value;
}
