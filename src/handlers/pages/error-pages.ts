import { ViaductError } from '../../errors.ts';
import { after, type Handler } from '../../http/handler.ts';
import { discardBody } from '../../http/http1/response-writer.ts';
import type { Request } from '../../http/message.ts';
import type { Response } from '../../http/response.ts';
import { changeResponse, responseField } from '../../http/response-fields.ts';
import { reasonPhrase } from '../../http/semantics/status.ts';
import { Page, type PageSource } from './page.ts';

export interface ErrorPagesOptions {
  /** By status (`404`) or class (`4xx`, `5xx`); a status goes before its class. `{status}` and `{reason}` in a page are filled in. */
  readonly pages: Readonly<Record<string, PageSource>>;
  /** Whether errors that have a body of their own, as applications send them, get a page too. */
  readonly intercept: boolean;
  /** How long the file of a page is served before it is compared with the one on disk. 1000 by default. */
  readonly revalidateMs?: number;
}

const REVALIDATE_MS = 1000;

/**
 * Gives errors (400 to 599) from behind it a page. The status stays and so do all fields that are not about the content that goes:
 * `WWW-Authenticate`, `Retry-After`, `Allow`, cookies. Without `intercept` only errors without content get one, and those in the one
 * line of plain text that Viaduct itself sends. Where the file of a page cannot be read the response stays as it is.
 *
 * @throws ViaductError `SETTINGS` for a key that is neither a status nor a class.
 */
export function errorPages({ pages, intercept, revalidateMs = REVALIDATE_MS }: ErrorPagesOptions): Handler {
  const byKey = new Map(Object.entries(pages).map(([key, source]) => [checkKey(key), new Page(source, revalidateMs)]));

  return function errorPages(request, next) {
    return after(next(request), (response) => {
      const { status } = response;
      if (status < 400 || status > 599) return response;
      const page = byKey.get(`${status}`) ?? byKey.get(`${Math.floor(status / 100)}xx`);
      if (page === undefined || !(intercept || isBare(request, response))) return response;
      return withPage(response, page);
    });
  };
}

function checkKey(key: string): string {
  const lower = key.toLowerCase();
  if (/^[45](?:\d\d|xx)$/.test(lower)) return lower;
  throw new ViaductError('SETTINGS', `Cannot use an error page for "${key}": it is no status of an error`, {
    advice: 'Write a status such as 404, or a class: 4xx or 5xx.',
  });
}

/** Fields about content that is not sent (RFC 9110 section 8, RFC 9530). The Content-Range of a 416 is about what could be asked for. */
const CONTENT_FIELDS: readonly string[] = [
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

async function withPage(response: Response, page: Page): Promise<Response> {
  const rendered = await page.render(response.status);
  if (rendered === null) return response;
  discardBody(response.body);
  return changeResponse(response, {
    set: ['Content-Type', rendered.contentType],
    remove: CONTENT_FIELDS,
    body: rendered.content,
  });
}

/** Whether the response has no content that somebody wrote for this error. */
function isBare({ method }: Request, response: Response): boolean {
  const { body, contentLength, status } = response;
  if (body === null || (body instanceof Uint8Array && body.length === 0)) {
    // What HEAD does not get, its fields may still tell of.
    return method !== 'HEAD' || contentLength === 0 || (contentLength < 0 && !hasType(response));
  }
  if (!(body instanceof Uint8Array) || body.length > PLAIN_BYTES_MAX) return false;
  if (responseField(response, 'content-type') !== 'text/plain; charset=utf-8') return false;
  const text = new TextDecoder().decode(body);
  const reason = reasonPhrase(status);
  return text === `${reason}\n` || (text.startsWith(`${reason}: `) && text.indexOf('\n') === text.length - 1);
}

const PLAIN_BYTES_MAX = 256;

function hasType(response: Response): boolean {
  return responseField(response, 'content-type') !== null;
}
