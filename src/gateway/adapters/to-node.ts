import type { IncomingMessage, ServerResponse } from 'node:http';
import { RequestBodyError } from '../../http/refusal.ts';
import type { Response } from '../../http/response.ts';
import type { Application } from '../contract.ts';
import { Failure, isBelow, type MountOptions, mountedApplication } from './mounted-application.ts';
import { NodeRequest } from './node-request.ts';
import { sendThroughNode } from './node-response.ts';
import { targetOf } from './node-target.ts';

/** Express's and Connect's way on: to the next handler, or to the one for errors. */
export type NextFunction = (error?: unknown) => void;

/**
 * Mounts an application in Express, Connect, Koa, Fastify, Vite or a bare `node:http` server. SCRIPT_NAME is what the framework has cut from the path
 * (`app.use('/admin', toNode(application))`), or `scriptName`; a request outside `scriptName` goes to `next`, or is answered with 404.
 *
 * An error before the response begins goes to `next`, or is answered with 500; after that the connection is cut as well, so that no client takes the part
 * for the whole. When the client leaves, the application's response is closed.
 */
export function toNode(
  application: Application,
  options: MountOptions = {},
): (request: IncomingMessage, response: ServerResponse, next?: NextFunction) => void {
  const { scriptName, onError = console.error } = options;
  const handle = mountedApplication(application, options);
  return function callApplication(incoming, outgoing, next) {
    const target = targetOf(incoming, scriptName);
    if (scriptName !== undefined && !isBelow(target.path, scriptName)) {
      if (next === undefined) answerPlainly(outgoing, 404);
      else next();
      return;
    }
    const fail = (error: unknown): void => {
      if (error instanceof RequestBodyError) {
        if (!outgoing.headersSent && !outgoing.destroyed) answerPlainly(outgoing, error.status);
        return;
      }
      if (next !== undefined) {
        next(error);
        return;
      }
      onError(error);
      if (!outgoing.headersSent) answerPlainly(outgoing, 500);
    };
    try {
      const request = new NodeRequest(incoming, outgoing, target);
      const onClose = (): void => {
        const { onGone } = request;
        request.onGone = null;
        onGone?.();
      };
      outgoing.once('close', onClose);
      const answer = (response: Response): void => {
        outgoing.off('close', onClose);
        try {
          if (response instanceof Failure) fail(response.error);
          else sendThroughNode(response, outgoing, request.method, fail);
        } catch (error) {
          fail(error);
        }
      };
      const result = handle(request);
      if ('then' in result) result.then(answer, fail);
      else answer(result);
    } catch (error) {
      fail(error);
    }
  };
}

function answerPlainly(response: ServerResponse, status: number): void {
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  response.end(status === 404 ? 'Not Found\n' : status === 500 ? 'Internal Server Error\n' : 'Bad Request\n');
}
