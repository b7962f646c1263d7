import type { Exchange } from './exchange.ts';
import type { ErrorPage } from './model.ts';
import { answer } from './respond.ts';
import { enterNamed, redirectInternally, type Step, splitArguments } from './step.ts';

/** Statuses of nginx's own that clients see as 400. */
const SHOWN_AS_400: ReadonlySet<number> = new Set([494, 495, 496, 497]);

/** Answers with a status: through an `error_page`, or with a usual page. An error page has no error page, unless they are recursive. */
export function answerStatus(exchange: Exchange, status: number): Step {
  const { settings } = exchange.level;
  exchange.errorStatus = status;
  if (!exchange.sawErrorPage && settings.errorPages.length > 0 && exchange.uriChangesLeft !== 0) {
    exchange.sawErrorPage = !settings.recursiveErrorPages;
    const page = settings.errorPages.find(({ statuses }) => statuses.includes(status));
    if (page !== undefined) return send(exchange, page, status);
  }
  return { to: 'done', outcome: answer(exchange, SHOWN_AS_400.has(status) ? 400 : status, null) };
}

function send(exchange: Exchange, page: ErrorPage, status: number): Step {
  const overwrite = page.status ?? (SHOWN_AS_400.has(status) ? 400 : null);
  if (overwrite !== null) exchange.errorStatus = overwrite === 0 ? null : overwrite;
  const target = exchange.evaluate(page.target);
  if (target.startsWith('/')) {
    if (exchange.method !== 'HEAD') exchange.method = 'GET';
    const { path, args } = splitArguments(target);
    return redirectInternally(exchange, path, args);
  }
  if (target.startsWith('@')) return enterNamed(exchange, target);
  exchange.redirectTo = target;
  const isRedirect = overwrite !== null && [301, 302, 303, 307, 308].includes(overwrite);
  return { to: 'done', outcome: answer(exchange, isRedirect ? overwrite : 302, null) };
}
