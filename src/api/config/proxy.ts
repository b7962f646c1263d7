// Written by scripts/docs.mjs from src/config and src/site: do not edit.
import type { Bytes, Duration, OneOrMore } from './values.ts';

/** A backend, or a service discovery, with its share of the requests. */
export interface BackendConfig {
  /**
   * The backend, or a service discovery: then weight and backup apply to every backend that it finds. Takes a backend
   * such as http://127.0.0.1:9000, https://app.internal, h2c://127.0.0.1:9000, uwsgi://127.0.0.1:3031 or
   * unix:/run/app.sock, or a service discovery: dns+http://HOST:PORT, srv+http://NAME,
   * kubernetes+http://NAMESPACE/SERVICE:PORT or file:PATH.
   */
  readonly url: string;
  /** Share of the requests, relative to the other backends. Takes a whole number from 1 to 100. Default: `1`. */
  readonly weight?: number | undefined;
  /** Whether the backend gets requests only while no other backend is available. Default: `false`. */
  readonly backup?: boolean | undefined;
}

/** Options of service discovery. */
export interface DiscoveryConfig {
  /**
   * DNS servers to ask, also for SRV records. Takes a numeric address, with a port if it is not 53. Default: the
   * system's.
   */
  readonly dnsServers?: OneOrMore<string> | undefined;
  /**
   * Shortest time between two lookups, whatever the TTL is. Takes a time from 10ms to 24h, such as 500ms or 30s.
   * Default: `'1s'`.
   */
  readonly ttlMsMin?: Duration | undefined;
  /**
   * Longest time between two lookups, whatever the TTL is. Takes a time from 10ms to 24h, such as 500ms or 30s.
   * Default: `'300s'`.
   */
  readonly ttlMsMax?: Duration | undefined;
  /** URL of the Kubernetes API. Takes the URL of an API. Default: the pod's. */
  readonly kubernetesApi?: string | undefined;
  /** File with the token for the Kubernetes API. Takes the path of a file. Default: the pod's. */
  readonly kubernetesTokenFile?: string | undefined;
  /**
   * PEM file with the certificate authorities to trust for the Kubernetes API. Takes the path of a file. Default: the
   * pod's.
   */
  readonly kubernetesCaFile?: string | undefined;
  /** Namespace of a service whose URL names none. Takes a namespace. Default: the pod's, or default. */
  readonly kubernetesNamespace?: string | undefined;
}

/** Sticky sessions: a cookie keeps a client with the backend that answered it first. */
export interface StickyConfig {
  /** The cookie's name. Takes the name of a cookie. Default: `'viaduct_backend'`. */
  readonly cookie?: string | undefined;
  /**
   * Key for the hash in the cookie. Web servers with the same secret accept each other's cookies. Takes a text of 16
   * characters or more.
   */
  readonly secret?: string | undefined;
  /** File that holds the secret, instead of secret. Takes the path of a file. */
  readonly secretFile?: string | undefined;
  /**
   * How many seconds the browser keeps the cookie. Takes a whole number from 1 to 315360000. Default: the browser's
   * session.
   */
  readonly maxAgeS?: number | undefined;
  /** The cookie's path. Takes a path. Default: `'/'`. */
  readonly path?: string | undefined;
}

/** Health checks: an unhealthy backend gets no requests. */
export interface HealthConfig {
  /** The path to request with GET. Takes a path such as /healthz. */
  readonly path: string;
  /** The Host to send. Takes a host name. Default: the backend's own. */
  readonly host?: string | undefined;
  /**
   * Statuses, and ranges of statuses, that count as good. Takes a status such as 200, or a range such as "200-299".
   * Default: `'200-399'`.
   */
  readonly status?: OneOrMore<number | string> | undefined;
  /**
   * Text that the first 64 KiB of the content (the body) must contain. Takes a text that the content has. Default:
   * any content.
   */
  readonly body?: string | undefined;
  /** Time from one check to the next. Takes a time from 50ms to 24h, such as 500ms or 30s. Default: `'5s'`. */
  readonly intervalMs?: Duration | undefined;
  /** Time for the whole response to arrive. Takes a time from 1ms to 24h, such as 500ms or 30s. Default: `'2s'`. */
  readonly timeoutMs?: Duration | undefined;
  /** Good responses in a row that make a backend healthy again. Takes a whole number from 1 to 100. Default: `2`. */
  readonly healthyAfter?: number | undefined;
  /** Failed checks in a row that make a backend unhealthy. Takes a whole number from 1 to 100. Default: `3`. */
  readonly unhealthyAfter?: number | undefined;
}

/** What is rewritten in Location and Refresh of responses. backend: URLs of the backends. */
export interface RedirectsConfig {
  /** What is replaced. May have placeholders. Takes the start of a URL or path. */
  readonly from?: string | undefined;
  /** Instead of from: what matches is replaced as a whole. Takes a regular expression. */
  readonly pattern?: string | undefined;
  /** What replaces it. May have placeholders, and groups of pattern. Takes a URL or path. */
  readonly to: string;
}

/** What is rewritten in the Path of cookies of responses. */
export interface CookiePathConfig {
  /** What is replaced. May have placeholders. Takes the start of a path. */
  readonly from?: string | undefined;
  /** Instead of from: what matches is replaced as a whole. Takes a regular expression. */
  readonly pattern?: string | undefined;
  /** What replaces it. May have placeholders, and groups of pattern. Takes a text of visible ASCII characters. */
  readonly to: string;
}

/** What is rewritten in the Domain of cookies of responses. An empty text removes it. */
export interface CookieDomainConfig {
  /** What is replaced. May have placeholders. Takes a domain. */
  readonly from?: string | undefined;
  /** Instead of from: what matches is replaced as a whole. Takes a regular expression. */
  readonly pattern?: string | undefined;
  /** What replaces it. May have placeholders, and groups of pattern. Takes a text of visible ASCII characters. */
  readonly to: string;
}

/** The flags of cookies of responses. */
export interface CookieFlagsConfig {
  /** The cookies, in any letter case. May have placeholders. Takes the name of a cookie. */
  readonly name?: string | undefined;
  /** Instead of name: a pattern that finds a part of it. Takes a regular expression. */
  readonly pattern?: string | undefined;
  /** Whether they have Secure: only for https. */
  readonly secure?: boolean | undefined;
  /** Whether they have HttpOnly: not for scripts. */
  readonly httpOnly?: boolean | undefined;
  /** The value of SameSite. off removes it. */
  readonly sameSite?: 'strict' | 'lax' | 'none' | 'off' | undefined;
}

/** How requests get to the backends. */
export interface ProxyOptionsConfig {
  /** Options of service discovery. */
  readonly discovery?: DiscoveryConfig | undefined;
  /** How a backend is chosen for a request. Default: `'round-robin'`. */
  readonly balance?: 'round-robin' | 'least-connections' | 'random-two' | 'hash' | undefined;
  /**
   * What requests to the same backend have in common, for balance = "hash". Takes address, path, header:NAME,
   * cookie:NAME or a text with placeholders. Default: `'address'`.
   */
  readonly hashBy?: string | undefined;
  /** Sticky sessions: a cookie keeps a client with the backend that answered it first. */
  readonly sticky?: StickyConfig | undefined;
  /** Health checks: an unhealthy backend gets no requests. */
  readonly health?: HealthConfig | undefined;
  /**
   * Time to connect, with https and h2 including the TLS handshake. Then the next backend is tried; without one: 504.
   * Takes a time from 1ms to 24h, such as 500ms or 30s. Default: `'5s'`.
   */
  readonly connectTimeoutMs?: Duration | undefined;
  /**
   * How long a backend that cannot be reached is down at first. Each further failure doubles this time. 0: never.
   * Takes a time from 0s to 24h, such as 500ms or 30s. Default: `'1s'`.
   */
  readonly retryAfterMs?: Duration | undefined;
  /**
   * The longest time that such a backend is down. Takes a time from 0s to 24h, such as 500ms or 30s. Default:
   * `'60s'`.
   */
  readonly retryAfterMsMax?: Duration | undefined;
  /**
   * Failures in a row that open a backend's circuit: it gets no requests even if no other is available. 0: never.
   * Takes a whole number from 0 to 1000000. Default: `10`.
   */
  readonly failuresMax?: number | undefined;
  /** Statuses of responses that count as failures. Takes a whole number from 400 to 599. */
  readonly failedStatuses?: OneOrMore<number> | undefined;
  /**
   * How many other backends are tried with a request that a backend received but failed to answer. Takes a whole
   * number from 0 to 10. Default: `1`.
   */
  readonly retries?: number | undefined;
  /**
   * Which failures are retried: error means no valid response, timeout means no response in time. Default:
   * `['error']`.
   */
  readonly retryOn?: OneOrMore<'error' | 'timeout'> | undefined;
  /** The share of all requests that may be repeated. Takes a number from 0 to 1. Default: `0.2`. */
  readonly retryBudget?: number | undefined;
  /** Requests that each backend handles at a time. 0: no limit. Takes a whole number from 0 to 1000000. Default: `0`. */
  readonly connectionsMax?: number | undefined;
  /**
   * Requests that may wait for a backend, when connectionsMax is reached; then 503. Takes a whole number from 0 to
   * 1000000. Default: `1024`.
   */
  readonly queueMax?: number | undefined;
  /**
   * How long a request may wait for a backend; then 503. Takes a time from 1ms to 24h, such as 500ms or 30s. Default:
   * `'10s'`.
   */
  readonly queueTimeoutMs?: Duration | undefined;
  /**
   * How long a backend that was found, or is healthy again, takes to get its whole share. 0: it gets it at once.
   * Takes a time from 0s to 24h, such as 500ms or 30s. Default: `0`.
   */
  readonly slowStartMs?: Duration | undefined;
  /**
   * Time from the end of the request to the end of the response's head; then 504. Takes a time from 1ms to 24h, such
   * as 500ms or 30s. Default: `'60s'`.
   */
  readonly responseTimeoutMs?: Duration | undefined;
  /**
   * Time between two blocks of a response that the client waits for, or of a request that the backend does not read.
   * Takes a time from 1ms to 24h, such as 500ms or 30s. Default: `'60s'`.
   */
  readonly idleTimeoutMs?: Duration | undefined;
  /**
   * Time without a byte in either direction of an upgraded connection, such as a WebSocket. 0: no limit. Takes a time
   * from 0s to 24h, such as 500ms or 30s. Default: `0`.
   */
  readonly tunnelIdleTimeoutMs?: Duration | undefined;
  /**
   * Receive the whole content of a request before a backend is chosen, so that a slow upload occupies none. Default:
   * `false`.
   */
  readonly bufferRequest?: boolean | undefined;
  /**
   * Read a response as fast as the backend sends it, so that a slow client does not occupy the backend. Default:
   * `false`.
   */
  readonly bufferResponse?: boolean | undefined;
  /**
   * Buffered content of one message that stays in memory. More goes to a file. Takes a size from 0, such as 65536 or
   * 64KiB. Default: `'64KiB'`.
   */
  readonly bufferMemoryBytesMax?: Bytes | undefined;
  /**
   * Size of this file for a response. When it is full, the backend has to wait. Takes a size from 0, such as 65536 or
   * 64KiB. Default: `'1GiB'`.
   */
  readonly bufferFileBytesMax?: Bytes | undefined;
  /**
   * Idle connections to keep for each backend. 0: a new connection for each request; with HTTP/2, for all requests at
   * the same time. Takes a whole number from 0 to 100000. Default: `64`.
   */
  readonly keepAliveMax?: number | undefined;
  /**
   * How long to keep an idle connection. Set it lower than the backend's own time-out. Takes a time from 1ms to 24h,
   * such as 500ms or 30s. Default: `'4s'`.
   */
  readonly keepAliveTimeoutMs?: Duration | undefined;
  /**
   * The Host that the backend gets: the client's, the backend's own, or this one. Takes client, backend or a host
   * name. Default: `'client'`.
   */
  readonly host?: string | undefined;
  /**
   * What is rewritten in Location and Refresh of responses. backend: URLs of the backends. Takes backend, or a table
   * of from or pattern, and to.
   */
  readonly redirects?: OneOrMore<'backend' | RedirectsConfig> | undefined;
  /** What is rewritten in the Path of cookies of responses. */
  readonly cookiePath?: OneOrMore<CookiePathConfig> | undefined;
  /** What is rewritten in the Domain of cookies of responses. An empty text removes it. */
  readonly cookieDomain?: OneOrMore<CookieDomainConfig> | undefined;
  /** The flags of cookies of responses. */
  readonly cookieFlags?: OneOrMore<CookieFlagsConfig> | undefined;
  /**
   * Pass on fields (headers) with an underscore in their name. Many applications take X_User for X-User. Default:
   * `false`.
   */
  readonly underscoresInHeaders?: boolean | undefined;
  /** The fields (headers) that describe the client to the backend. Default: `'x-forwarded'`. */
  readonly forwarded?: 'x-forwarded' | 'forwarded' | 'both' | 'off' | undefined;
  /**
   * Variables for backends that speak uwsgi, FastCGI or SCGI. They override those of the request, and may have
   * placeholders.
   */
  readonly params?: Readonly<Record<string, string>> | undefined;
  /**
   * Length of all header lines of a backend's response; then 502. Takes a size from 256 to 16MiB, such as 65536 or
   * 64KiB. Default: `'64KiB'`.
   */
  readonly headBytesMax?: Bytes | undefined;
  /** Header lines of a backend's response; then 502. Takes a whole number from 1 to 10000. Default: `200`. */
  readonly headCountMax?: number | undefined;
  /** For https and h2: the name that the certificate must have. Takes a host name. Default: the backend's host. */
  readonly tlsServerName?: string | undefined;
  /**
   * For https and h2: file with the certificate authorities to trust. Takes the path of a PEM file. Default: the
   * system's.
   */
  readonly tlsCa?: string | undefined;
  /** For https and h2: whether to check the backend's certificate. Default: `true`. */
  readonly tlsVerify?: boolean | undefined;
}
