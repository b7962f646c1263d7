import type { Next } from '../../http/handler.ts';
import type { Request } from '../../http/message.ts';
import { Response } from '../../http/response.ts';
import { exposition } from '../../metrics/exposition.ts';
import type { Family } from '../../metrics/family.ts';
import { problem } from '../trace/page-response.ts';
import type { TraceApiSource } from '../trace/trace-api.ts';
import { tracePages } from '../trace/trace-pages.ts';
import type { AdminToken } from './admin-token.ts';
import { fieldOf, whyForeign } from './foreign.ts';
import { LOGIN_PATH, login, loginPage, tooManyTokens } from './login-page.ts';

/** Reads all metrics; null while the server starts. */
export type Scrape = () => Promise<readonly Family[] | null>;

/** The rules for the clients of an admin listener. */
export interface AdminAccess {
  /** Further host names that lead to this listener: those in the setting. Null accepts any name: no browser opens a Unix socket. */
  readonly names: readonly string[] | null;
  /** For everything but the metrics; null if nobody else can connect. */
  readonly token: AdminToken | null;
}

/**
 * Answers the requests of an admin listener: the pages, their data, and `GET /metrics`, for which no token is needed, because programs that collect
 * metrics often have none. Other web pages can use none of it. `source` returns null while the server starts.
 */
export function adminApi(scrape: Scrape, source: () => TraceApiSource | null, { names, token }: AdminAccess): Next {
  return async (request) => {
    const { path } = request;
    const isMetrics = path === '/metrics';
    const foreign = names === null ? '' : whyForeign(request, names, !isMetrics);
    if (foreign !== '') return refused(foreign);
    if (isMetrics) return metrics(request, scrape);
    if (token !== null) {
      const stopped = await stranger(request, token);
      if (stopped !== null) return stopped;
    }
    const shown = source();
    return shown === null
      ? problem(503, 'The server is starting', ['Retry-After', '1'])
      : tracePages(shown, request, '', path);
  };
}

async function metrics(request: Request, scrape: Scrape): Promise<Response> {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return Response.text(405, 'Only GET and HEAD are allowed here\n', ['Allow', 'GET, HEAD']);
  const families = await scrape();
  if (families === null) return Response.text(503, 'The server is starting\n', ['Retry-After', '1']);
  return exposition(request, families);
}

function refused(foreign: string): Response {
  const advice = foreign.startsWith('The Host')
    ? `${foreign}. Ask for it by its IP address, or use this name in the setting admin`
    : foreign;
  return Response.text(403, `${advice}\n`);
}

/** The answer to a client without the token; null if it has it. A wrong token counts; a missing one does not. */
async function stranger(request: Request, token: AdminToken): Promise<Response | null> {
  const { peer, headers, path } = request;
  if (token.hasSession(request)) return null;
  if (token.isBlocked(peer.remoteAddress)) return tooManyTokens();
  if (path === LOGIN_PATH) return login(request, token);
  if (token.hasToken(request)) return null;
  if (fieldOf(headers, 'authorization') !== null) token.failed(peer.remoteAddress);
  return path.startsWith('/api/')
    ? problem(401, 'A token is needed: Authorization: Bearer TOKEN', ['WWW-Authenticate', 'Bearer realm="Viaduct"'])
    : loginPage('');
}
