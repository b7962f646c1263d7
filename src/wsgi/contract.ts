import type { ListenerEnviron } from './variables.ts';

/**
 * WSGI (PEP 3333) in TypeScript. An application is a function of an environ and `start_response`. A middleware makes an application of another
 * application. The server calls the application and sends what it returns. Each character of a string represents a byte (latin-1), as in the PEP's native
 * strings.
 */

/** The environ key of a header field: upper case, with `_` for `-`. `X-Key` is `HTTP_X_KEY`. */
export type HeaderKey = `HTTP_${Uppercase<string>}`;

/** The environ key of a server or a middleware: its own name, a dot, and the name of the value, such as `wsgi.input` or `shop.user`. */
export type ExtensionKey = `${string}.${string}`;

/**
 * One request, as the application sees it (PEP 3333, "environ Variables"). Each request has a plain object of its own. Middleware changes it, or passes on a
 * changed copy.
 */
export interface Environ {
  /** `GET`, `POST`, …, as received. */
  REQUEST_METHOD: string;
  /** The part of the path that leads to the application, percent-decoded: '' at the root; otherwise it starts with `/` and does not end with one. */
  SCRIPT_NAME: string;
  /** The path after SCRIPT_NAME, percent-decoded: a UTF-8 `é` is the two characters `Ã©`. See `pathText`. */
  PATH_INFO: string;
  /** The query without its `?`, still encoded; '' for none. */
  QUERY_STRING: string;
  /**
   * The target as received: path and query, or a whole URI (RFC 9112 section 3.2.2). It is not in the PEP, but other servers have it too.
   */
  REQUEST_URI: string;
  /** The same, by the name that gunicorn gives it. */
  RAW_URI: string;
  /** Host that the server listens on. The host that the client asked for is HTTP_HOST. */
  SERVER_NAME: string;
  /** Port that the client connected to, in decimal. Behind a trusted proxy, the port that the proxy reports. */
  SERVER_PORT: string;
  /** `HTTP/1.0`, `HTTP/1.1` or `HTTP/2.0`. */
  SERVER_PROTOCOL: string;
  /** Name and version of the server: `viaduct/0.1.0`. */
  SERVER_SOFTWARE: string;
  /** Numeric address of the client; '' on a Unix socket. */
  REMOTE_ADDR: string;
  /** Port of the client, in decimal; `0` if it is not known. */
  REMOTE_PORT: string;
  /** Name of the client's user, if a front-end proxy or a middleware has authenticated the client. */
  REMOTE_USER?: string;
  /** The way in which REMOTE_USER was authenticated, such as `Basic`. */
  AUTH_TYPE?: string;
  /** As received; absent if the client sent none. */
  CONTENT_TYPE?: string;
  /** Bytes of the content, in decimal. Absent if the request has no content, and if the length is not known before the end of the content. */
  CONTENT_LENGTH?: string;
  /** Whether the client's certificate was verified: `SUCCESS` or `FAILED`. Absent if the client showed none. Named as in Apache's mod_ssl. */
  SSL_CLIENT_VERIFY?: string;
  /** Subject of the client's certificate (RFC 4514). */
  SSL_CLIENT_S_DN?: string;
  /** Issuer of the client's certificate (RFC 4514). */
  SSL_CLIENT_I_DN?: string;
  /** Serial number of the client's certificate, in hexadecimal. */
  SSL_CLIENT_M_SERIAL?: string;
  /** SHA-256 of the client's certificate, in hexadecimal with colons. */
  SSL_CLIENT_FINGERPRINT?: string;
  /** Version of the contract. */
  'wsgi.version': readonly [1, 0];
  /** Scheme of the request. Behind a trusted proxy, the scheme that the proxy reports. */
  'wsgi.url_scheme': 'http' | 'https';
  /** The request's content. */
  'wsgi.input': InputStream;
  /** Lines for the server's log. */
  'wsgi.errors': ErrorStream;
  /** Always false: JavaScript runs in one thread. */
  'wsgi.multithread': boolean;
  /** Whether another process may run the same application. */
  'wsgi.multiprocess': boolean;
  /** Always false: the application is called more than once. */
  'wsgi.run_once': boolean;
  /** Always true: reading `wsgi.input` to its end is safe without CONTENT_LENGTH. */
  'wsgi.input_terminated': boolean;
  /** Makes a response body of a file, which the server can send itself. */
  'wsgi.file_wrapper'?: FileWrapper;
  /** Sends headers such as `Link` before the response, so that the client can start to load what the page needs. */
  'wsgi.early_hints'?: EarlyHints;
  /** The client, while it waits. Absent if the application was not called by Viaduct. */
  'viaduct.client'?: Client;
  /** A header field. Several fields of one name are joined by commas, cookies by semicolons. */
  [header: HeaderKey]: string | undefined;
  /** A value of the server or of a middleware. */
  [extension: ExtensionKey]: unknown;
}

/** `wsgi.input`. Reads wait for the client, so they return promises. After the end of the content every read returns nothing. */
export interface InputStream {
  /** Reads `size` bytes, fewer only at the end of the content. Without a size, or with a negative one, it reads to the end. */
  read(size?: number): Promise<Buffer>;
  /** Reads up to and including the next `\n`, at most `size` bytes. Empty at the end. */
  readline(size?: number): Promise<Buffer>;
  /** Reads the remaining lines, or as many as have `hint` bytes together. */
  readlines(hint?: number): Promise<Buffer[]>;
  /** Iterates the remaining lines, as in the PEP. */
  [Symbol.asyncIterator](): AsyncIterator<Buffer>;
  /** Iterates the remaining content, in blocks as they arrive. */
  blocks(): AsyncIterable<Buffer>;
}

/** `wsgi.errors`. A line goes to the log when it is complete, or at `flush`. */
export interface ErrorStream {
  /** Writes `text`, which need not be whole lines. */
  write(text: string): void;
  /** Writes each of `lines`, which contain their own line ends. */
  writelines(lines: Iterable<string>): void;
  /** Logs a line that is not complete. */
  flush(): void;
}

/** The client of a request. */
export interface Client {
  /** The client no longer waits for the response. */
  readonly gone: boolean;
  /** Aborted when the client leaves before its response is complete. */
  readonly signal: AbortSignal;
}

/** A header field of a response. Values are latin-1, without control characters. */
export type Header = readonly [name: string, value: string];

/**
 * Sends a block before the blocks of the returned body (PEP 3333, "The write() Callable"). Resolves when there is room for more. Rejects with an
 * `AbortError` when nobody takes the block: the client has left, or the response is complete.
 */
export type Write = (block: Uint8Array) => Promise<void>;

/**
 * Sends an interim response 103 (RFC 8297) with these headers before the final response. Several calls send several interim responses. A call has no effect
 * for HTTP/1.0, and after the response has started.
 *
 * @throws ViaductError `HEADER_INVALID` for a header that cannot be sent, or that describes content
 */
export type EarlyHints = (headers: readonly Header[]) => void;

/**
 * Starts the response. Status and headers are sent together with the first block that is not empty. `status` has the form `200 OK`: a final code, a space
 * and a reason. A second call needs `excInfo`, the error that the new response is about: then it replaces status and headers, or throws `excInfo` if they
 * have been sent.
 *
 * @throws ViaductError `HEADER_INVALID` for a status or header that cannot be sent, `CONTRACT` for a second call without `excInfo`
 */
export type StartResponse = (status: string, headers: readonly Header[], excInfo?: unknown) => Write;

/**
 * The content of a response: an array, a generator or a stream of blocks. Blocks are bytes, and belong to the server. The server calls `close` exactly once,
 * however the response ends. Before that, it calls `return` of an iterator that is not exhausted.
 */
export type ResponseBody = (Iterable<Uint8Array> | AsyncIterable<Uint8Array>) & Closeable;

/** An object that may have to be closed. */
export interface Closeable {
  /** Releases what the object holds. */
  close?(): void | Promise<void>;
}

/** Answers requests. `start` and `close` are for applications that hold things, such as workers or connections. */
export interface Application {
  /** Answers one request: calls `startResponse`, and returns the content or a promise of it. */
  (environ: Environ, startResponse: StartResponse): ResponseBody | Promise<ResponseBody>;
  /** Prepares the application for a server with these listeners. A server calls it before the first request. */
  start?(listeners?: readonly ListenerEnviron[]): Promise<void>;
  /** Releases what the application holds. The application answers no request afterwards. */
  close?(): Promise<void>;
}

/** Makes an application of an application. To the server it looks like an application, and to the wrapped application it looks like the server. */
export type Middleware = (application: Application) => Application;

/** Makes a response body of a file (PEP 3333, "Optional Platform-Specific File Handling"). The server sends a regular file itself, from its start. */
export type FileWrapper = (file: FileLike, blockSize?: number) => ResponseBody;

/** A `FileHandle` of `node:fs/promises`, or an iterable of blocks such as a stream or a generator. It is closed after it was sent. */
export type FileLike = FileHandleLike | ResponseBody;

/** The part of a `FileHandle` of `node:fs/promises` that a response needs. */
export interface FileHandleLike {
  /** The file descriptor. */
  readonly fd: number;
  /** Resolves to the kind and the size of the file, in bytes. */
  stat(): Promise<FileStatus>;
  /** Reads into `buffer`, from `position` or, for null, from where the last read ended. */
  read(buffer: Uint8Array, offset: number, length: number, position: number | null): Promise<FileRead>;
  /** Closes the file. */
  close(): Promise<void>;
}

/** The status of a file. */
export interface FileStatus {
  /** Whether it is a regular file, and not a pipe or a device. */
  isFile(): boolean;
  /** Length in bytes. */
  readonly size: number;
}

/** The result of a read. */
export interface FileRead {
  /** 0 at the end of the file. */
  readonly bytesRead: number;
}
