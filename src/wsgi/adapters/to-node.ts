import type { IncomingMessage, ServerResponse } from 'node:http';
import { RequestBodyError } from '../../http/refusal.ts';
import type { Response } from '../../http/response.ts';
import { discardBody } from '../../http/semantics/response-content.ts';
import type { Application } from '../contract.ts';
import { answerFor, FailedResponse, isBelow, type MountOptions, mountOf } from './framework-server.ts';
import { NodeRequest, type NodeServerRequest, type RequestTarget, targetOf } from './node-request.ts';
import { sendResponse } from './node-response.ts';

/** Answers a request of Node's `http` module, or passes it on to `next`. */
export type NodeHandler = (req: IncomingMessage, res: ServerResponse, next?: (error?: unknown) => void) => void;

/**
 * Mounts an application in a Node server: Express, Connect, Koa, Fastify, Vite's dev server, or `node:http` itself. The part of the path that the framework
 * has removed is the application's SCRIPT_NAME. A path that is not below `mount` goes to `next`, or is answered with 404. Contents are streamed in both
 * directions at the pace of the slower side. A client that leaves ends the iteration of the response.
 *
 * What the application throws before its response starts goes to `next`, or becomes a 500 if there is no `next`. After that, the response breaks off. If a body
 * parser has read the content and left bytes in `req.body` (`express.raw()`), these are passed on. If it has left anything else, this is an error too. Headers
 * that the framework has set stay, unless the application sets the same headers. Cookies and `Vary` are added.
 *
 * @throws ViaductError `USAGE` for a mount that is not a path
 *
 * @example
 * ```ts
 * import express from 'express';
 * import { pythonApp } from 'viaduct';
 * import { toNode } from 'viaduct/adapters';
 *
 * const app = express();
 * app.use('/admin', toNode(pythonApp({ project: './mysite' })));
 * ```
 */
export function toNode(application: Application, options: MountOptions = {}): NodeHandler {
  const { onError = console.error } = options;
  const mount = mountOf(options);
  const answer = answerFor(application, onError);

  return function viaductApplication(req, res, next) {
    const target = mounted(targetOf(req), mount);
    if (target === null) {
      if (next === undefined) refuse(res, 404, 'Not Found\n');
      else next();
      return;
    }
    const fail = (error: unknown): void => {
      if (error instanceof RequestBodyError && error.status === 0) res.destroy();
      else if (next !== undefined) next(error);
      else {
        onError(error);
        refuse(res, 500, 'Internal Server Error\n');
      }
    };
    const send = (request: NodeRequest, response: Response): void => {
      const isFailed = response instanceof FailedResponse;
      request.isAnswered = true;
      if (request.failure !== null && !isFailed) onError(request.failure);
      if (request.gone) discardBody(response.body);
      else if (isFailed) fail(response.error);
      else sendResponse(request, response, res, onError);
    };
    try {
      const request = new NodeRequest(req as NodeServerRequest, target);
      res.once('close', () => {
        if (!res.writableFinished) request.leave();
      });
      const result = answer(request);
      if ('then' in result)
        result.then(
          (response) => send(request, response),
          (error) => fail(error),
        );
      else send(request, result);
    } catch (error) {
      fail(error);
    }
  };
}

/** The target with `mount` as the end of its SCRIPT_NAME; null if the path is not below the mount. */
function mounted(target: RequestTarget, mount: string): RequestTarget | null {
  const { path, scriptName, query } = target;
  if (!isBelow(path.slice(scriptName.length), mount)) return null;
  return mount === '' ? target : { path, scriptName: scriptName + mount, query };
}

function refuse(res: ServerResponse, status: number, text: string): void {
  res.statusCode = status;
  for (const name of res.getHeaderNames()) res.removeHeader(name);
  res.setHeader('Content-Type', 'text/plain; charset=utf-8');
  res.end(text);
}
