import { lookup } from 'mrmime';

/**
 * Media type by the file's extension. Text gets a charset, because browsers guess without one. JSON, XML and SVG
 * declare their encoding themselves (RFC 8259 section 8.1, RFC 7303 section 3).
 */
export function contentType(path: string): string {
  const type = lookup(path) ?? 'application/octet-stream';
  return type.startsWith('text/') && type !== 'text/xml' ? `${type}; charset=utf-8` : type;
}
