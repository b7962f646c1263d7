import type { IncomingMessage, ServerResponse } from 'node:http';
import { discardBody } from '../../http/http1/response-writer.ts';
import { RequestBodyError } from '../../http/refusal.ts';
import type { Response } from '../../http/response.ts';
import type { Application } from '../contract.ts';
import { answerFor, FailedResponse, isBelow, type MountOptions, mountOf } from './framework-server.ts';
import { type FrameworkRequest, NodeRequest, type Target, targetOf } from './node-request.ts';
import { sendResponse } from './node-response.ts';

/** Answers a request of Node's `http` module, or hands it on to `next`. */
export type NodeHandler = (req: IncomingMessage, res: ServerResponse, next?: (error?: unknown) => void) => void;

/**
 * Mounts an application in a Node server: Express, Connect, Koa, Fastify, Vite's dev server, or `node:http` itself. What the framework has cut off the path
 * is the application's SCRIPT_NAME. The content is streamed both ways at the pace of the slower side; a client that leaves ends the iteration of the
 * response.
 *
 * What the application throws before its response begins goes to `next`, or becomes a 500 without one; afterwards the response breaks off. A request whose
 * content a body parser has read is passed on when that left bytes in `req.body` (`express.raw()`); otherwise that is an error, too. Headers that the
 * framework has set stay, unless the application sets them, too; cookies and `Vary` are added.
 *
 * @throws ViaductError `USAGE` for a mount that is no path
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
      const request = new NodeRequest(req as FrameworkRequest, target);
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

/** The target with `mount` as the end of its SCRIPT_NAME; null when it is not below. */
function mounted(target: Target, mount: string): Target | null {
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
