// Written by scripts/docs.mjs from src/config and src/site: do not edit.
import type { Bytes, Duration, OneOrMore } from './values.ts';

/** Tells clients in Server-Timing how long a request waited and how long the application took. */
export interface ServerTimingConfig {
  /** Clients that get it. Takes an address range. Default: all. */
  readonly allow?: OneOrMore<string> | undefined;
}

/** The same only for responses with 200, 201, 204, 206, 301, 302, 303, 304, 307 or 308. */
export interface SuccessConfig {
  /** Fields that replace all fields of the same name. */
  readonly set?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** Fields that are added to those of the same name. */
  readonly add?: Readonly<Record<string, string | readonly string[]>> | undefined;
}

/** The same for requests, before they are answered. */
export interface RequestHeadersConfig {
  /** Fields that replace all fields of the same name. */
  readonly set?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** Fields that are added to those of the same name. */
  readonly add?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** Names of fields that are removed. Takes a field name. */
  readonly remove?: OneOrMore<string> | undefined;
}

/** Changes header fields of responses and of requests. */
export interface HeadersConfig {
  /** Fields that replace all fields of the same name. */
  readonly set?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** Fields that are added to those of the same name. */
  readonly add?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** Names of fields that are removed. Takes a field name. */
  readonly remove?: OneOrMore<string> | undefined;
  /** Fields that are added to a response that has none of the same name. */
  readonly default?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** The same only for responses with 200, 201, 204, 206, 301, 302, 303, 304, 307 or 308. */
  readonly success?: SuccessConfig | undefined;
  /** The same for requests, before they are answered. */
  readonly request?: RequestHeadersConfig | undefined;
}

/** Strict-Transport-Security, which is sent over https only. */
export interface HstsConfig {
  /** How many seconds a browser uses only https. 0 makes it forget. Takes a whole number from 0 to 315360000. */
  readonly maxAgeS: number;
  /** Whether this holds for all names below the host too. Default: `false`. */
  readonly includeSubdomains?: boolean | undefined;
  /** Whether browsers' preload lists may have the host. This needs a year and the subdomains. Default: `false`. */
  readonly preload?: boolean | undefined;
}

/** Adds fields that protect the users of a site, where the application did not set them. */
export interface SecurityHeadersConfig {
  /** Value of Content-Security-Policy. Takes the value of a field. */
  readonly contentSecurityPolicy?: string | undefined;
  /** Value of X-Frame-Options. It is left out where a Content-Security-Policy has frame-ancestors. Default: `'DENY'`. */
  readonly frameOptions?: 'DENY' | 'SAMEORIGIN' | false | undefined;
  /**
   * Value of Referrer-Policy. Takes the value of a field, or false for none. Default:
   * `'strict-origin-when-cross-origin'`.
   */
  readonly referrerPolicy?: string | false | undefined;
  /** Value of Cross-Origin-Opener-Policy. Takes the value of a field, or false for none. Default: `'same-origin'`. */
  readonly openerPolicy?: string | false | undefined;
  /** Value of Permissions-Policy. Takes the value of a field. */
  readonly permissionsPolicy?: string | undefined;
  /** Strict-Transport-Security, which is sent over https only. */
  readonly hsts?: HstsConfig | undefined;
}

/** Compresses responses for clients that accept it. */
export interface CompressionConfig {
  /** Codings to offer, in order of preference. Default: zstd (if Node has it), br and gzip. */
  readonly encodings?: OneOrMore<'zstd' | 'br' | 'gzip'> | undefined;
  /** Shorter responses are not compressed. Takes a size from 0, such as 65536 or 64KiB. Default: `'1KiB'`. */
  readonly bytesMin?: Bytes | undefined;
  /**
   * Media types to compress. Takes a media type such as text/html, text/* or *+json. Default: types that shrink, such
   * as text, JSON and SVG.
   */
  readonly types?: OneOrMore<string> | undefined;
}

/** Redirects http requests to https. */
export interface HttpsRedirectConfig {
  /** The port where clients reach https. Takes a whole number from 1 to 65535. Default: `443`. */
  readonly port?: number | undefined;
}

/** Redirects requests for other names of the site to its main name. */
export interface CanonicalHostConfig {
  /** The site's main name, without a port. Takes a host name. */
  readonly host: string;
  /** Names that are redirected. Takes a host name. Default: all other names. */
  readonly from?: OneOrMore<string> | undefined;
}

/** Routes that answer errors, by status or class. A table also has their status. */
export interface RoutesConfig {
  /**
   * A path, which gets a GET, or the path of a route such as @sorry, which gets the request as it is. Paths may have
   * placeholders. Takes a path such as /sorry.html, or the path of a route such as @sorry.
   */
  readonly to: string;
  /**
   * Status of the answer. route: that of the route. Takes a status from 200 to 599, or route. Default: that of the
   * error.
   */
  readonly status?: number | 'route' | undefined;
}

/** Replaces error messages by pages of your own, or by answers of routes. */
export interface ErrorPagesConfig {
  /** Files by status, such as 404, or by class: 4xx or 5xx. */
  readonly pages?: Readonly<Record<string, string>> | undefined;
  /** Routes that answer errors, by status or class. A table also has their status. */
  readonly routes?: Readonly<Record<string, string | RoutesConfig>> | undefined;
  /** Whether they also replace the application's own error pages. Default: `false`. */
  readonly intercept?: boolean | undefined;
}

/** Answers everything with 503 during maintenance. */
export interface MaintenanceConfig {
  /** Maintenance is on while this file exists. Takes the path of a file. */
  readonly file?: string | undefined;
  /** Whether maintenance is on without a file. Default: `false`. */
  readonly enabled?: boolean | undefined;
  /** Clients that can still use the site. Takes an address range. */
  readonly allow?: OneOrMore<string> | undefined;
  /** Value of Retry-After, in seconds. Takes a whole number from 0 to 31536000. */
  readonly retryAfterS?: number | undefined;
  /** File with the page to show. Takes the path of a file. Default: a line of plain text. */
  readonly page?: string | undefined;
}

/** Allows and denies clients by their address. */
export interface AccessConfig {
  /** Addresses, ranges and words for clients that may come in. Takes an address range. Default: everybody. */
  readonly allow?: OneOrMore<string> | undefined;
  /** The same for clients that may not come in. They win over allow. Takes an address range. Default: nobody. */
  readonly deny?: OneOrMore<string> | undefined;
}

/** Counts requests by the value of a request field. */
export interface LimitPerConfig {
  /** Name of the field (header). Takes a field name. */
  readonly header?: string | undefined;
  /** A text with placeholders, instead of header. Takes a text with placeholders. */
  readonly text?: string | undefined;
}

/** Limits how often clients send requests; then 429. Several limits are a list of tables. */
export interface RateLimitConfig {
  /** Limits of this kind with the same zone count together. Takes a name. Default: none: the limit counts alone. */
  readonly zone?: string | undefined;
  /**
   * What is counted: each client, all requests together, or each value of a request field or of a text with
   * placeholders. Takes address, route, `{ header: '…' }` or `{ text: '…' }`. Default: `'address'`.
   */
  readonly per?: 'address' | 'route' | LimitPerConfig | undefined;
  /** The rate that passes in the long run. Takes a rate such as 10/s, 100/min or 1000/h. */
  readonly rate: string;
  /** Requests that may come at once. Takes a whole number from 1 to 1000000. Default: `1`. */
  readonly burst?: number | undefined;
  /** Whether each response says how many requests are left. Default: `false`. */
  readonly announce?: boolean | undefined;
}

/** Limits how many requests run at a time. Several limits are a list of tables. */
export interface RequestLimitConfig {
  /** Limits of this kind with the same zone count together. Takes a name. Default: none: the limit counts alone. */
  readonly zone?: string | undefined;
  /**
   * What is counted: each client, all requests together, or each value of a request field or of a text with
   * placeholders. Takes address, route, `{ header: '…' }` or `{ text: '…' }`. Default: `'address'`.
   */
  readonly per?: 'address' | 'route' | LimitPerConfig | undefined;
  /** Requests of one client at a time. Takes a whole number from 1 to 1000000. Default: no limit. */
  readonly max?: number | undefined;
  /** Requests of all clients at a time. Takes a whole number from 1 to 1000000. Default: no limit. */
  readonly totalMax?: number | undefined;
  /** Status of the answer to further requests. Default: `503`. */
  readonly status?: 429 | 503 | undefined;
}

/** Allows pages of other origins to read responses (cross-origin resource sharing). */
export interface CorsConfig {
  /**
   * Allowed origins, such as https://example.org, https://*.example.org, null or *. Takes an origin such as
   * https://example.org.
   */
  readonly origins: OneOrMore<string>;
  /** Allowed methods in addition to GET, HEAD and POST. Takes a method. */
  readonly methods?: OneOrMore<string> | undefined;
  /** Allowed request fields in addition to the safe ones. "*" allows all. Takes a field name. */
  readonly headers?: OneOrMore<string> | undefined;
  /** Response fields that scripts may read. Takes a field name. */
  readonly exposedHeaders?: OneOrMore<string> | undefined;
  /** Whether cookies may be sent. Never with "*" or "null". Default: `false`. */
  readonly credentials?: boolean | undefined;
  /**
   * How many seconds a browser remembers a preflight. Takes a whole number from 0 to 31536000. Default: the browser's
   * own time.
   */
  readonly maxAgeS?: number | undefined;
  /** Whether pages of public sites may reach this server in a private network. Default: `false`. */
  readonly privateNetwork?: boolean | undefined;
}

/** Asks for a name and password; without valid ones: 401. */
export interface BasicAuthConfig {
  /** Users and the hashes of their passwords. */
  readonly users?: Readonly<Record<string, string>> | undefined;
  /** An htpasswd file, read at start and reload. users wins over the file. Takes the path of a file. */
  readonly file?: string | undefined;
  /**
   * How long a correct password is remembered, so that it is not verified again. Takes a time from 0s to 24h, such as
   * 500ms or 30s. Default: `'60s'`.
   */
  readonly rememberMs?: Duration | undefined;
  /**
   * Whether hashes of MD5 ($apr1$, $1$), the default of htpasswd, are accepted. They can be guessed fast. Default:
   * `false`.
   */
  readonly allowMd5?: boolean | undefined;
  /** Text that a browser shows. Default: `'Restricted'`. */
  readonly realm?: string | undefined;
  /**
   * Request field in which the application receives the user's name. The client's own is removed, on all routes.
   * Takes a field name.
   */
  readonly userHeader?: string | undefined;
  /** Whether Authorization is removed before the application sees it. Default: `false`. */
  readonly hideCredentials?: boolean | undefined;
}

/** Asks a service whether a request is allowed. */
export interface ForwardAuthConfig {
  /**
   * The service, with the path to request, which may have placeholders. Takes a URL with a path, such as
   * http://127.0.0.1:9091/verify.
   */
  readonly url: string;
  /** Time for the whole answer; then 504. Takes a time from 1ms to 24h, such as 500ms or 30s. Default: `'5s'`. */
  readonly timeoutMs?: Duration | undefined;
  /**
   * Request fields that the service receives. Takes a field name. Default: all except those of content, conditions
   * and the connection.
   */
  readonly requestHeaders?: OneOrMore<string> | undefined;
  /**
   * Fields of a 2xx answer that are added to the request. The client's own are removed, on all routes except
   * Authorization and Cookie. A table gives them other names: request fields, and for each the field of the answer.
   * Takes a field name, a list of them, or a table of request fields and the fields of the answer for them.
   */
  readonly copyHeaders?: OneOrMore<string> | Readonly<Record<string, string>> | undefined;
  /** Fields of a 2xx answer that are added to the response, such as Set-Cookie. Takes a field name. */
  readonly clientHeaders?: OneOrMore<string> | undefined;
}

/** Changes of the query. */
export interface RewriteQueryConfig {
  /** Parameters that replace all of the same name. */
  readonly set?: Readonly<Record<string, string | readonly string[]>> | undefined;
  /** Names of parameters that are removed. Takes a field name. */
  readonly remove?: OneOrMore<string> | undefined;
}

/** Changes the path or the query that the application receives. */
export interface RewriteConfig {
  /** Start of the path that is replaced, in whole segments, not encoded. Takes a path. */
  readonly prefix?: string | undefined;
  /** What replaces prefix, not encoded. Takes a path. Default: nothing. */
  readonly replacement?: string | undefined;
  /** Regular expression for the path. Takes a regular expression. */
  readonly pattern?: string | undefined;
  /**
   * Whether pattern is compared with the decoded path with single slashes, as routes compare it, so that each
   * spelling of a path matches. Default: `false`.
   */
  readonly decoded?: boolean | undefined;
  /** New path, with placeholders, where pattern matches. Takes a path. */
  readonly to?: string | undefined;
  /** Changes of the query. */
  readonly query?: RewriteQueryConfig | undefined;
}

/**
 * Handlers that requests and responses pass. `true` is a handler with its defaults. `false` in a route switches off a
 * handler of the whole site.
 */
export interface HandlersConfig {
  /**
   * Tells clients in Server-Timing how long a request waited and how long the application took. Takes true, false or
   * a table.
   */
  readonly serverTiming?: boolean | ServerTimingConfig | undefined;
  /** Changes header fields of responses and of requests. Takes true, false or a table. */
  readonly headers?: boolean | HeadersConfig | undefined;
  /**
   * Adds fields that protect the users of a site, where the application did not set them. Takes true, false or a
   * table.
   */
  readonly securityHeaders?: boolean | SecurityHeadersConfig | undefined;
  /** Compresses responses for clients that accept it. Takes true, false or a table. */
  readonly compression?: boolean | CompressionConfig | undefined;
  /** Redirects http requests to https. Takes true, false or a table. */
  readonly httpsRedirect?: boolean | HttpsRedirectConfig | undefined;
  /** Redirects requests for other names of the site to its main name. Takes false, or a table with host. */
  readonly canonicalHost?: false | CanonicalHostConfig | undefined;
  /** Replaces error messages by pages of your own, or by answers of routes. Takes true, false or a table. */
  readonly errorPages?: boolean | ErrorPagesConfig | undefined;
  /** Answers everything with 503 during maintenance. Takes true, false or a table. */
  readonly maintenance?: boolean | MaintenanceConfig | undefined;
  /** Allows and denies clients by their address. Takes true, false or a table. */
  readonly access?: boolean | AccessConfig | undefined;
  /**
   * Limits how often clients send requests; then 429. Several limits are a list of tables. Takes false, a table with
   * rate, or a list of these.
   */
  readonly rateLimit?: false | RateLimitConfig | readonly RateLimitConfig[] | undefined;
  /**
   * Limits how many requests run at a time. Several limits are a list of tables. Takes true, false, a table or a list
   * of tables.
   */
  readonly requestLimit?: boolean | RequestLimitConfig | readonly RequestLimitConfig[] | undefined;
  /**
   * Allows pages of other origins to read responses (cross-origin resource sharing). Takes false, or a table with
   * origins.
   */
  readonly cors?: false | CorsConfig | undefined;
  /** Asks for a name and password; without valid ones: 401. Takes true, false or a table. */
  readonly basicAuth?: boolean | BasicAuthConfig | undefined;
  /** Asks a service whether a request is allowed. Takes false, or a table with url. */
  readonly forwardAuth?: false | ForwardAuthConfig | undefined;
  /** Changes the path or the query that the application receives. Takes true, false or a table. */
  readonly rewrite?: boolean | RewriteConfig | undefined;
}
