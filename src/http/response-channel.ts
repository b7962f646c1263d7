/** How a client knows the end of a body: by its declared length, by its last chunk, by the end of the connection. */
export type BodyFraming = 'length' | 'chunked' | 'close';

/** Where a response goes: a socket, or a stream of HTTP/2, to which its head is no text but the sign to send the fields. */
export interface ResponseSink {
  cork(): void;
  uncork(): void;
  write(head: string, encoding: 'latin1'): boolean;
  /** `onWritten` is called when the memory of `bytes` is free again. */
  write(bytes: Uint8Array, onWritten?: (error?: Error | null) => void): boolean;
}

/**
 * The connection as the writer of one response sees it. Whoever writes ends with exactly one call of `complete`, `breakOff` or
 * `failUnsent`.
 */
export interface Exchange {
  readonly socket: ResponseSink;
  /** Whether the connection goes on behind the response. The writer may take it back, never give it. */
  persists: boolean;
  /** Who sends the rest of the body, while somebody does. */
  sender: BodySender | null;
  /** `bytes` of content were handed to the socket. `more` is what `socket.write` returned: whether it takes more. */
  sent(bytes: number, more: boolean): void;
  /** All of the response was handed to the socket. */
  complete(): void;
  /**
   * The response began and cannot be completed: the connection ends, so that nobody takes the part for the whole. Where the end of the
   * connection would be the end of the body, it ends with a reset.
   */
  breakOff(framing: BodyFraming): void;
  /** The response failed before anything of it was written: there is time for a 500. */
  failUnsent(): void;
  /** Something went wrong that the log should know. */
  report(error: unknown): void;
}

/** Sends a body that does not fit into one write. */
export interface BodySender {
  /** The socket has taken what was written. */
  onDrain(): void;
  /** Nobody reads any more: frees what it holds and calls nothing again. */
  cancel(): void;
}
