/**
 * What a client may ask of us. Each limit is the largest value that passes; none but the rates can be switched off, because a
 * large number serves the same purpose and still ends somewhere. Bytes and counts are exact, times are met within a second.
 */
export interface HttpLimits {
  /** Bytes of method, target and version. A browser's longest links stay under 8,000 (RFC 9112 section 3). Past it: 414. */
  readonly requestLineBytesMax: number;
  /** Bytes of all header lines with their line ends: room for a few large cookies. Past it: 431. */
  readonly headerBytesMax: number;
  /** Header lines; browsers send about 20, proxies add about 10. Past it: 431. */
  readonly headerCountMax: number;
  /** Bytes of a request's content, 0 refuses all content. Past it: 413. */
  readonly bodyBytesMax: number;
  /** Bytes of all chunk extensions of one request: nobody uses them. Past it: 400. */
  readonly chunkExtensionBytesMax: number;
  /** Bytes of all trailer lines; their count is limited by `headerCountMax`. Past it: 431. */
  readonly trailerBytesMax: number;
  /** From a request's first byte to the end of its head, and from the connection's start to that first byte. Past it: 408. */
  readonly headerTimeoutMs: number;
  /** Without any of a request's content arriving, while the application wants it. Past it: 408. */
  readonly bodyTimeoutMs: number;
  /**
   * Bytes per second of a request's content that make up for the time they take: who sends faster has all of `bodyTimeoutMs` again at any
   * time, who sends slower has less and less of it, and 408 at its end. 0: any byte gives all of it back.
   */
  readonly bodyRateBytesMin: number;
  /** Between two requests: longer than the 60 s of most load balancers, so that they close first and no request is lost. */
  readonly keepAliveTimeoutMs: number;
  /** Without the client taking anything of a response that waits for it. Past it the connection is reset. */
  readonly writeTimeoutMs: number;
  /** The same as `bodyRateBytesMin` for responses that wait for the client, with `writeTimeoutMs`. */
  readonly writeRateBytesMin: number;
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
};
