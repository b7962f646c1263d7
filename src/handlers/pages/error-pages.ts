import { ViaductError } from '../../errors.ts';
import { type Handler, mapResponse } from '../../http/handler.ts';
import type { Response } from '../../http/response.ts';
import { changeResponse } from '../../http/response-fields.ts';
import { discardBody } from '../../http/semantics/response-content.ts';
import { describeFeature } from '../feature.ts';
import { mapValues, omitUndefined } from '../options.ts';
import { isBare } from './bare-error.ts';
import { CONTENT_FIELDS } from './content-fields.ts';
import { answerByRoute, type ErrorRoute, watchContent } from './error-route.ts';
import { Page, type PageSource } from './page.ts';

/** Options of `errorPages`. */
export interface ErrorPagesOptions {
  /** Pages by status (`404`) or class (`4xx`, `5xx`). A status wins over its class. `{status}` and `{reason}` in a page are replaced. */
  readonly pages: Readonly<Record<string, PageSource>>;
  /** Routes that answer errors, by status or class as well. None by default. */
  readonly routes?: Readonly<Record<string, ErrorRoute>>;
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
 * Instead of a page, a route can answer. An error of this route does not lead to a further route.
 *
 * @throws ViaductError `SETTINGS` for a key that is neither a status nor a class, for a key with both a page and a route, and without any of them
 */
export function errorPages({
  pages,
  routes = {},
  intercept,
  revalidateMs = REVALIDATE_MS,
}: ErrorPagesOptions): Handler {
  const byKey = new Map<string, Page | ErrorRoute>();
  for (const [key, source] of Object.entries(pages)) addTo(byKey, key, new Page(source, revalidateMs));
  for (const [key, route] of Object.entries(routes)) addTo(byKey, key, route);
  if (byKey.size === 0) {
    throw new ViaductError('SETTINGS', 'Cannot replace error pages: there are none', {
      advice: 'Add pages or routes, or write false.',
    });
  }
  const watches = Object.values(routes).some(({ takesContent }) => takesContent);

  return function errorPages(request, next) {
    const passed = watches ? watchContent(request) : request;
    return mapResponse(next(passed), (response) => {
      const { status } = response;
      if (status < 400 || status > 599) return response;
      const found = byKey.get(`${status}`) ?? byKey.get(`${Math.floor(status / 100)}xx`);
      if (found === undefined || !(intercept || isBare(request, response))) return response;
      return found instanceof Page ? withPage(response, found) : answerByRoute(passed, response, found);
    });
  };
}

/** `error_pages` in a configuration. */
export const errorPagesFeature = describeFeature({
  key: 'error_pages',
  scope: 'site',
  description: 'Replaces error messages by pages of your own, or by answers of routes.',
  page: 'handlers.md#error_pages',
  schema: ({ z, feature, bool, oneOf, record, table, text, whole, words }) => {
    const to = text(
      /^(?:\/[\x21-\x7e]*|@[\w.-]+)$/,
      'a path such as /sorry.html, or the path of a route such as @sorry',
    );
    const answer = table({
      to: to.describe(
        'A path, which gets a GET, or the path of a route such as @sorry, which gets the request as it is. Paths may have placeholders.',
      ),
      status: z
        .union([whole(200, 599), oneOf(['route'])], 'must be a status from 200 to 599, or route')
        .optional()
        .meta({ description: 'Status of the answer. route: that of the route.', defaultText: 'that of the error' }),
    });
    return feature({
      pages: record(words('the path of a file'))
        .default({})
        .describe('Files by status, such as 404, or by class: 4xx or 5xx.'),
      routes: record(z.union([to, answer], 'must be a path, or a table of to and status'))
        .default({})
        .describe('Routes that answer errors, by status or class. A table also has their status.'),
      intercept: bool().default(false).describe("Whether they also replace the application's own error pages."),
    });
  },
  create: ({ pages, routes, intercept }, { pageIn, answerBy, revalidateMs }) =>
    errorPages({
      revalidateMs,
      pages: mapValues(pages, pageIn),
      routes: mapValues(routes, (value): ErrorRoute => {
        const { to, status = null } = typeof value === 'string' ? { to: value } : omitUndefined(value);
        return { answer: answerBy(to), takesContent: to.startsWith('@'), status };
      }),
      intercept,
    }),
});

function addTo<T>(byKey: Map<string, T>, key: string, value: T): void {
  const checked = checkKey(key);
  if (byKey.has(checked)) {
    throw new ViaductError('SETTINGS', `Cannot use an error page for "${key}": it has another one, too`, {
      advice: 'Write each status or class once, in pages or in routes.',
    });
  }
  byKey.set(checked, value);
}

function checkKey(key: string): string {
  const lower = key.toLowerCase();
  if (/^[45](?:\d\d|xx)$/.test(lower)) return lower;
  throw new ViaductError('SETTINGS', `Cannot use an error page for "${key}": it is not the status of an error`, {
    advice: 'Write a status such as 404, or a class: 4xx or 5xx.',
  });
}

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
