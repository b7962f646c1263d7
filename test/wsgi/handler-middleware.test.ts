import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deriveRequest } from '../../src/http/derived-request.ts';
import type { Request } from '../../src/http/message.ts';
import { Response } from '../../src/http/response.ts';
import { compose } from '../../src/wsgi/compose.ts';
import type { Application, Environ, Middleware } from '../../src/wsgi/contract.ts';
import { handlerMiddleware } from '../../src/wsgi/handler-middleware.ts';
import { inputOf } from '../../src/wsgi/input-stream.ts';
import { applicationOf } from '../../src/wsgi/native-application.ts';
import { serveWsgi } from '../support/serve-wsgi.ts';

const passing: Middleware = (application) => (environ, startResponse) => application(environ, startResponse);

/** Answers with variables of its environ. */
const seeing: Application = async (environ, startResponse) => {
  const content = await environ['wsgi.input'].read();
  startResponse('200 OK', [['X-Inside', '1']]);
  return [Buffer.from(JSON.stringify({ ...environ, content: content.toString('latin1') }))];
};

const answering = handlerMiddleware((request, next) =>
  request.path === '/answered' ? Response.text(203, 'by the handler') : next(request),
);

const moving = handlerMiddleware((request, next) =>
  next(
    deriveRequest(request, {
      path: `/moved${request.path}`,
      scriptName: '/moved',
      headers: [...request.headers, 'X-Moved', 'yes'],
    }),
  ),
);

describe('handlerMiddleware', { concurrency: 4 }, () => {
  const PLACES: Readonly<Record<string, (handler: Middleware) => Middleware>> = {
    alone: (handler) => handler,
    'in front of other middleware': (handler) => compose(handler, passing),
    'behind other middleware': (handler) => compose(passing, handler),
    'between others': (handler) => compose(passing, handler, passing),
  };

  for (const [place, at] of Object.entries(PLACES)) {
    it(`answers, or passes the request to the application, ${place}`, async (t) => {
      const { ask, errors } = await serveWsgi(t, at(answering)(seeing));
      const answered = await ask('/answered');
      assert.deepEqual([answered.status, answered.body, answered.header('x-inside')], [203, 'by the handler', null]);
      const left = await ask('/other', { method: 'POST', body: 'content' });
      const { PATH_INFO, content, CONTENT_LENGTH } = JSON.parse(left.body) as Environ & { content: string };
      assert.deepEqual([left.header('x-inside'), PATH_INFO, content, CONTENT_LENGTH], ['1', '/other', 'content', '7']);
      assert.deepEqual(errors, []);
    });

    it(`passes the changes of the handler to the application, ${place}`, async (t) => {
      const { ask, errors } = await serveWsgi(t, at(moving)(seeing));
      const { body } = await ask('/a%20b?q', { method: 'POST', body: 'content', headers: [['Content-Type', 'a/b']] });
      const environ = JSON.parse(body) as Environ & { content: string };
      assert.deepEqual(
        [environ.SCRIPT_NAME, environ.PATH_INFO, environ.QUERY_STRING, environ.HTTP_X_MOVED, environ.HTTP_HOST],
        ['/moved', '/a b', 'q', 'yes', 'test.example'],
      );
      assert.deepEqual(
        [environ.content, environ.CONTENT_LENGTH, environ.CONTENT_TYPE, environ.REMOTE_ADDR, environ.SERVER_NAME],
        ['content', '7', 'a/b', '127.0.0.1', '127.0.0.1'],
      );
      assert.deepEqual(errors, []);
    });
  }

  it('keeps the keys that outer middleware has added when the handler changes the request', async (t) => {
    const adding: Middleware = (application) => (environ, startResponse) =>
      application(
        {
          ...environ,
          REMOTE_USER: 'zoe',
          AUTH_TYPE: 'Basic',
          HTTP_X_ADDED: 'header',
          CONTENT_LENGTH: '8',
          'test.object': { id: 3 },
          'wsgi.url_scheme': 'https',
          'wsgi.multithread': true,
          'wsgi.input': inputOf('replaced'),
        },
        startResponse,
      );
    const { ask } = await serveWsgi(t, compose(adding, moving)(seeing));
    const environ = JSON.parse((await ask('/x', { method: 'POST', body: 'content' })).body) as Record<string, unknown>;
    const keys = ['REMOTE_USER', 'AUTH_TYPE', 'HTTP_X_ADDED', 'HTTP_X_MOVED', 'CONTENT_LENGTH', 'content'];
    assert.deepEqual(
      keys.map((key) => environ[key]),
      ['zoe', 'Basic', 'header', 'yes', '8', 'replaced'],
    );
    const extensions = ['test.object', 'wsgi.url_scheme', 'wsgi.multithread'];
    assert.deepEqual(
      extensions.map((key) => environ[key]),
      [{ id: 3 }, 'https', true],
    );
  });

  it('answers 500 and writes to wsgi.errors when the wrapped application fails', async (t) => {
    for (const failing of [
      () => {
        throw new Error('on purpose');
      },
      () => Promise.reject(new Error('on purpose')),
    ] as Application[]) {
      const { ask, errors, lines } = await serveWsgi(t, compose(passing, answering)(failing));
      assert.equal((await ask('/')).status, 500);
      assert.match([...errors, ...lines].join('\n'), /Error: on purpose/);
    }
  });

  it("streams the application's blocks, and stops the application when the client wants no more", async (t) => {
    let returned = 0;
    const { ask } = await serveWsgi(
      t,
      compose(
        passing,
        answering,
      )((_environ, startResponse) => {
        startResponse('200 OK', [['Content-Length', '10']]);
        return (async function* () {
          try {
            for (;;) yield Buffer.from('block');
          } finally {
            returned += 1;
          }
        })();
      }),
    );
    assert.equal((await ask('/')).body, 'blockblock');
    assert.equal(returned, 1);
  });

  it('passes the request itself to an application that takes requests when nothing has changed', async (t) => {
    const requests: Request[] = [];
    const python = applicationOf((request) => {
      requests.push(request);
      return Response.text(200, 'answered');
    });
    const looking = handlerMiddleware((request, next) => {
      requests.push(request);
      return next(request);
    });
    for (const application of [looking(python), compose(passing, looking, passing)(python)]) {
      const { ask } = await serveWsgi(t, application);
      assert.equal((await ask('/x')).body, 'answered');
      const [outside, inside] = requests.splice(0);
      assert.equal(outside, inside);
    }
  });

  it('keeps start and close of the application', async () => {
    const calls: string[] = [];
    const application = Object.assign(((environ, start) => seeing(environ, start)) as Application, {
      start: async () => void calls.push('start'),
      close: async () => void calls.push('close'),
    });
    const wrapped = answering(application);
    await wrapped.start?.();
    await wrapped.close?.();
    assert.deepEqual(calls, ['start', 'close']);
  });
});
