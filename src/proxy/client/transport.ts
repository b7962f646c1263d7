import type { HeaderList, Request, RequestBody } from '../../http/message.ts';
import { lastChunk } from '../../http/semantics/trailers.ts';
import type { ResponseHead } from '../http1/response-head.ts';

/** Framing of a request's content. */
export interface ContentCoding {
  /** Frames `block` in new memory, after `head` (latin-1, may be ''). */
  encode(head: string, block: Uint8Array): Buffer;
  /** The bytes after the last block, as latin-1. `headers` are those of the request. */
  end(body: RequestBody, headers: HeaderList): string;
}

/** Removes a protocol's frames from the bytes of one connection. */
export interface Unframing {
  /** Must be called for each new request on the connection. */
  reset(): void;
  /**
   * Returns the bytes of the response within `bytes`, valid until the next call. Returns a string with the reason when
   * the frames are malformed.
   */
  take(bytes: Buffer): Buffer | string;
  /** True when the response is complete and no byte remains. */
  readonly over: boolean;
}

/** The protocol-specific part of the client of one backend. */
export interface Transport {
  /**
   * The head of `request` as latin-1. `upgrade` is the requested protocol or ''. Returns `tooLarge` with a reason when
   * the protocol cannot carry the head.
   */
  head(request: Request, upgrade: string): string | { readonly tooLarge: string };
  coding(body: RequestBody): ContentCoding;
  /** Whether content of unknown length must be received completely before it can be sent. */
  readonly needsLength: boolean;
  /** Creates the reader of response heads for one connection. */
  responseHead(): ResponseHead;
  /** Creates the frame reader for one connection; null for a protocol without frames. */
  unframing(): Unframing | null;
  /** Whether a connection can carry more than one request. */
  readonly persists: boolean;
}

/** Content whose length was sent in the head. */
export const PLAIN: ContentCoding = {
  encode: (head, block) => concatenate(head, block, ''),
  end: () => '',
};

/** Chunked content (RFC 9112 section 7.1) and its trailer fields. */
export const CHUNKED: ContentCoding = {
  encode: (head, block) => concatenate(`${head}${block.length.toString(16)}\r\n`, block, '\r\n'),
  end: ({ trailers }, headers) => lastChunk(trailers, headers),
};

function concatenate(before: string, block: Uint8Array, after: string): Buffer {
  const bytes = Buffer.allocUnsafe(before.length + block.length + after.length);
  bytes.write(before, 0, 'latin1');
  bytes.set(block, before.length);
  if (after !== '') bytes.write(after, before.length + block.length, 'latin1');
  return bytes;
}
