import type { Next } from '../http/handler.ts';
import { Exchange } from './application-call.ts';
import type { ApplicationOptions } from './application-options.ts';
import type { Application } from './contract.ts';
import { Environs } from './environ-builder.ts';
import { handleOf } from './native-application.ts';

/**
 * The server's side of the contract (PEP 3333, "The Server/Gateway Side"): the end of a handler chain that calls `application`. One that takes requests itself,
 * as a pool of Python workers does, is called without an environ.
 */
export function serveApplication(application: Application, server: ApplicationOptions): Next {
  const handle = handleOf(application, server);
  if (handle !== null) return handle;
  const environs = new Environs(server);
  return function callApplication(request) {
    const section = environs.sectionOf(request);
    const exchange = new Exchange(request, section, server);
    return exchange.run(application, section.environ(request, exchange, exchange.earlyHints));
  };
}
