/** Bounds on what a client may send and how long it may take. Sizes in bytes, times in milliseconds. */
export interface HttpLimits {
  /** Method, target and version with their spaces; a longer one is answered with 414. */
  readonly requestLineBytesMax: number;
  /** All header lines together; more is answered with 431. */
  readonly headerBytesMax: number;
  readonly headerCountMax: number;
  /** Content of a request; more is answered with 413. */
  readonly bodyBytesMax: number;
  /** Chunk extensions of one body together; longer ones are answered with 400 (RFC 9112 section 7.1.1). */
  readonly chunkExtensionBytesMax: number;
  /** All trailer lines together; more is answered with 431. */
  readonly trailerBytesMax: number;
  /** From a connection's or a head's first byte to the head's last; then 408. */
  readonly headerTimeoutMs: number;
  /** Between two packets of a body; then 408. */
  readonly bodyTimeoutMs: number;
  /** Between two requests. */
  readonly keepAliveTimeoutMs: number;
  /** Without the client taking anything of a response. */
  readonly writeTimeoutMs: number;
}

export const DEFAULT_LIMITS: HttpLimits = {
  requestLineBytesMax: 8192,
  headerBytesMax: 32768,
  headerCountMax: 100,
  bodyBytesMax: 1024 * 1024 * 1024,
  chunkExtensionBytesMax: 4096,
  trailerBytesMax: 8192,
  headerTimeoutMs: 15_000,
  bodyTimeoutMs: 30_000,
  keepAliveTimeoutMs: 75_000,
  writeTimeoutMs: 60_000,
};
