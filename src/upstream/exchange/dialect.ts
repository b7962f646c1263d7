import { lastChunk } from '../../http/http1/trailers.ts';
import type { Request, RequestBody } from '../../http/message.ts';
import type { ResponseHead } from '../../proxy/http1/response-head.ts';

/** How the content of a request is framed. */
export interface ContentCoding {
  /** `block`, framed, in memory of its own, behind `head`, which is latin-1 and may be ''. */
  encode(head: string, block: Uint8Array): Buffer;
  /** What follows the last block, as latin-1. */
  end(body: RequestBody): string;
}

/** Takes a protocol's frames off what a backend sends over one connection. */
export interface Unframing {
  /** Another request is on its way. */
  begin(): void;
  /** What of `bytes` belongs to the response, in memory that is valid until the next call; a text that says what is wrong when that is none. */
  take(bytes: Buffer): Buffer | string;
  /** The response is over, and nothing is left of it. */
  readonly over: boolean;
}

/** What a protocol does in its own way. One for each backend. */
export interface Dialect {
  /** The head of `request`, as latin-1; `upgrade` is the protocol that it asks for, or ''. A text with `tooLarge` when it cannot be sent. */
  head(request: Request, upgrade: string): string | { readonly tooLarge: string };
  coding(body: RequestBody): ContentCoding;
  /** Content of unknown length must be received before it can be sent. */
  readonly needsLength: boolean;
  /** Reads the responses of one connection. */
  responseHead(): ResponseHead;
  /** Null where responses are not framed. */
  unframing(): Unframing | null;
  /** Connections may be used again. */
  readonly persists: boolean;
}

/** Content whose length was told before. */
export const PLAIN: ContentCoding = {
  encode: (head, block) => joined(head, block, ''),
  end: () => '',
};

/** Content in chunks (RFC 9112 section 7.1), and its trailer fields. */
export const CHUNKED: ContentCoding = {
  encode: (head, block) => joined(`${head}${block.length.toString(16)}\r\n`, block, '\r\n'),
  end: ({ trailers }) => lastChunk(trailers),
};

function joined(before: string, block: Uint8Array, behind: string): Buffer {
  const bytes = Buffer.allocUnsafe(before.length + block.length + behind.length);
  bytes.write(before, 0, 'latin1');
  bytes.set(block, before.length);
  if (behind !== '') bytes.write(behind, before.length + block.length, 'latin1');
  return bytes;
}
