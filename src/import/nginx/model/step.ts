import type { Outcome } from '../../check/outcome.ts';
import type { Exchange } from './exchange.ts';

/** The phase that comes next, a status that nginx answers with, or the end. */
export type Step =
  | { readonly to: 'server' | 'location' | 'rewrite' | 'access' | 'content' }
  | { readonly to: 'status'; readonly status: number }
  | { readonly to: 'done'; readonly outcome: Outcome };

export function status(code: number): Step {
  return { to: 'status', status: code };
}

/** Starts again with another URI, as `index`, `try_files` and `error_page` do. */
export function redirectInternally(exchange: Exchange, uri: string, args: string): Step {
  exchange.uriChangesLeft -= 1;
  if (exchange.uriChangesLeft === 0) return status(500);
  exchange.uri = uri;
  exchange.args = args;
  exchange.isInternal = true;
  exchange.validRequestUri = false;
  exchange.addsUriToAlias = false;
  exchange.validLocation = true;
  exchange.enter(null);
  return { to: 'server' };
}

/** Goes on in a location such as `@app`, with the same URI. */
export function enterNamed(exchange: Exchange, name: string): Step {
  exchange.uriChangesLeft -= 1;
  if (exchange.uriChangesLeft === 0) return status(500);
  const location = exchange.server.named.get(name);
  if (location === undefined || exchange.uri === '') return status(500);
  exchange.isInternal = true;
  exchange.uriChanged = false;
  exchange.enter(location);
  return { to: 'rewrite' };
}

/** A URI, with its arguments cut off. */
export function splitArguments(uri: string): { readonly path: string; readonly args: string } {
  const at = uri.indexOf('?');
  return at < 0 ? { path: uri, args: '' } : { path: uri.slice(0, at), args: uri.slice(at + 1) };
}
