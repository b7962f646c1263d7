import type { Handler, Next } from '../../src/http/handler.ts';
import { compose } from '../../src/routing/chain.ts';
import { serve, type TestServer } from './serve.ts';

/** Serves a chain of handlers in this process; `last` answers what they pass on. */
export function startChainServer(handlers: readonly Handler[], last: Next): Promise<TestServer> {
  return serve({ handle: compose(handlers, last) });
}
