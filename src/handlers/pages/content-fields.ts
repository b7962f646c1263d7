/** Fields about the content that is replaced (RFC 9110 section 8, RFC 9530). The Content-Range of a 416 is about another resource, so it stays. */
export const CONTENT_FIELDS: readonly string[] = [
  'Content-Length',
  'Content-Encoding',
  'Content-Language',
  'Content-Location',
  'Content-Disposition',
  'Content-MD5',
  'Content-Digest',
  'Repr-Digest',
  'Digest',
  'ETag',
  'Last-Modified',
  'Accept-Ranges',
];
