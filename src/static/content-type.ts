import { lookup } from 'mrmime';

/** The type of files whose extension is not known: a browser saves them. */
const UNKNOWN = 'application/octet-stream';

/** Types of files that browsers ask for by themselves, and that the table lacks. */
const OTHERS: ReadonlyMap<string, string> = new Map([['ico', 'image/x-icon']]);

/**
 * Media type by the file's extension. Text gets a charset, because browsers guess without one. JSON, XML and SVG
 * declare their encoding themselves (RFC 8259 section 8.1, RFC 7303 section 3). `unknown` is the type of other files.
 */
export function contentType(path: string, unknown = UNKNOWN): string {
  const type = lookup(path) ?? OTHERS.get(path.slice(path.lastIndexOf('.') + 1).toLowerCase());
  if (type === undefined) return unknown;
  return type.startsWith('text/') && type !== 'text/xml' ? `${type}; charset=utf-8` : type;
}

/** Media type by an own table of extensions, in lower case and without a dot. The values are sent as they are. */
export function typeByTable(path: string, types: ReadonlyMap<string, string>, unknown = UNKNOWN): string {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  return (dot < 0 ? undefined : types.get(name.slice(dot + 1).toLowerCase())) ?? unknown;
}
