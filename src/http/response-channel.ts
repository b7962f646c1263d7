/** How a client finds the end of a body: by the declared length, by the last chunk or by the end of the connection. */
export type BodyFraming = 'length' | 'chunked' | 'close';

/** The receiver of a response: a socket, or an HTTP/2 stream. For a stream, the text of the head is only the signal to send the fields. */
export interface ResponseSink {
  cork(): void;
  uncork(): void;
  write(head: string, encoding: 'latin1'): boolean;
  /** `onWritten` is called when the sink no longer needs the memory of `bytes`. */
  write(bytes: Uint8Array, onWritten?: (error?: Error | null) => void): boolean;
}

/**
 * The connection as the writer of one response sees it. The writer's last call is exactly one of `complete`, `breakOff` and
 * `failUnsent`.
 */
export interface ResponseChannel {
  readonly socket: ResponseSink;
  /** Whether the connection continues after the response. The writer may set it to false, never to true. */
  keepAlive: boolean;
  /** The sender of the remaining body, while it is at work. */
  sender: BodySender | null;
  /** The writer gave `bytes` of content to the socket. `more` is the result of `socket.write`: whether the socket takes more. */
  sent(bytes: number, more: boolean): void;
  /** The writer gave the complete response to the socket. */
  complete(): void;
  /**
   * The response has started and cannot be completed. The connection ends, so that the client does not take the part for the whole.
   * If the end of the connection would be the end of the body, the connection ends with a reset.
   */
  breakOff(framing: BodyFraming): void;
  /** The response failed before anything of it was written: a 500 is still possible. */
  failUnsent(): void;
  /** Reports an error to the log. */
  report(error: unknown): void;
}

/** Sends a body that does not fit into one write. */
export interface BodySender {
  /** The socket has taken everything that was written. */
  onDrain(): void;
  /** The client no longer reads: the sender frees its resources and does not call the channel again. */
  cancel(): void;
}
