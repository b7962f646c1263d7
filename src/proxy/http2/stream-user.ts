import type { BodySource, Request } from '../../http/message.ts';
import type { ResponseSection } from './response-section.ts';

/** The user of a stream: a request. */
export interface StreamUser {
  readonly request: Request;
  interim(status: number, lines: string): void;
  /** The final response has started: without content, with complete content, or with content that is still to come. */
  responded(section: ResponseSection, body: Uint8Array | BodySource | null): void;
  /** The client of the response takes content; a deadline must start. */
  contentWanted(): void;
  /** The client of the response takes no content at present. */
  contentPaused(): void;
  /** The response is complete, or its client wants no more of it. */
  finished(): void;
  /**
   * The backend did not process the request (RFC 9113 section 8.7). `tookOthers` says that the connection ended after
   * other requests: then this one may well be processed on the next connection.
   */
  refused(reason: string, tookOthers: boolean): void;
  /** The connection is closed. `reason` is the backend's, or '' if it gave none. */
  closed(error: Error | null, reason: string): void;
  /** The awaited event did not happen before the deadline. */
  timedOut(): void;
  /** The backend violated the protocol, or gave up the request. */
  malformed(reason: string): void;
}
