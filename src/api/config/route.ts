// Written by scripts/docs.mjs from src/config and src/site: do not edit.
import type { HandlersConfig } from './handlers.ts';
import type { BackendConfig, ProxyOptionsConfig } from './proxy.ts';
import type { Bytes, Duration, OneOrMore } from './values.ts';

/** Comparisons of a text with placeholders. All of them must hold. */
export interface ConditionConfig {
  /** The value is one of these. "*" stands for any value, "" for none. Takes a text, or a list of texts. */
  readonly is?: readonly string[] | string | undefined;
  /** The value differs from all of these. Takes a text, or a list of texts. */
  readonly not?: readonly string[] | string | undefined;
  /** The value matches one of these expressions. Takes a regular expression. */
  readonly pattern?: OneOrMore<string> | undefined;
  /** The value does not match any of these expressions. Takes a regular expression. */
  readonly notPattern?: OneOrMore<string> | undefined;
}

/** A rule for Cache-Control. */
export interface CacheRuleConfig {
  /** Glob for the file's name, or with a slash for its path below the mount. Takes a glob. */
  readonly pattern: string;
  /** The value of Cache-Control. Takes a value of Cache-Control. */
  readonly value: string;
}

/** How the files are served. */
export interface StaticOptionsConfig {
  /**
   * Codings of compressed files beside the originals to send instead. true: br, zstd and gzip. Takes true, false, or
   * a list of br, zstd and gzip. Default: `false`.
   */
  readonly precompressed?: boolean | OneOrMore<'br' | 'zstd' | 'gzip'> | undefined;
  /** Names of files that represent their directory. Takes file names, or false for none. Default: `['index.html']`. */
  readonly index?: false | OneOrMore<string> | undefined;
  /** File that answers paths without a file, for single-page applications. Takes a file below the directory. */
  readonly fallback?: string | undefined;
  /** Which paths the fallback answers. pages: only those without a dot in their last segment. Default: `'pages'`. */
  readonly fallbackFor?: 'pages' | 'all' | undefined;
  /**
   * Names to try in order. {path} is the path below the prefix of the route. Takes a path, such as {path}.html.
   * Default: `['{path}']`.
   */
  readonly tryFiles?: OneOrMore<string> | undefined;
  /** Which files with a hash in their name never change, so that browsers need not ask again. Default: `'auto'`. */
  readonly immutable?: 'auto' | 'always' | 'never' | undefined;
  /** Rules for Cache-Control. The first one that matches a file wins, also over immutable. */
  readonly cacheControl?: readonly CacheRuleConfig[] | undefined;
  /** Fields (headers) of every response with a file. They replace Viaduct's own, except Vary. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * Media types by extension, instead of the usual ones. An empty table leaves only defaultType. Default: the usual
   * types.
   */
  readonly types?: Readonly<Record<string, string>> | undefined;
  /**
   * Media type of files whose extension is not known. Takes a media type, such as text/plain. Default:
   * `'application/octet-stream'`.
   */
  readonly defaultType?: string | undefined;
  /** Whether directories without an index are listed. Default: `false`. */
  readonly listing?: boolean | undefined;
  /**
   * Whether requests without a file go on to what else answers the route, instead of 404. Default: true if the route
   * has app, proxy, redirect or respond, else false.
   */
  readonly fallthrough?: boolean | undefined;
}

/** Redirect all requests to this path or URL. A table has more options. */
export interface RedirectConfig {
  /** The target, a path or a URL with placeholders. Takes a path or URL. */
  readonly to: string;
  /** Status of the redirect. Default: `302`. */
  readonly status?: 301 | 302 | 303 | 307 | 308 | undefined;
  /** Only paths that match are redirected. Takes a regular expression. Default: all paths. */
  readonly pattern?: string | undefined;
  /**
   * Whether pattern is compared with the decoded path with single slashes, as routes compare it, so that each
   * spelling of a path matches. Default: `false`.
   */
  readonly decoded?: boolean | undefined;
}

/** A fixed answer. */
export interface RespondConfig {
  /**
   * Status of the answer. 444 without a body closes the connection, as in nginx. Takes a whole number from 200 to
   * 599. Default: `200`.
   */
  readonly status?: number | undefined;
  /** Content (the body) of the answer, with placeholders. Default: `''`. */
  readonly body?: string | undefined;
  /** The Content-Type of the answer. Takes a media type. Default: `'text/plain; charset=utf-8'`. */
  readonly contentType?: string | undefined;
}

/** Which requests have a line in the access log. A table has more options. */
export interface AccessLogConfig {
  /** The share of requests that have a line: 0.01 is one of a hundred. Takes a number from 0 to 1. Default: `0`. */
  readonly sample?: number | undefined;
  /** Whether each error has a line: a status from 400, or a response that broke off. Default: `true`. */
  readonly errors?: boolean | undefined;
  /**
   * Each request that took so long has a line. 0: none because of its time. Takes a time from 0s to 24h, such as
   * 500ms or 30s. Default: `0`.
   */
  readonly slowMs?: Duration | undefined;
}

/** A route: the requests that it is for, the handlers that they pass, and what answers them. */
export interface RouteConfig extends HandlersConfig {
  /** Name of the route in the output of viaduct check. Takes a name. Default: route and its number. */
  readonly name?: string | undefined;
  /** Whether only an application can lead to this route, with X-Accel-Redirect, and clients cannot. Default: `false`. */
  readonly internal?: boolean | undefined;
  /**
   * Addresses of the setting listen over which the requests come. Takes an address of the setting listen. Default:
   * all addresses.
   */
  readonly listen?: OneOrMore<string> | undefined;
  /** Hosts of the requests. Takes a host name, *.NAME for all names below it, or an [address]. Default: all hosts. */
  readonly host?: OneOrMore<string> | undefined;
  /**
   * Regular expressions for the host, in lower case and without port, as alternatives to host. Takes a regular
   * expression.
   */
  readonly hostPattern?: OneOrMore<string> | undefined;
  /**
   * Paths of the requests. /below/* includes /below itself, /start* also /starting. Only error pages lead to @name.
   * Takes a path: /exact, /below/*, /start*, * for every path, or @name. Default: all paths, or those below mount.
   */
  readonly path?: OneOrMore<string> | undefined;
  /** Regular expressions for the path, as alternatives to path. Takes a regular expression. */
  readonly pathPattern?: OneOrMore<string> | undefined;
  /** Whether a path of this route that ends with * wins over the pathPattern of other routes. Default: `false`. */
  readonly beforePatterns?: boolean | undefined;
  /** Methods of the requests. GET includes HEAD. Takes a method such as GET. Default: all methods. */
  readonly methods?: OneOrMore<string> | undefined;
  /** Fields (headers) that the requests must have, with their values. "*" matches any value. */
  readonly matchHeaders?: Readonly<Record<string, string>> | undefined;
  /** Parameters that the query must have, with their values. "*" matches any value. */
  readonly matchQuery?: Readonly<Record<string, string>> | undefined;
  /** Texts with placeholders, and the values that they must have. A table has more comparisons. */
  readonly when?: Readonly<Record<string, readonly string[] | string | ConditionConfig>> | undefined;
  /**
   * An application from `apps`, or "main" for the main application. Takes the name of an application. Default: the
   * main application, unless another key of this group says what answers.
   */
  readonly app?: string | undefined;
  /**
   * Prefix that the application receives as SCRIPT_NAME. A route with mount needs no path. Takes a path that starts
   * with a slash and does not end with one.
   */
  readonly mount?: string | undefined;
  /** Directories with files. The first directory that has the file wins. Takes the path of a directory. */
  readonly static?: OneOrMore<string> | undefined;
  /** How the files are served. */
  readonly staticOptions?: StaticOptionsConfig | undefined;
  /**
   * Backends and service discoveries. Takes a backend such as http://127.0.0.1:9000, https://app.internal,
   * h2c://127.0.0.1:9000, uwsgi://127.0.0.1:3031 or unix:/run/app.sock, or a service discovery: dns+http://HOST:PORT,
   * srv+http://NAME, kubernetes+http://NAMESPACE/SERVICE:PORT or file:PATH, or a table with one of them as url.
   */
  readonly proxy?: OneOrMore<string | BackendConfig> | undefined;
  /** How requests get to the backends. */
  readonly proxyOptions?: ProxyOptionsConfig | undefined;
  /** Redirect all requests to this path or URL. A table has more options. Takes a path or URL. */
  readonly redirect?: string | RedirectConfig | undefined;
  /** A fixed answer. */
  readonly respond?: RespondConfig | undefined;
  /**
   * Whether a request must pass all of access, basicAuth and forwardAuth, or any of them. Default: that of the whole
   * site.
   */
  readonly satisfy?: 'all' | 'any' | undefined;
  /**
   * Which requests have a line in the access log. A table has more options. Takes true, false or a table. Default:
   * true: all requests.
   */
  readonly accessLog?: boolean | AccessLogConfig | undefined;
  /**
   * The share of its requests that are recorded in full, instead of that of `trace`. Takes a number from 0 to 1.
   * Default: that of `trace`.
   */
  readonly trace?: number | undefined;
  /**
   * Limits the content (the body) of requests; then 413. Without it, the setting bodyBytesMax applies. Takes a size
   * from 0, such as 65536 or 64KiB.
   */
  readonly bodyBytesMax?: Bytes | undefined;
  /**
   * Limits the time from a complete request to the start of its response from Python; then 504. Without it, the
   * setting requestTimeoutMs applies. Takes a time from 0s to 24h, such as 500ms or 30s.
   */
  readonly requestTimeoutMs?: Duration | undefined;
  /**
   * Which requests a worker gets first if requests wait, and which are refused last: those of a higher priority.
   * Without it, normal.
   */
  readonly priority?: 'high' | 'normal' | 'low' | undefined;
}
