/** A server that listens, as `createServer` and `serve` return it. With `await using` it stops at the end of its block. */
export interface ViaductServer extends AsyncDisposable {
  /** The first address: `http://127.0.0.1:49152`, with the port that was chosen where 0 was asked for. A Unix socket is `unix:/path`. */
  readonly url: string;
  /** All addresses, in the order of `listen`. */
  readonly urls: readonly string[];
  /**
   * Stops the server: it accepts nothing more, finishes running requests for at most `gracefulTimeoutMs`, and ends the Python workers. It also closes the
   * applications that it was given. A second call waits for the first.
   */
  stop(): Promise<void>;
}

/** `server` as programs see it. `onStopping` is called once, before the server stops. */
export function viaductServer(
  server: { readonly urls: readonly string[]; stop(): Promise<void> },
  onStopping: () => void = () => {},
): ViaductServer {
  let stopping: Promise<void> | null = null;
  const stop = (): Promise<void> => {
    if (stopping === null) {
      onStopping();
      stopping = server.stop();
    }
    return stopping;
  };
  return { url: server.urls[0] ?? '', urls: server.urls, stop, [Symbol.asyncDispose]: stop };
}
