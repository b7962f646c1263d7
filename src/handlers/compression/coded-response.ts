import type { HeaderList } from '../../http/message.ts';
import type { Response } from '../../http/response.ts';
import { changeResponse, responseField } from '../../http/response-fields.ts';
import { varyField, withVary } from '../headers/vary.ts';
import type { Coding } from './codings.ts';
import type { MediaTypes } from './media-types.ts';

/**
 * Fields of a response that must not be compressed: it already has a coding, it is a part, it has a digest of its bytes (RFC 9530), or its sender forbids changes
 * (RFC 9111 section 5.2.2.6).
 */
const FORBIDS =
  /^(?:(?:content-encoding|content-range|content-digest|repr-digest|digest|content-md5):|cache-control:.*\bno-transform\b)/im;

const ACCEPT_ENCODING = ['Accept-Encoding'];

/** Whether this response may be compressed, by its status, media type and fields. */
export function isCompressible(response: Response, types: MediaTypes): boolean {
  const { status, lines } = response;
  if (status < 200 || status === 204 || status === 205 || status === 206 || status === 304) return false;
  const type = responseField(response, 'content-type');
  return type !== null && types.has(type) && !FORBIDS.test(lines);
}

/** The length of this response's content for a GET: 'stream' for a body of unknown length, null for no known body. */
export function contentBytes({ body, contentLength }: Response): number | 'stream' | null {
  if (contentLength >= 0) return contentLength;
  if (body === null) return null;
  if (body instanceof Uint8Array) return body.length === 0 ? null : body.length;
  return 'fd' in body ? body.end - body.start : 'stream';
}

/** The uncompressed response with a Vary for caches, because other clients may get it compressed (RFC 9110 section 12.5.5). */
export function withCodingVary(response: Response): Response {
  return withVary(response, ACCEPT_ENCODING);
}

/** The changed fields of a compressed response, except Content-Length. */
export function codedFields(response: Response, coding: Coding): HeaderList {
  return ['Content-Encoding', coding, ...varyField(response, ACCEPT_ENCODING), ...weakTag(response)];
}

/** Fields that a compressed response must not have, because ranges and the length refer to the uncompressed bytes. */
export const UNCODED_FIELDS: readonly string[] = ['Accept-Ranges', 'Content-Length'];

/**
 * A 304 for the tag of a compressed response, with this tag instead of the tag of the uncompressed content. So a cache finds the response that is still valid
 * (RFC 9111 section 4.3.4).
 */
export function notModifiedForCoded(response: Response, ifNoneMatch: string | null): Response {
  const etag = ifNoneMatch === null ? null : responseField(response, 'etag');
  if (ifNoneMatch === null || etag === null || !etag.startsWith('"') || !ifNoneMatch.includes(`W/${etag}`)) {
    return response;
  }
  return changeResponse(response, { set: [...varyField(response, ACCEPT_ENCODING), ...weakTag(response)] });
}

/** A weak tag, because the bytes differ but the meaning is the same (RFC 9110 section 8.8.1). */
function weakTag(response: Response): HeaderList {
  const etag = responseField(response, 'etag');
  return etag?.startsWith('"') ? ['ETag', `W/${etag}`] : [];
}
