/**
 * A trace in the form in which it is shown, exported and sent as JSON: one request from its connection to its last byte, with what each hop got
 * and gave. Times are whole microseconds since `startedAt`, on one clock for Node and Python (CLOCK_MONOTONIC).
 */
export interface TraceDocument {
  /** The id of the request; see `requestIdOf`. */
  readonly id: string;
  /** Trace id and span ids of W3C Trace Context, in hexadecimal: 32 and 16 digits. */
  readonly traceId: string;
  readonly spanId: string;
  /** The span of the client or proxy that asked; null without one. */
  readonly parentSpanId: string | null;
  /** ISO 8601 with milliseconds: when the first byte of the request arrived. */
  readonly startedAt: string;
  /** Until the last byte of the response was given to the kernel; null while that is not over. */
  readonly durationUs: number | null;
  readonly state: 'running' | 'done' | 'incomplete';
  /** Sentences: what is not known of this request, and why. */
  readonly missing: readonly string[];
  /** Why the trace was kept. */
  readonly kept: 'sampled' | 'asked' | 'failed' | 'slow' | 'development';
  /** `stages`: only what the server measures of every request; `full`: also handlers, Python and what is in it. */
  readonly detail: 'stages' | 'full';
  readonly request: RequestPart;
  /** Null if the client got none, or not yet. */
  readonly response: ResponsePart | null;
  readonly route: RoutePart | null;
  /** What ran the request; null if no application of this server did. */
  readonly application: ApplicationPart | null;
  /** As the application got it, secrets redacted; null if it is not known. */
  readonly environ: readonly EnvironItem[] | null;
  /** The calls of `start_response`, in order, each with the name of its caller. */
  readonly startResponse: readonly StartResponseCall[];
  /** In order of start; `parent` is an index into this list. */
  readonly spans: readonly Span[];
  /** The fields of the request on its way in and of the response on its way out, at each hop where they are known, in order of time. */
  readonly hops: readonly Hop[];
  readonly exception: ExceptionPart | null;
  readonly queries: QuerySummary;
  readonly times: Times;
  /** How far the clocks of Node and Python may differ, in microseconds. */
  readonly clockErrorUs: number;
  /** The stacks of the request's thread, sampled; null without a profile. */
  readonly profile: Profile | null;
}

/** Name and value of a field as sent. A secret's value is replaced by `REDACTED`. */
export type Field = readonly [name: string, value: string];

export interface RequestPart {
  readonly method: string;
  /** Path and query as received; secrets in the query are redacted. */
  readonly target: string;
  readonly protocol: string;
  readonly scheme: 'http' | 'https';
  readonly host: string;
  /** Numeric address and port; '' on a Unix socket. */
  readonly client: string;
  /** For people, such as `http://127.0.0.1:8000`. */
  readonly listener: string;
  readonly headers: readonly Field[];
  /** -1 if it is not known. */
  readonly bodyBytes: number;
}

export interface ResponsePart {
  readonly status: number;
  readonly headers: readonly Field[];
  readonly bodyBytes: number;
  /** Why this server answered itself or gave up; '' if it did not. */
  readonly reason: string;
}

export interface RoutePart {
  readonly name: string;
  /** A sentence: what of the request matched. */
  readonly why: string;
  /** Routes that were looked at before, and a sentence why each did not match. */
  readonly rejected: readonly { readonly name: string; readonly why: string }[];
}

export interface ApplicationPart {
  readonly name: string;
  /** Process id of the worker; 0 for an application in TypeScript. */
  readonly worker: number;
  readonly thread: string;
}

/** The groups are those of PEP 3333: CGI variables about the request, the server's, those of WSGI, and what the process had. */
export interface EnvironItem {
  readonly group: 'request' | 'server' | 'wsgi' | 'process';
  readonly name: string;
  /** The text, or the `repr` of another object. */
  readonly value: string;
}

export interface StartResponseCall {
  readonly caller: string;
  readonly status: string;
  readonly headers: readonly Field[];
  readonly hasExcInfo: boolean;
}

/** What happens in a span. `docs/tracing.md` and the page explain each. */
export type SpanKind =
  | 'connection' // from accept to the first byte of the request: only for the first request of a connection
  | 'tls' // the handshake, within the connection
  | 'head' // from the first byte of the request to its complete head
  | 'rules' // what applies to every client: trusted proxies, the site's choice
  | 'route' // the choice of a route
  | 'handler' // one handler of the route's chain, with all that it calls
  | 'content' // the content of the request arrives
  | 'queue' // the request waits for a lane
  | 'lane' // from its lane to the worker: behind other requests of the same thread, and the way there
  | 'backend' // a backend has the request
  | 'python' // the worker's thread runs the request: all that follows is within
  | 'wsgi-middleware'
  | 'application' // the WSGI application that the middleware calls
  | 'middleware' // of the framework, from its call to its return
  | 'phase' // the request or response phase of a middleware
  | 'url' // the URL resolver
  | 'view'
  | 'template'
  | 'query'
  | 'cache'
  | 'signal'
  | 'hook' // such as before_request of Flask
  | 'http-client' // a request that the application sends
  | 'body' // the iterable makes its blocks
  | 'close' // the iterable's close()
  | 'return' // from the worker back to the server
  | 'response' // from the response's head to its last byte, with `flush` within
  | 'flush'; // waits until the client takes bytes

export interface Span {
  /** Index in `spans`; -1 for the request itself. */
  readonly parent: number;
  readonly kind: SpanKind;
  readonly name: string;
  /** Negative for the connection of its first request, which opened before the request arrived. */
  readonly startUs: number;
  /** Null if its end is not known. */
  readonly endUs: number | null;
  /** Such as `sql`, `rows`, `alias`, `status`, `phase`, `pattern`, `error`, `hit`. Values of secrets are redacted. */
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** Where the code is; '' and 0 if it is not known. */
  readonly file: string;
  readonly line: number;
}

export interface Hop {
  /** Index in `spans` of what had passed the message on. */
  readonly span: number;
  readonly direction: 'request' | 'response';
  /** What passed it on, for people: `the client`, `handler compress`, `middleware SessionMiddleware`. */
  readonly name: string;
  /** The status of a response; '' for a request. */
  readonly status: string;
  readonly headers: readonly Field[];
}

export interface ExceptionPart extends Raise {
  /** The text that Python or Node prints. */
  readonly traceback: string;
  /** The exceptions that led to it, depth first: those of a group, then what caused the group. */
  readonly chain: readonly EarlierException[];
}

/** One exception without those that led to it. */
export interface Raise {
  readonly type: string;
  readonly message: string;
  /** The outermost first. */
  readonly frames: readonly Frame[];
  /** How many exceptions a group has; 0 for another exception. `chain` has the first of them. */
  readonly members: number;
}

export interface EarlierException extends Raise {
  /** `cause`: the later exception names it. `context`: it was being handled when the later one was raised. `member`: the later one is a group, and has it. */
  readonly relation: 'cause' | 'context' | 'member';
  /** Index in `chain` of the exception that it led to; -1 for the last one. */
  readonly of: number;
}

export interface Frame {
  readonly file: string;
  readonly line: number;
  /** '' for code that could not be compiled. */
  readonly function: string;
  /** Lines of the source around `line`; the first has the number `sourceLine`. Empty without the source. */
  readonly source: readonly string[];
  readonly sourceLine: number;
  /** Names and `repr` of local variables, secrets redacted; only in development. */
  readonly locals: readonly Field[];
  /** Whether the frame belongs to the project and not to a library. */
  readonly isProject: boolean;
  /** The columns of `line` that are meant, the second one exclusive; null for the whole line. */
  readonly columns: readonly [from: number, to: number] | null;
}

export interface QuerySummary {
  readonly count: number;
  readonly us: number;
  /** Texts that were sent more than once with the same parameters, or without parameters. */
  readonly duplicates: readonly RepeatedQuery[];
  /** Texts that one line of the project sent again and again with other parameters: N+1. */
  readonly nPlusOne: readonly RepeatedQuery[];
}

export interface RepeatedQuery {
  readonly sql: string;
  readonly count: number;
  readonly us: number;
  readonly file: string;
  readonly line: number;
}

/** Where the time went. The parts do not overlap; their sum is `durationUs` if that is known. */
export interface Times {
  readonly queueUs: number;
  readonly pythonUs: number;
  readonly backendUs: number;
  /** The server waited for the client: for its request, or until it took the response. */
  readonly clientUs: number;
  /** All the rest: Viaduct's own part. */
  readonly ownUs: number;
}

export interface Profile {
  /** Microseconds between two samples. */
  readonly intervalUs: number;
  /** Each stack, the outermost frame first as `function (file:line)`, and how many samples had it. */
  readonly stacks: readonly { readonly frames: readonly string[]; readonly samples: number }[];
}

/** The text that replaces a secret. */
export const REDACTED = '[redacted]';
