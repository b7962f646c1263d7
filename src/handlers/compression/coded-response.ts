import type { HeaderList } from '../../http/message.ts';
import type { Response } from '../../http/response.ts';
import { changeResponse, responseField } from '../../http/response-fields.ts';
import { varyField, withVary } from '../headers/vary.ts';
import type { Coding } from './codings.ts';
import type { MediaTypes } from './media-types.ts';

/**
 * Fields of a response that must stay as it is: it has a coding already, is a part, holds a digest of its bytes (RFC 9530), or its sender
 * forbids changes (RFC 9111 section 5.2.2.6).
 */
const FORBIDS =
  /^(?:(?:content-encoding|content-range|content-digest|repr-digest|digest|content-md5):|cache-control:.*\bno-transform\b)/im;

const ACCEPT_ENCODING = ['Accept-Encoding'];

/** Whether content of this response may be compressed: by its status, media type and fields. */
export function isCompressible(response: Response, types: MediaTypes): boolean {
  const { status, lines } = response;
  if (status < 200 || status === 204 || status === 205 || status === 206 || status === 304) return false;
  const type = responseField(response, 'content-type');
  return type !== null && types.has(type) && !FORBIDS.test(lines);
}

/** What a GET would get of this response, as far as it is known: 'stream' for a body without a length, null for none that is known. */
export function contentBytes({ body, contentLength }: Response): number | 'stream' | null {
  if (contentLength >= 0) return contentLength;
  if (body === null) return null;
  if (body instanceof Uint8Array) return body.length === 0 ? null : body.length;
  return 'fd' in body ? body.end - body.start : 'stream';
}

/** The response for who does not get it compressed: caches learn that others may (RFC 9110 section 12.5.5). */
export function withCodingVary(response: Response): Response {
  return withVary(response, ACCEPT_ENCODING);
}

/** The fields of a compressed response, Content-Length set aside. */
export function codedFields(response: Response, coding: Coding): HeaderList {
  return ['Content-Encoding', coding, ...varyField(response, ACCEPT_ENCODING), ...weakTag(response)];
}

/** Fields that a compressed response must not have: ranges and the length count other bytes. */
export const UNCODED_FIELDS: readonly string[] = ['Accept-Ranges', 'Content-Length'];

/**
 * A 304 to a client that asked with the tag of a compressed response names this tag, not the one of the content as it is, so that a cache
 * finds the response that it may use on (RFC 9111 section 4.3.4).
 */
export function notModifiedForCoded(response: Response, ifNoneMatch: string | null): Response {
  const etag = ifNoneMatch === null ? null : responseField(response, 'etag');
  if (ifNoneMatch === null || etag === null || !etag.startsWith('"') || !ifNoneMatch.includes(`W/${etag}`)) {
    return response;
  }
  return changeResponse(response, { set: [...varyField(response, ACCEPT_ENCODING), ...weakTag(response)] });
}

/** Other bytes of the same meaning: RFC 9110 section 8.8.1 calls the tag that stands for both weak. */
function weakTag(response: Response): HeaderList {
  const etag = responseField(response, 'etag');
  return etag?.startsWith('"') ? ['ETag', `W/${etag}`] : [];
}
