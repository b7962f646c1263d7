import type { HandlerResult } from '../../http/handler.ts';
import type { Request } from '../../http/message.ts';
import { Response } from '../../http/response.ts';
import { type DevClients, opensDevPages } from '../../site/dev-clients.ts';
import { DEV_PREFIX } from '../../trace/dev-prefix.ts';
import { whyForeign } from '../admin/foreign.ts';
import type { LiveSource } from './live-source.ts';
import { tracePages } from './trace-pages.ts';

export interface DevPagesOptions {
  readonly source: LiveSource;
  /** Asked for each request of a page. */
  readonly isOn: () => boolean;
  readonly clients: DevClients;
  /** Host names in the setting `listen`. */
  readonly names: readonly string[];
}

/**
 * The pages in development, before all routes of the site. Only clients on this machine get them. For all others, as in production, the path is
 * one like any other.
 */
export class DevPages {
  readonly #options: DevPagesOptions;

  constructor(options: DevPagesOptions) {
    this.#options = options;
  }

  /** Whether `path` is one of the pages; they are left out of the logs and of the traces. */
  owns(path: string): boolean {
    return isDevPath(path) && this.#options.isOn();
  }

  /** Returns the response for a request of the pages; null for any other request. */
  answer(request: Request): HandlerResult | null {
    const { path, peer } = request;
    if (!isDevPath(path)) return null;
    const { source, isOn, clients, names } = this.#options;
    if (!isOn() || !opensDevPages(clients, peer.remoteAddress)) return null;
    const foreign = whyForeign(request, names, true);
    if (foreign !== '') return Response.text(403, `${foreign}\n`);
    if (path === DEV_PREFIX) return Response.text(308, '', ['Location', `${DEV_PREFIX}/`]);
    return tracePages(source, request, DEV_PREFIX, path.slice(DEV_PREFIX.length));
  }

  /** The server stops: the streams of events end, which would hold it. */
  close(): void {
    this.#options.source.close();
  }
}

/** Whether `path` is `/__viaduct` or below it. */
export function isDevPath(path: string): boolean {
  return (
    path.startsWith(DEV_PREFIX) && (path.length === DEV_PREFIX.length || path.charCodeAt(DEV_PREFIX.length) === 47)
  );
}
