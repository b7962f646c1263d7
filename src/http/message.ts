/**
 * The messages that every part of Viaduct passes on. `http/` makes a Request out of bytes and bytes out of a Response;
 * everything between is a Handler.
 */

/**
 * Header fields in the order received: `[name, value, name, value, …]`. Names keep the sender's case, values are latin-1
 * strings without surrounding white space.
 */
export type HeaderList = readonly string[];

/** The certificate that a TLS client showed. */
export interface ClientCertificate {
  /** Distinguished names as RFC 4514 writes them: the most specific part first, `CN=Jane,O=Example,C=DE`. */
  readonly subject: string;
  readonly issuer: string;
  /** In hexadecimal. */
  readonly serial: string;
  /** SHA-256 of the certificate: hexadecimal octets with colons between them. */
  readonly fingerprint256: string;
  /** Whether an authority that this server trusts for clients vouches for it. Nothing else about it is to be believed when not. */
  readonly verified: boolean;
}

/** What a connection knows about its two ends. One object per connection, shared by all its requests. */
export interface Peer {
  /** Numeric address of the client, or '' on a Unix socket. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Index of the listener that accepted the connection, in the server's list. */
  readonly listener: number;
  /** True when the client speaks https: its bytes came through TLS, here or at a trusted proxy. */
  readonly secure: boolean;
  /** The port that the client believes to speak to, where that is not the listener's: behind a proxy; else ''. */
  readonly serverPort: string;
  /** What a front told of the one request of this connection, where it speaks a gateway protocol. */
  readonly told?: ToldOrigin;
  /** Absent when the client showed none, or was not asked for one. */
  readonly clientCertificate?: ClientCertificate;
}

/** What of a request only a gateway protocol can say. */
export interface ToldOrigin {
  /** See `Request.scriptName`. */
  readonly scriptName: string;
  /** What the client speaks with the front. */
  readonly protocol: Protocol;
}

/** As environ and logs write it. */
export type Protocol = 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2.0';

/** One parsed and framed request. Every field is already validated against RFC 9112. */
export interface Request {
  readonly method: string;
  /** Absolute path as received, still percent-encoded, without the query; '*' for the asterisk-form. */
  readonly path: string;
  /** Query as received, without the '?'; '' when there is none. */
  readonly query: string;
  readonly protocol: Protocol;
  /** Fields as received. `Transfer-Encoding` never stands beside `Content-Length` (RFC 9112 section 6.1). */
  readonly headers: HeaderList;
  /** True when a header name may stand in `headers` more than once. */
  readonly headersRepeat: boolean;
  /**
   * Not 0 when the client has sent the same fields before: all requests with this number have the same `headers`, `host`, `peer` and
   * `protocol`. Who changes one of these in a request of its own sets it to 0, and so does a protocol whose connections have several
   * requests at once.
   */
  readonly recurring: number;
  /**
   * What of `path`, still percent-encoded, leads to the application: '' or a path without a final slash. The application sees it as
   * SCRIPT_NAME and the rest as PATH_INFO (RFC 3875 section 4.1.13).
   */
  readonly scriptName: string;
  /** Authority: of an absolute-form target, else the Host field's value, else ''. */
  readonly host: string;
  /** Null when the request has no content. */
  readonly body: RequestBody | null;
  readonly peer: Peer;
  /** What WSGI middleware made of the request's variables: an application sees these in place of its own. Absent where none did. */
  readonly environ?: object;
  /** The client asks for another protocol (RFC 9110 section 7.8) and sent no content: an `UpgradeResponse` can give it what it wants. */
  readonly upgrades: boolean;
  /** True as soon as the client can no longer receive an answer. */
  readonly gone: boolean;
  /** Called once when `gone` becomes true before the response is complete. One owner at a time: who holds the request. */
  onGone: (() => void) | null;
  /**
   * Sends an interim response before the final one (RFC 9110 section 15.2), such as 103 (RFC 8297). `lines` are checked field lines, each
   * ended by CRLF, without those of the connection and of content. Nothing is sent to HTTP/1.0, to a client that has gone or does not
   * keep up, and once the final response has begun: no client depends on what is interim.
   */
  sendInterim(status: number, lines: string): void;
}

/** Where a stream of blocks goes. After `end` or `fail` nothing more is called. */
export interface BodySink {
  /** A block of a request is valid only during the call: copy it to keep it. A block of a response belongs to the sink. */
  write(block: Uint8Array): void;
  end(): void;
  fail(error: Error): void;
}

/** A stream of blocks that is pushed, with back-pressure. `start` is called once. */
export interface BodySource {
  /** Trailer fields of content in chunks, complete once `end` was called. Absent where there can be none. */
  readonly trailers?: HeaderList;
  start(sink: BodySink): void;
  /** Asks for no more blocks until `resume`; blocks already on their way may still arrive. */
  pause(): void;
  resume(): void;
  /** The receiver wants nothing more: the source frees what it holds and calls nothing again. */
  cancel(): void;
}

/** The content of a request. Nothing is read from the client past its first packet, nor `100 Continue` sent, before `start`. */
export interface RequestBody extends BodySource {
  /** Bytes announced by Content-Length, or -1 for a chunked body. */
  readonly length: number;
  /** Trailer fields of a chunked body, complete once `end` was called. */
  readonly trailers: HeaderList;
}

/** The bytes `start` to `end` (exclusive) of an open file. `release` is called exactly once, sent or not. */
export interface FileBody {
  readonly fd: number;
  readonly start: number;
  readonly end: number;
  release(): void;
}

export type ResponseBody = null | Uint8Array | FileBody | BodySource;

/** A response that comes later: a Promise is one, and so is a pool's queue entry, without the cost of a promise. */
export interface Later<T> {
  then(onValue: (value: T) => unknown, onError: (error: unknown) => unknown): unknown;
}
