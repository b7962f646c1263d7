import { ViaductError } from '../../errors.ts';
import { type Handler, mapResponse } from '../../http/handler.ts';
import type { Request } from '../../http/message.ts';
import type { Response } from '../../http/response.ts';
import { changeResponse, responseField } from '../../http/response-fields.ts';
import { discardBody } from '../../http/semantics/response-content.ts';
import { reasonPhrase } from '../../http/semantics/status.ts';
import { describeFeature } from '../feature.ts';
import { mapValues } from '../options.ts';
import { Page, type PageSource } from './page.ts';

/** Options of `errorPages`. */
export interface ErrorPagesOptions {
  /** Pages by status (`404`) or class (`4xx`, `5xx`). A status wins over its class. `{status}` and `{reason}` in a page are replaced. */
  readonly pages: Readonly<Record<string, PageSource>>;
  /** Whether to replace errors that have content too, such as the application's own error pages. */
  readonly intercept: boolean;
  /** Milliseconds for which the file of a page is served before it is compared with the file on disk. 1000 by default. */
  readonly revalidateMs?: number;
}

const REVALIDATE_MS = 1000;

/**
 * Replaces the content of errors (400 to 599) by pages. The status stays, and so do all fields that are not about the replaced content: `WWW-Authenticate`,
 * `Retry-After`, `Allow`, cookies. Without `intercept`, only errors without content and Viaduct's own errors (one line of plain text) are replaced. If the file of a
 * page cannot be read, the response is not changed.
 *
 * @throws ViaductError `SETTINGS` for a key that is neither a status nor a class
 */
export function errorPages({ pages, intercept, revalidateMs = REVALIDATE_MS }: ErrorPagesOptions): Handler {
  const byKey = new Map(Object.entries(pages).map(([key, source]) => [checkKey(key), new Page(source, revalidateMs)]));

  return function errorPages(request, next) {
    return mapResponse(next(request), (response) => {
      const { status } = response;
      if (status < 400 || status > 599) return response;
      const page = byKey.get(`${status}`) ?? byKey.get(`${Math.floor(status / 100)}xx`);
      if (page === undefined || !(intercept || isBare(request, response))) return response;
      return withPage(response, page);
    });
  };
}

/** `error_pages` in a configuration. */
export const errorPagesFeature = describeFeature({
  key: 'error_pages',
  scope: 'site',
  description: 'Replaces error messages by pages of your own.',
  page: 'handlers.md#error_pages',
  schema: ({ feature, bool, record, words }) =>
    feature({
      pages: record(words('the path of a file')).describe('Files by status, such as 404, or by class: 4xx or 5xx.'),
      intercept: bool().default(false).describe("Whether they also replace the application's own error pages."),
    }),
  create: ({ pages, intercept }, { pathOf }) =>
    errorPages({ pages: mapValues(pages, (path) => ({ file: pathOf(path) })), intercept }),
});

function checkKey(key: string): string {
  const lower = key.toLowerCase();
  if (/^[45](?:\d\d|xx)$/.test(lower)) return lower;
  throw new ViaductError('SETTINGS', `Cannot use an error page for "${key}": it is not the status of an error`, {
    advice: 'Write a status such as 404, or a class: 4xx or 5xx.',
  });
}

/** Fields about the content that is replaced (RFC 9110 section 8, RFC 9530). The Content-Range of a 416 is about another resource, so it stays. */
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

/** Whether the response has no content that the application wrote for this error. */
function isBare({ method }: Request, response: Response): boolean {
  const { body, contentLength, status } = response;
  if (body === null || (body instanceof Uint8Array && body.length === 0)) {
    // The fields of a response to HEAD can show that the application has content.
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
