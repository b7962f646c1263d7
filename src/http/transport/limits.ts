/**
 * The limits for clients. Each limit is the largest accepted value. Only the rates can be switched off: for all other limits a large
 * number serves the same purpose and is still a limit. Bytes and counts are exact, times are accurate to a second.
 */
export interface HttpLimits {
  /** Bytes of method, target and version. A browser's longest links are under 8,000 bytes (RFC 9112 section 3). Beyond it: 414. */
  readonly requestLineBytesMax: number;
  /** Bytes of all header lines with their line ends: room for a few large cookies. Beyond it: 431. */
  readonly headerBytesMax: number;
  /** Number of header lines; browsers send about 20, proxies add about 10. Beyond it: 431. */
  readonly headerCountMax: number;
  /** Bytes of a request's content, 0 refuses all content. Beyond it: 413. */
  readonly bodyBytesMax: number;
  /** Bytes of all chunk extensions of one request: no known client uses them. Beyond it: 400. */
  readonly chunkExtensionBytesMax: number;
  /** Bytes of all trailer lines; `headerCountMax` limits their number. Beyond it: 431. */
  readonly trailerBytesMax: number;
  /** From a request's first byte to the end of its head, and from the connection's start to that first byte. Beyond it: 408. */
  readonly headerTimeoutMs: number;
  /** How long a client may send no content while the application waits for content. Beyond it: 408. */
  readonly bodyTimeoutMs: number;
  /**
   * Bytes per second at which a client's content makes up for the time it takes. A client that sends faster always has the full
   * `bodyTimeoutMs`. For a slower client the remaining time shrinks, and 408 follows at its end. 0: any byte restores the full time.
   */
  readonly bodyRateBytesMin: number;
  /** Between two requests. It is longer than the 60 s of most load balancers, so that they close first and no request is lost. */
  readonly keepAliveTimeoutMs: number;
  /** How long a client may take nothing of a response that waits for it. Beyond it the connection is reset. */
  readonly writeTimeoutMs: number;
  /** Like `bodyRateBytesMin`, for responses that wait for the client, with `writeTimeoutMs`. */
  readonly writeRateBytesMin: number;
  /** Requests at a time on one connection of HTTP/2; browsers have up to 100. Further ones are refused (RFC 9113 section 5.1.2). */
  readonly http2StreamsMax: number;
  /**
   * The next limits are for the cheap frames of one connection of HTTP/2, of which floods consist. A client may send as many at once, and a
   * tenth of them each second. Beyond it: GOAWAY with ENHANCE_YOUR_CALM. The first one counts streams that the client gives up, or forces the
   * server to give up (CVE-2023-44487, CVE-2025-8671).
   */
  readonly http2ResetsMax: number;
  /** PING frames. Each 64 bytes sent to a client allow one more: gRPC measures the way with PING as long as content arrives. */
  readonly http2PingsMax: number;
  /** SETTINGS frames. */
  readonly http2SettingsMax: number;
  /** PRIORITY and PRIORITY_UPDATE frames. */
  readonly http2PrioritiesMax: number;
  /** WINDOW_UPDATE frames. Each 64 bytes sent to a client allow one more, because careless clients send one for each block. */
  readonly http2WindowUpdatesMax: number;
  /** Empty DATA frames that do not end a stream, and frames of unknown types. */
  readonly http2IdleFramesMax: number;
}

export const DEFAULT_LIMITS: HttpLimits = {
  requestLineBytesMax: 8192,
  headerBytesMax: 32768,
  headerCountMax: 100,
  bodyBytesMax: 1024 * 1024 * 1024,
  chunkExtensionBytesMax: 16384,
  trailerBytesMax: 8192,
  headerTimeoutMs: 15_000,
  bodyTimeoutMs: 30_000,
  bodyRateBytesMin: 240,
  keepAliveTimeoutMs: 75_000,
  writeTimeoutMs: 60_000,
  writeRateBytesMin: 240,
  http2StreamsMax: 128,
  http2ResetsMax: 400,
  http2PingsMax: 100,
  http2SettingsMax: 50,
  http2PrioritiesMax: 2000,
  http2WindowUpdatesMax: 2000,
  http2IdleFramesMax: 200,
};
