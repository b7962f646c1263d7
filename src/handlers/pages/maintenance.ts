import { existsSync } from 'node:fs';
import type { Handler } from '../../http/handler.ts';
import { Response } from '../../http/response.ts';
import { Page, type PageSource } from './page.ts';

export interface MaintenanceOptions {
  /** A file that switches maintenance on by being there; null for none. */
  readonly file: string | null;
  /** Maintenance is on, file or not. */
  readonly enabled: boolean;
  /** Who gets the site all the same, by the client's address. */
  readonly allow: (address: string) => boolean;
  /** When to come back, for `Retry-After`; null says nothing. */
  readonly retryAfterSeconds: number | null;
  /** What people see; null for a line of plain text. */
  readonly page: PageSource | null;
  /** How long it is believed that the file is there, or is not. 1000 by default. */
  readonly checkMs?: number;
}

const CHECK_MS = 1000;

/**
 * While maintenance is on, answers everything with 503 (RFC 9110 section 15.6.4), which nobody stores and search engines take for what it
 * is. Requests that run already are not disturbed.
 */
export function maintenance(options: MaintenanceOptions): Handler {
  const { file, enabled, allow, retryAfterSeconds, checkMs = CHECK_MS } = options;
  const page = options.page === null ? null : new Page(options.page, checkMs);
  const common = ['Cache-Control', 'no-store'];
  if (retryAfterSeconds !== null) common.push('Retry-After', `${retryAfterSeconds}`);
  let isThere = false;
  let checkedAtMs = Number.NEGATIVE_INFINITY;

  /** One look at the file system for all requests of a second. */
  function isOn(): boolean {
    if (enabled || file === null) return enabled;
    const now = performance.now();
    if (now - checkedAtMs >= checkMs) {
      isThere = existsSync(file);
      checkedAtMs = now;
    }
    return isThere;
  }

  return function maintenance(request, next) {
    if (!isOn() || allow(request.peer.remoteAddress)) return next(request);
    return page === null ? plain(common) : withPage(page, common);
  };
}

function plain(fields: readonly string[]): Response {
  return Response.text(503, 'Service Unavailable: down for maintenance\n', fields);
}

async function withPage(page: Page, fields: readonly string[]): Promise<Response> {
  const rendered = await page.render(503);
  if (rendered === null) return plain(fields);
  return Response.fromHeaders(503, ['Content-Type', rendered.contentType, ...fields], rendered.content);
}
