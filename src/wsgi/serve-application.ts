import type { Next } from '../http/handler.ts';
import { requestIdOf } from '../http/request-id.ts';
import { ApplicationCall } from './application-call.ts';
import type { ApplicationOptions } from './application-options.ts';
import type { Application } from './contract.ts';
import { EnvironBuilder } from './environ-builder.ts';
import { nativeHandlerOf } from './native-application.ts';

/**
 * The server's side of the contract (PEP 3333, "The Server/Gateway Side"): the end of a handler chain, which calls `application`. An application that takes
 * requests itself, such as a pool of Python workers, is called without an environ.
 */
export function serveApplication(application: Application, server: ApplicationOptions): Next {
  const handle = nativeHandlerOf(application, server);
  if (handle !== null) return handle;
  const environs = new EnvironBuilder(server);
  return function callApplication(request) {
    const section = environs.sectionOf(request);
    const call = new ApplicationCall(request, section, server);
    const environ = section.environ(request, call, call.earlyHints);
    if (server.requestId === true) environ['viaduct.request_id'] = requestIdOf(request.record);
    return call.run(application, environ);
  };
}
