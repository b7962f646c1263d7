import type { Trace } from '../trace/trace.ts';

/**
 * The messages that every part of Viaduct passes on. `http/` turns bytes into a Request, and a Response into bytes;
 * everything between the two is a Handler.
 */

/**
 * Header fields in the order received: `[name, value, name, value, …]`. Names keep the sender's case, values are latin-1
 * strings without surrounding white space.
 */
export type HeaderList = readonly string[];

/** The certificate that a TLS client presented. */
export interface ClientCertificate {
  /** Distinguished names in the notation of RFC 4514, the most specific part first: `CN=Jane,O=Example,C=DE`. */
  readonly subject: string;
  /** Distinguished name of the issuer, in the same notation. */
  readonly issuer: string;
  /** In hexadecimal. */
  readonly serial: string;
  /** SHA-256 of the certificate: hexadecimal octets with colons between them. */
  readonly fingerprint256: string;
  /** Whether the certificate is from an authority that this server trusts for clients. If not, trust none of the other values. */
  readonly verified: boolean;
}

/** What client and server agreed on in the TLS handshake. */
export interface TlsConnection {
  /** `TLSv1.3` or `TLSv1.2`. */
  readonly version: string;
  /** The cipher suite as OpenSSL names it: `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string;
  /** The host that the client asked for (SNI, RFC 6066 section 3); '' if it asked for none. */
  readonly serverName: string;
}

/** The two ends of a connection. There is one object per connection, shared by all its requests. */
export interface Peer {
  /** Numeric address of the client, or '' on a Unix socket. */
  readonly remoteAddress: string;
  /** Port of the client; 0 if it is not known. */
  readonly remotePort: number;
  /** Index of the listener that accepted the connection, in the server's list. */
  readonly listener: number;
  /** True when the client uses https: its bytes came through TLS, which ended here or at a trusted proxy. */
  readonly secure: boolean;
  /** The port that the client connected to if it is not the listener's, because a proxy is between them; else ''. */
  readonly serverPort: string;
  /** Numeric address of this server that the client connected to. Absent where it is not known, as on a Unix socket. */
  readonly localAddress?: string | undefined;
  /** The port of this address. */
  readonly localPort?: number | undefined;
  /** The TLS of the connection. Absent without TLS, and behind a proxy that ended it. */
  readonly tls?: TlsConnection;
  /** What a front-end proxy reported about the only request of this connection. Present for CGI protocols alone. */
  readonly cgi?: CgiOrigin;
  /** Absent when the client presented no certificate, or was not asked for one. */
  readonly clientCertificate?: ClientCertificate;
  /**
   * The start and the end of the connection's TLS handshake, by `performance.now()`. Absent without one.
   *
   * @internal
   */
  readonly handshakeMs?: readonly [start: number, end: number];
}

/** The properties of a request that only a CGI protocol can convey. */
export interface CgiOrigin {
  /** See `Request.scriptName`. */
  readonly scriptName: string;
  /** The HTTP version between the client and the front-end proxy. */
  readonly protocol: Protocol;
  /** Variables for the application that are not about the request: names and values, alternating. */
  readonly variables: readonly string[];
  /** REMOTE_USER and AUTH_TYPE over FastCGI in the same form: front-end proxies also send what a client claims. */
  readonly user: readonly string[];
}

/** As environ and the logs spell it. */
export type Protocol = 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2.0';

/** What happened to a request on its way, for the logs. A request and all requests derived from it have one record. */
export interface RequestRecord {
  /** Process id of the worker that had the request last; 0 if none had. */
  worker: number;
  /**
   * Microseconds from the complete request (head and content) until a worker's response arrived, without `pythonUs` at that time. It is the
   * wait in the queue and behind other requests of the same thread, and the way to the worker and back. -1 while it is not known.
   */
  queueUs: number;
  /** Microseconds in Python, from the start of the application until its last block was sent; -1 while they are not known. */
  pythonUs: number;
  /** Why this server answered itself, or gave up: a fixed text, such as `queue full`; '' if it did not. */
  reason: string;
  /** The id of the request: what a trusted proxy sent as X-Request-ID, else '' until `requestIdOf` makes one. */
  id: string;
  /** Name of the route that the request matched; '' for a request without a route. */
  route: string;
  /** The field lines of the response, as handlers returned it; '' without a response. */
  lines: string;
  /**
   * Records what happens to the request; null unless it was chosen for that.
   *
   * @internal
   */
  trace: Trace | null;
}

/** Which requests of an application get a worker first if they wait. */
export type Priority = 'high' | 'normal' | 'low';

/** One parsed and framed request. All values are already validated against RFC 9112. */
export interface Request {
  /** Method as received: `GET`. */
  readonly method: string;
  /** Absolute path as received, still percent-encoded, without the query; '*' for the asterisk-form. */
  readonly path: string;
  /** Query as received, without the '?'; '' without a query. */
  readonly query: string;
  /** The target as received, if it is not `path` and `query`: in absolute-form, with an empty query, `<` or `>`. Else '' or absent. */
  readonly received?: string;
  /** The version of HTTP that the client uses. */
  readonly protocol: Protocol;
  /** Fields as received. `Transfer-Encoding` and `Content-Length` never appear together (RFC 9112 section 6.1). */
  readonly headers: HeaderList;
  /** False when no name appears in `headers` twice; true when one may. */
  readonly headersRepeat: boolean;
  /**
   * Not 0 when the client has sent the same fields before: all requests with this number have the same `headers`, `host`, `peer` and
   * `protocol`. A handler that changes one of these in a derived request sets the number to 0. A protocol whose connections have
   * several requests at once always uses 0.
   */
  readonly headerCacheId: number;
  /**
   * Names, in lower case, of fields that must not go into a compression table on their way to the application (RFC 7541 section 6.2.3).
   * Absent or null if the client asked for no such thing.
   */
  readonly neverIndexed?: ReadonlySet<string> | null;
  /**
   * The start of `path` that leads to the application, still percent-encoded: '' or a path without a final slash. The application
   * gets it as SCRIPT_NAME, and the remaining path as PATH_INFO (RFC 3875 section 4.1.13).
   */
  readonly scriptName: string;
  /** The name of the user whose password this server has verified. The application gets it as REMOTE_USER. Absent without one. */
  readonly user?: string | undefined;
  /** Milliseconds from the complete request to the start of its response, from its route; 0 for any. Absent: the application's. */
  readonly timeoutMs?: number | undefined;
  /** Which requests get a worker first if they wait, from its route. Absent: normal. */
  readonly priority?: Priority | undefined;
  /** The authority of an absolute-form target, else the value of the Host field, else ''. */
  readonly host: string;
  /** Null when the request has no content. */
  readonly body: RequestBody | null;
  /** The connection of the client. */
  readonly peer: Peer;
  /** The request's variables as WSGI middleware changed them: the application gets these instead. Absent without such a change. */
  readonly environ?: object;
  /** True when the client asks for another protocol (RFC 9110 section 7.8) and sent no content: an `UpgradeResponse` can grant it. */
  readonly upgrades: boolean;
  /** What has happened to the request, for the logs. */
  readonly record: RequestRecord;
  /** True as soon as the client can no longer receive a response. */
  readonly gone: boolean;
  /** Called once if `gone` becomes true before the response is complete. The present holder of the request owns this property. */
  onGone: (() => void) | null;
  /**
   * Sends an interim response before the final one (RFC 9110 section 15.2), such as 103 (RFC 8297). `lines` are checked field lines,
   * each ended by CRLF, without those of the connection and of content. The response is dropped if the client uses HTTP/1.0, has gone
   * or does not keep up, and if the final response has started: a client never depends on an interim response.
   */
  sendInterim(status: number, lines: string): void;
}

/** The receiver of a stream of blocks. `end` or `fail` is the last call. */
export interface BodySink {
  /**
   * A block of a request is valid only during the call: copy the block to keep it. A block of a response belongs to the sink, which calls
   * `onReleased` if it no longer needs its memory, and otherwise leaves it to the garbage collector.
   */
  write(block: Uint8Array, onReleased?: () => void): void;
  /** The content is complete. */
  end(): void;
  /** The content breaks off. */
  fail(error: Error): void;
}

/** A source that pushes a stream of blocks, with back-pressure. `start` is called once. */
export interface BodySource {
  /** Trailer fields of chunked content, complete once `end` was called. Absent where trailers are impossible. */
  readonly trailers?: HeaderList;
  /** Starts to push blocks to `sink`. */
  start(sink: BodySink): void;
  /** Stops the blocks until `resume`; blocks already on their way may still arrive. */
  pause(): void;
  /** Continues after `pause`. */
  resume(): void;
  /** The receiver wants no more blocks: the source frees its resources and does not call the sink again. */
  cancel(): void;
}

/**
 * The content (the body) of a request. Before `start`, the server reads nothing past the client's first packet and sends no
 * `100 Continue`.
 */
export interface RequestBody extends BodySource {
  /** Bytes announced by Content-Length, or -1 for a chunked body. */
  readonly length: number;
  /** Trailer fields of a chunked body, complete once `end` was called. */
  readonly trailers: HeaderList;
}

/** The bytes `start` to `end` (exclusive) of an open file. `release` is called exactly once, sent or not. */
export interface FileBody {
  /** The file descriptor. */
  readonly fd: number;
  /** Position of the first byte. */
  readonly start: number;
  /** Position after the last byte. */
  readonly end: number;
  /** Called when the response does not need the file any more. */
  release(): void;
}

/** The content (the body) of a response: none, bytes, a part of a file, or a stream of blocks. */
export type ResponseBody = null | Uint8Array | FileBody | BodySource;

/** A value that comes later. A promise is a `Later`, and so is an entry of a pool's queue, without the cost of a promise. */
export interface Later<T> {
  /** Calls one of the two functions once, as the `then` of a promise does. */
  then(onValue: (value: T) => unknown, onError: (error: unknown) => unknown): unknown;
}
