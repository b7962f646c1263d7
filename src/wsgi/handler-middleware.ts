import { describeThrown } from '../errors.ts';
import { deriveRequest } from '../http/derived-request.ts';
import type { Handler, HandlerResult } from '../http/handler.ts';
import type { Request } from '../http/message.ts';
import { Response } from '../http/response.ts';
import { ApplicationCall } from './application-call.ts';
import type { Application, Environ, ErrorStream, ExtensionKey, Middleware } from './contract.ts';
import { EnvironBuilder } from './environ-builder.ts';
import { requestOf } from './environ-to-request.ts';
import { answer, bound } from './native-application.ts';
import { onceEach } from './notices.ts';
import { serveApplication } from './serve-application.ts';

/**
 * Makes a middleware of a handler of the web server, such as `compression()` or a handler of your own. Below a mount the handler sees the path after
 * SCRIPT_NAME, as an application does. If it is the outermost middleware, or all middleware outside of it was made by this function, it costs no environ.
 *
 * @example
 * ```ts
 * import { compose, pythonApp, serve } from 'viaduct';
 * import { compression, handlerMiddleware, rateLimit } from 'viaduct/handlers';
 *
 * const middleware = compose(
 *   handlerMiddleware(compression()),
 *   handlerMiddleware(rateLimit({ per: 'address', ratePerSecond: 10, burst: 20 })),
 * );
 * await serve({ application: middleware(pythonApp()), port: 8000 });
 * ```
 */
export function handlerMiddleware(original: Handler): Middleware {
  const handler = belowMount(original);
  return (application) => {
    const { start, close } = application;
    const onNotice = onceEach((text, errors: ErrorStream) => errors.write(`${text}\n`));
    const outside: Application = (environ, startResponse) => {
      const request = requestOf(environ);
      const result = handler(request, (passed) => callInside(application, environ, request, passed, onNotice));
      return answer(result, environ, startResponse);
    };
    const wrapped = bound(outside, (server) => {
      const next = serveApplication(application, server);
      return (request) => handler(request, next);
    });
    return Object.assign(wrapped, start === undefined ? {} : { start }, close === undefined ? {} : { close });
  };
}

/** The handler, which sees the path as if it were not mounted. */
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

/** Calls the application behind a handler that was called with an environ. Changes of the request by the handler become changes of the environ. */
function callInside(
  application: Application,
  environ: Environ,
  request: Request,
  passed: Request,
  onNotice: (text: string, errors: ErrorStream) => void,
): HandlerResult {
  const errors = environ['wsgi.errors'];
  const call = new ApplicationCall(passed, null, {
    onError: (error) => errors.write(`${describeThrown(error)}\n`),
    onNotice: (text) => onNotice(text, errors),
    errorResponse: () => Response.text(500, 'Internal Server Error\n'),
  });
  return call.run(application, passed === request ? environ : changedEnviron(environ, request, passed, call));
}

/** Keys that the request itself provides. All others come from the server, or from middleware outside of the handler. */
const OF_REQUEST = new Set(['wsgi.input', 'wsgi.url_scheme']);

/** The environ of a request that a handler has changed, with the keys that middleware outside of it had added. */
function changedEnviron(environ: Environ, request: Request, passed: Request, call: ApplicationCall): Environ {
  const { SERVER_NAME, SERVER_SOFTWARE: software, REMOTE_USER, AUTH_TYPE, CONTENT_LENGTH } = environ;
  const multiprocess = environ['wsgi.multiprocess'];
  const environs = new EnvironBuilder({ listeners: [], software, multiprocess, errors: environ['wsgi.errors'] });
  const client = environ['viaduct.client'] ?? call;
  const changed = environs.sectionOf(passed).environ(passed, client, environ['wsgi.early_hints'] ?? call.earlyHints);
  changed.SERVER_NAME = SERVER_NAME;
  if (passed.user === undefined && REMOTE_USER !== undefined) changed.REMOTE_USER = REMOTE_USER;
  if (passed.user === undefined && AUTH_TYPE !== undefined) changed.AUTH_TYPE = AUTH_TYPE;
  if (CONTENT_LENGTH !== undefined && passed.body === request.body) changed.CONTENT_LENGTH = CONTENT_LENGTH;
  for (const key of Object.keys(environ) as ExtensionKey[]) {
    if (key.includes('.') && !key.startsWith('HTTP_') && !OF_REQUEST.has(key)) changed[key] = environ[key];
  }
  return changed;
}
