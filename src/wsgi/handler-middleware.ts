import { deriveRequest } from '../http/derived-request.ts';
import type { Handler, HandlerResult } from '../http/handler.ts';
import type { Request } from '../http/message.ts';
import { Response } from '../http/response.ts';
import { Exchange } from './application-call.ts';
import type { Application, Environ, ExtensionKey, Middleware } from './contract.ts';
import { Environs } from './environ-builder.ts';
import { requestOf } from './environ-to-request.ts';
import { answer, bound } from './native-application.ts';
import { serveApplication } from './serve-application.ts';

/**
 * Makes middleware of a handler of the web server, such as static files. As middleware does, it sees of the path what is behind SCRIPT_NAME. Where it stands
 * outermost, or behind others of its kind only, it costs no environ.
 */
export function handlerMiddleware(given: Handler): Middleware {
  const handler = belowMount(given);
  return (application) => {
    const { start, close } = application;
    const outside: Application = (environ, startResponse) => {
      const request = requestOf(environ);
      const result = handler(request, (passed) => callInside(application, environ, request, passed));
      return answer(result, environ, startResponse);
    };
    const wrapped = bound(outside, (server) => {
      const next = serveApplication(application, server);
      return (request) => handler(request, next);
    });
    return Object.assign(wrapped, start === undefined ? {} : { start }, close === undefined ? {} : { close });
  };
}

/** Shows a handler the path as if it were not mounted. */
function belowMount(handler: Handler): Handler {
  return (request, next) => {
    const { scriptName, path } = request;
    if (scriptName === '') return handler(request, next);
    const shown = deriveRequest(request, { path: path.slice(scriptName.length) || '/', scriptName: '' });
    return handler(shown, (passed) =>
      next(passed === shown ? request : deriveRequest(passed, { path: scriptName + passed.path, scriptName })),
    );
  };
}

/** Calls the application behind a handler that was itself called with an environ. What the handler changed in the request is changed there. */
function callInside(application: Application, environ: Environ, request: Request, passed: Request): HandlerResult {
  const errors = environ['wsgi.errors'];
  const exchange = new Exchange(passed, null, {
    onError: (error) => errors.write(`${error instanceof Error ? error.stack : String(error)}\n`),
    errorResponse: () => Response.text(500, 'Internal Server Error\n'),
  });
  return exchange.run(application, passed === request ? environ : changedEnviron(environ, request, passed, exchange));
}

/** What a request says by itself. All other keys are what middleware before the handler, or the server, has put there. */
const OF_REQUEST = new Set(['wsgi.input', 'wsgi.url_scheme']);

/** The environ of a request that a handler has derived, with what middleware before it had added. */
function changedEnviron(environ: Environ, request: Request, passed: Request, exchange: Exchange): Environ {
  const { SERVER_NAME, SERVER_SOFTWARE: software, REMOTE_USER, AUTH_TYPE, CONTENT_LENGTH } = environ;
  const multiprocess = environ['wsgi.multiprocess'];
  const environs = new Environs({ listeners: [], software, multiprocess, errors: environ['wsgi.errors'] });
  const client = environ['viaduct.client'] ?? exchange;
  const changed = environs
    .sectionOf(passed)
    .environ(passed, client, environ['wsgi.early_hints'] ?? exchange.earlyHints);
  changed.SERVER_NAME = SERVER_NAME;
  if (REMOTE_USER !== undefined) changed.REMOTE_USER = REMOTE_USER;
  if (AUTH_TYPE !== undefined) changed.AUTH_TYPE = AUTH_TYPE;
  if (CONTENT_LENGTH !== undefined && passed.body === request.body) changed.CONTENT_LENGTH = CONTENT_LENGTH;
  for (const key of Object.keys(environ) as ExtensionKey[]) {
    if (key.includes('.') && !key.startsWith('HTTP_') && !OF_REQUEST.has(key)) changed[key] = environ[key];
  }
  return changed;
}
