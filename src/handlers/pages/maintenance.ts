import { existsSync } from 'node:fs';
import type { Handler } from '../../http/handler.ts';
import { Response } from '../../http/response.ts';
import { CidrList } from '../../http/semantics/cidr.ts';
import { describeFeature } from '../feature.ts';
import { Page, type PageSource } from './page.ts';

/** Options of `maintenance`. */
export interface MaintenanceOptions {
  /** Maintenance is on while this file exists; null for no file. */
  readonly file: string | null;
  /** Whether maintenance is on without a file. */
  readonly enabled: boolean;
  /** Whether a client with this address can still use the site. */
  readonly allow: (address: string) => boolean;
  /** Value of `Retry-After` in seconds; null for none. */
  readonly retryAfterSeconds: number | null;
  /** The page to show; null for a line of plain text. */
  readonly page: PageSource | null;
  /** Milliseconds between two checks whether the file exists. 1000 by default. */
  readonly checkMs?: number;
}

const CHECK_MS = 1000;

/**
 * Answers everything with 503 (RFC 9110 section 15.6.4) while maintenance is on. Nobody caches a 503, and search engines understand it. Running requests are not
 * affected.
 */
export function maintenance(options: MaintenanceOptions): Handler {
  const { file, enabled, allow, retryAfterSeconds, checkMs = CHECK_MS } = options;
  const page = options.page === null ? null : new Page(options.page, checkMs);
  const common = ['Cache-Control', 'no-store'];
  if (retryAfterSeconds !== null) common.push('Retry-After', `${retryAfterSeconds}`);
  let exists = false;
  let checkedAtMs = Number.NEGATIVE_INFINITY;

  /** Checks the file system once a second for all requests. */
  function isOn(): boolean {
    if (enabled || file === null) return enabled;
    const now = performance.now();
    if (now - checkedAtMs >= checkMs) {
      exists = existsSync(file);
      checkedAtMs = now;
    }
    return exists;
  }

  return function maintenance(request, next) {
    if (!isOn() || allow(request.peer.remoteAddress)) return next(request);
    request.record.reason = 'maintenance';
    return page === null ? plain(common) : withPage(page, common);
  };
}

/** `maintenance` in a configuration. */
export const maintenanceFeature = describeFeature({
  key: 'maintenance',
  scope: 'site',
  description: 'Answers everything with 503 during maintenance.',
  page: 'handlers.md#maintenance',
  schema: ({ feature, bool, listOf, whole, words }) =>
    feature({
      file: words('the path of a file').optional().describe('Maintenance is on while this file exists.'),
      enabled: bool().default(false).describe('Whether maintenance is on without a file.'),
      allow: listOf(words('an address range')).prefault([]).describe('Clients that can still use the site.'),
      retry_after_s: whole(0, 31_536_000).optional().describe('Value of Retry-After, in seconds.'),
      page: words('the path of a file')
        .optional()
        .meta({ description: 'File with the page to show.', defaultText: 'a line of plain text' }),
    }),
  create: ({ file, enabled, allow, retry_after_s, page }, { pathOf, pageIn }) => {
    const allowed = CidrList.parse(allow);
    return maintenance({
      file: file === undefined ? null : pathOf(file),
      enabled,
      allow: (address) => allowed.matches(address),
      retryAfterSeconds: retry_after_s ?? null,
      page: page === undefined ? null : pageIn(page),
    });
  },
});

function plain(fields: readonly string[]): Response {
  return Response.text(503, 'Service Unavailable: down for maintenance\n', fields);
}

async function withPage(page: Page, fields: readonly string[]): Promise<Response> {
  const rendered = await page.render(503);
  if (rendered === null) return plain(fields);
  return Response.fromHeaders(503, ['Content-Type', rendered.contentType, ...fields], rendered.content);
}
