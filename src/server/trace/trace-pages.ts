import type { Request } from '../../http/message.ts';
import type { Response } from '../../http/response.ts';
import { notAllowedHere, problem } from './page-response.ts';
import { type TraceApiSource, traceApi } from './trace-api.ts';

/** The paths of the application of one page, after the prefix. */
const PAGES = /^\/(?:|errors|requests(?:\/[^/]+)?|compare\/[^/]+\/[^/]+)$/;

/** Answers the request for `path`, which starts after `prefix` (such as `/__viaduct`): a page, a file of the pages, or data. */
export async function tracePages(
  source: TraceApiSource,
  request: Request,
  prefix: string,
  path: string,
): Promise<Response> {
  const { method } = request;
  if (path.startsWith('/api/')) return traceApi(source, request, path.slice('/api/'.length));
  if (method !== 'GET' && method !== 'HEAD') return notAllowedHere('GET, HEAD');
  const ui = await source.ui();
  if (ui === null)
    return problem(404, 'The pages are not part of this build: run npm run build. The data is below api/');
  if (PAGES.test(path)) return ui.page(request, prefix);
  const asset = path.startsWith('/assets/') ? ui.asset(request, path.slice('/assets/'.length)) : null;
  return asset ?? problem(404, 'There is no such page');
}
