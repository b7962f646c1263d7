import type { ListenerEnviron } from './variables.ts';

/**
 * WSGI (PEP 3333) in TypeScript's terms. An application is a function of an environ and `start_response`; a middleware makes one of
 * another; the server calls it and sends what it returns. Strings hold bytes, a character each (latin-1), as the PEP's native strings do.
 */

/** The key of a header field: upper case, `-` written as `_`. */
export type HeaderKey = `HTTP_${Uppercase<string>}`;

/** A key of a server or a middleware: its own name, a dot, and what it is. */
export type ExtensionKey = `${string}.${string}`;

/** One request, as the application sees it. A plain object of its own for each request: middleware changes it, or passes a changed copy on. */
export interface Environ {
  /** `GET`, `POST`, …, as received. */
  REQUEST_METHOD: string;
  /** What of the path leads to the application, percent-decoded: '' at the root, else it begins with `/` and does not end with one. */
  SCRIPT_NAME: string;
  /** The rest of the path, percent-decoded: a UTF-8 `é` is the two characters `Ã©`. See `pathText`. */
  PATH_INFO: string;
  /** What follows the `?`, still encoded; '' without one. */
  QUERY_STRING: string;
  /** Path and query as received. Not in the PEP, but what servers agree on. */
  REQUEST_URI: string;
  /** What the server listens on. What the client believes to speak to is HTTP_HOST. */
  SERVER_NAME: string;
  SERVER_PORT: string;
  /** `HTTP/1.0`, `HTTP/1.1` or `HTTP/2.0`. */
  SERVER_PROTOCOL: string;
  SERVER_SOFTWARE: string;
  /** Numeric address of the client; '' on a Unix socket. */
  REMOTE_ADDR: string;
  REMOTE_PORT: string;
  /** Who the client is, where something has checked that. */
  REMOTE_USER?: string;
  AUTH_TYPE?: string;
  /** As received; absent when the client sent none. */
  CONTENT_TYPE?: string;
  /** Decimal; absent when the request has no content, and when its length is not known before its end. */
  CONTENT_LENGTH?: string;
  /** A client's certificate, named as Apache's mod_ssl does. */
  SSL_CLIENT_VERIFY?: string;
  SSL_CLIENT_S_DN?: string;
  SSL_CLIENT_I_DN?: string;
  SSL_CLIENT_M_SERIAL?: string;
  SSL_CLIENT_FINGERPRINT?: string;
  'wsgi.version': readonly [1, 0];
  'wsgi.url_scheme': 'http' | 'https';
  /** The request's content. */
  'wsgi.input': InputStream;
  /** Lines for the server's log. */
  'wsgi.errors': ErrorStream;
  /** False: JavaScript runs in one thread. */
  'wsgi.multithread': boolean;
  /** Whether another process may run the same application. */
  'wsgi.multiprocess': boolean;
  'wsgi.run_once': boolean;
  /** True: reading `wsgi.input` to its end is safe without CONTENT_LENGTH. */
  'wsgi.input_terminated': boolean;
  'wsgi.file_wrapper'?: FileWrapper;
  /** Tells the client what it can begin to load before the response is there. */
  'wsgi.early_hints'?: EarlyHints;
  /** The client, while it waits. Absent where no server of ours called. */
  'viaduct.client'?: Client;
  /** Header fields; several of one name are joined by a comma, cookies by a semicolon. */
  [header: HeaderKey]: string | undefined;
  [extension: ExtensionKey]: unknown;
}

/** `wsgi.input`. Reading waits for the client, so everything is a promise; past the end there is nothing, however often one asks. */
export interface InputStream {
  /** Up to `size` bytes, fewer only at the end; all that is left without a size, or with a negative one. Empty at the end. */
  read(size?: number): Promise<Buffer>;
  /** Up to and including the next `\n`, at most `size` bytes. Empty at the end. */
  readline(size?: number): Promise<Buffer>;
  /** The lines that are left, or as many as have `hint` bytes together. */
  readlines(hint?: number): Promise<Buffer[]>;
  /** The lines that are left, as in the PEP. */
  [Symbol.asyncIterator](): AsyncIterator<Buffer>;
  /** What is left, in blocks as they come. */
  blocks(): AsyncIterable<Buffer>;
}

/** `wsgi.errors`. A line is logged when it is whole, or at `flush`. */
export interface ErrorStream {
  write(text: string): void;
  writelines(lines: Iterable<string>): void;
  flush(): void;
}

/** The client of a request. */
export interface Client {
  /** It no longer waits for the response. */
  readonly gone: boolean;
  /** Aborted when the client goes before its response is complete. Made when it is first asked for. */
  readonly signal: AbortSignal;
}

/** A header field of a response. Values are latin-1, without control characters. */
export type Header = readonly [name: string, value: string];

/** Sends a block before anything that is iterated afterwards (PEP 3333, "The write() Callable"). Resolves when there is room for more. */
export type Write = (block: Uint8Array) => Promise<void>;

/**
 * Sends an interim response 103 (RFC 8297) with these headers before the final one, as often as it is called. Ignored for HTTP/1.0, and once the
 * response has begun.
 *
 * @throws ViaductError `HEADER_INVALID` for a header that cannot be sent, or that tells of content.
 */
export type EarlyHints = (headers: readonly Header[]) => void;

/**
 * Begins the response; it leaves with the first block that is not empty. `status` is `200 OK`: a final code, a space and a reason. A second call is an
 * error without `excInfo`, the error that is being answered; with it, the headers are replaced, and if they have left it is thrown.
 *
 * @throws ViaductError `HEADER_INVALID` for a status or header that cannot be sent, `CONTRACT` for a call that must not be.
 */
export type StartResponse = (status: string, headers: readonly Header[], excInfo?: unknown) => Write;

/**
 * The content of a response: an array, a generator, a stream; its blocks are bytes and belong to the server. `close` is called once, however the response
 * ends; of a generator that is not exhausted `return` is called before.
 */
export type ResponseBody = (Iterable<Uint8Array> | AsyncIterable<Uint8Array>) & { close?(): void | Promise<void> };

/** Answers a request. It may come by itself (`start`), and hold things until it is closed. */
export interface Application {
  (environ: Environ, startResponse: StartResponse): ResponseBody | Promise<ResponseBody>;
  /** Brings up what it needs, for a server that listens there. A request does that too, so it need not be called. */
  start?(listeners?: readonly ListenerEnviron[]): Promise<void>;
  /** Ends what it holds. It answers nothing afterwards. */
  close?(): Promise<void>;
}

/** Looks like an application to the server, and like the server to the application that it is given. */
export type Middleware = (application: Application) => Application;

/** Makes a response body of a file (PEP 3333, "Optional Platform-Specific File Handling"). It is sent by the server itself where that is possible. */
export type FileWrapper = (file: FileLike, blockSize?: number) => ResponseBody;

/** A `FileHandle` of `node:fs/promises`, or what gives blocks: a stream, a generator. Closed when it has been sent. */
export type FileLike = FileHandleLike | ((Iterable<Uint8Array> | AsyncIterable<Uint8Array>) & { close?(): unknown });

export interface FileHandleLike {
  readonly fd: number;
  stat(): Promise<{ isFile(): boolean; readonly size: number }>;
  read(buffer: Uint8Array, offset: number, length: number, position: number | null): Promise<{ bytesRead: number }>;
  close(): Promise<void>;
}
