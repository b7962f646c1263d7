import type { HeaderList } from '../http/message.ts';
import { Response } from '../http/response.ts';
import { typeQuality } from './accept.ts';
import type { Directory, DirectoryEntry } from './directory.ts';
import { encodePath } from './path.ts';

/**
 * The listing of a directory, as JSON when the client prefers JSON to HTML. `path` is decoded and ends with a slash.
 */
export function listingResponse(
  path: string,
  directory: Directory,
  accept: string | null,
  headers: HeaderList,
): Response {
  const asJson = typeQuality(accept, 'application/json') > typeQuality(accept, 'text/html');
  const type = asJson ? 'application/json' : 'text/html; charset=utf-8';
  const body = asJson ? listingJson(path, directory) : listingPage(path, directory);
  const content = ['Content-Type', type, 'Cache-Control', 'no-cache', 'Vary', 'Accept'];
  const safety = ['X-Content-Type-Options', 'nosniff', 'Content-Security-Policy', CONTENT_POLICY];
  return Response.fromHeaders(
    200,
    [...content, ...safety, ...withoutListingFields(headers)],
    Buffer.from(body, 'utf8'),
  );
}

/** The names come from anybody who may add files. If a name ever became a script, this policy would stop it. */
const CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
const LISTING_FIELDS = new Set(['cache-control', 'x-content-type-options', 'content-security-policy']);

/** The mount's own policy is meant for its pages and does not fit the listing. */
function withoutListingFields(headers: HeaderList): HeaderList {
  return headers.filter((_, i) => !LISTING_FIELDS.has((headers[i - (i % 2)] as string).toLowerCase()));
}

function listingJson(path: string, { entries, truncated }: Directory): string {
  const list = entries.map((entry) => ({
    name: displayName(entry.name),
    type: entry.type,
    ...(entry.type === 'file' ? { size: entry.size } : {}),
    modified: new Date(entry.modifiedMs).toISOString(),
    href: hrefOf(entry),
  }));
  return `${JSON.stringify({ path: displayName(path), entries: list, truncated })}\n`;
}

function listingPage(path: string, { entries, truncated }: Directory): string {
  const title = `Index of ${escapeHtml(displayName(path))}`;
  const parent = path === '/' ? '' : '<tr><td><a href="../">../</a></td><td></td><td></td></tr>\n';
  const rows = entries.map(row).join('\n');
  const truncation = truncated ? `<p>Only the first ${entries.length} entries are shown.</p>\n` : '';
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { width: 100%; border-collapse }
td, th { padding: .15rem .5rem; text-align: left; overflow-wrap: anywhere }
td + td, th + th { white-space: nowrap; text-align: right; font-variant-numeric: tabular-nums }
</style>
</head>
<body>
<h1>${title}</h1>
<table>
<thead><tr><th>Name</th><th>Size</th><th>Modified (UTC)</th></tr></thead>
<tbody>
${parent}${rows}
</tbody>
</table>
${truncation}</body>
</html>
`;
}

function row(entry: DirectoryEntry): string {
  const isDirectory = entry.type === 'directory';
  const name = escapeHtml(displayName(entry.name)) + (isDirectory ? '/' : '');
  const date = new Date(entry.modifiedMs).toISOString();
  const time = `<time datetime="${date}">${date.slice(0, 16).replace('T', ' ')}</time>`;
  const size = isDirectory ? '' : readableSize(entry.size);
  return `<tr><td><a href="${escapeHtml(hrefOf(entry))}">${name}</a></td><td>${size}</td><td>${time}</td></tr>`;
}

/**
 * Relative to the directory. `./` prevents a name such as `javascript:x` from being a scheme (RFC 3986 section 4.2).
 */
function hrefOf({ name, type }: DirectoryEntry): string {
  return `./${encodePath(name)}${type === 'directory' ? '/' : ''}`;
}

/** Replaces bytes that are not UTF-8. */
function displayName(name: string): string {
  return Buffer.from(name, 'utf8').toString('utf8');
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function readableSize(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const exponent = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1);
  const number = bytes / 1024 ** exponent;
  return `${exponent === 0 ? bytes : number.toFixed(1)} ${units[exponent]}`;
}
