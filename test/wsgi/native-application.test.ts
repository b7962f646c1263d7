import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Request } from '../../src/http/message.ts';
import { Response } from '../../src/http/response.ts';
import { compose } from '../../src/wsgi/compose.ts';
import type { Middleware } from '../../src/wsgi/contract.ts';
import { errorStream } from '../../src/wsgi/error-stream.ts';
import { handlerMiddleware } from '../../src/wsgi/handler-middleware.ts';
import { applicationOf } from '../../src/wsgi/native-application.ts';
import { serveApplication } from '../../src/wsgi/serve-application.ts';
import { requestOf } from '../support/handler.ts';

const SERVER = {
  listeners: [],
  software: 'test',
  multiprocess: false,
  errors: errorStream(() => {}),
  onError: (error: unknown) => assert.fail(String(error)),
  onNotice: (text: string) => assert.fail(text),
  errorResponse: () => Response.text(500, ''),
};

describe('an application that takes requests', () => {
  const seen: Request[] = [];
  const application = applicationOf((request) => {
    seen.push(request);
    return Response.text(200, 'answered');
  });
  const passing: Middleware = (inside) => (environ, startResponse) => inside(environ, startResponse);

  it('is called without an environ when no WSGI middleware is around it', () => {
    const through: string[] = [];
    const files = handlerMiddleware((request, next) => {
      through.push(request.path);
      return next(request);
    });
    for (const one of [
      application,
      compose()(application),
      compose(files)(application),
      compose(files, files)(application),
    ]) {
      const request = requestOf({ path: '/here' });
      const response = serveApplication(one, SERVER)(request);
      assert.ok(response instanceof Response); // at once; a call by the contract returns a promise
      assert.equal(seen.pop(), request);
    }
    assert.deepEqual(through, ['/here', '/here', '/here']);
  });

  it('gets the original request when middleware has changed nothing', async () => {
    const request = requestOf({ path: '/a%2Fb', query: 'c' });
    const result = serveApplication(compose(passing, passing)(application), SERVER)(request);
    const response = await new Promise<Response>((resolve, reject) => {
      assert.ok('then' in result);
      result.then(resolve, reject);
    });
    assert.equal(seen.pop(), request);
    assert.equal(`${response.body}`, 'answered');
  });

  it('knows which fields came as never indexed, also when middleware has changed the environ', async () => {
    const adding: Middleware = (inside) => (environ, startResponse) =>
      inside({ ...environ, HTTP_X_ADDED: 'added' }, startResponse);
    for (const neverIndexed of [null, new Set(['x-token'])]) {
      const request = requestOf({ headers: ['x-token', 'secret'], neverIndexed });
      const result = serveApplication(compose(adding)(application), SERVER)(request);
      await new Promise<Response>((resolve, reject) => {
        assert.ok('then' in result);
        result.then(resolve, reject);
      });
      const passed = seen.pop();
      assert.notEqual(passed, request);
      assert.equal(passed?.neverIndexed, neverIndexed);
    }
  });
});
