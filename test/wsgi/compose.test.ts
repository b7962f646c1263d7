import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compose } from '../../src/wsgi/compose.ts';
import type { Application, Environ, Middleware } from '../../src/wsgi/contract.ts';
import { serveWsgi } from '../support/serve-wsgi.ts';

const seen: Application = (environ, startResponse) => {
  startResponse('200 OK', []);
  return [Buffer.from(String(environ['test.seen'] ?? ''))];
};

function marking(mark: string): Middleware {
  return (application) => async (environ, startResponse) => {
    environ['test.seen'] = `${environ['test.seen'] ?? ''}${mark}`;
    const body = await application(environ, (status, headers, excInfo) =>
      startResponse(status, [...headers, ['X-Mark', mark]], excInfo),
    );
    return body;
  };
}

describe('compose', () => {
  it('passes a request through the first middleware first, and a response last', async (t) => {
    const { ask } = await serveWsgi(t, compose(marking('a'), marking('b'), marking('c'))(seen));
    const { body, headers } = await ask();
    assert.equal(body, 'abc');
    assert.deepEqual(
      headers.filter(([name]) => name === 'x-mark').map(([, value]) => value),
      ['c', 'b', 'a'],
    );
  });

  it('returns the application itself when there is no middleware', () => {
    assert.equal(compose()(seen), seen);
  });

  it('composes compositions', async (t) => {
    const { ask } = await serveWsgi(t, compose(compose(marking('a'), marking('b')), compose(), marking('c'))(seen));
    assert.equal((await ask()).body, 'abc');
  });

  it('keeps start and close of the application, or of a middleware that has its own', async () => {
    const calls: string[] = [];
    const holding: Application = Object.assign(((environ, start) => seen(environ, start)) as Application, {
      start: async () => void calls.push('start'),
      close: async () => void calls.push('close'),
    });
    const inner = compose(marking('a'), marking('b'))(holding);
    await inner.start?.();
    await inner.close?.();
    assert.deepEqual(calls.splice(0), ['start', 'close']);
    const closing: Middleware = (application) =>
      Object.assign(((environ, start) => application(environ, start)) as Application, {
        async close() {
          calls.push('own close');
          await application.close?.();
        },
      });
    const outer = compose(marking('a'), closing)(holding);
    await outer.start?.();
    await outer.close?.();
    assert.deepEqual(calls, ['start', 'own close', 'close']);
    assert.deepEqual([holding.name, compose(marking('a'))(seen).close], [holding.name, undefined]);
  });

  it('names the middleware that did not return an application', () => {
    const broken = function forgetful(): Application {
      return undefined as unknown as Application;
    };
    assert.throws(() => compose(marking('a'), broken)(seen), { code: 'CONTRACT', message: /forgetful.*undefined/ });
  });

  it('passes errors that an application throws or rejects with to the server', async (t) => {
    const failing: Application = (environ) => {
      const error = new Error(`${environ.PATH_INFO} on purpose`);
      if (environ.PATH_INFO === '/throws') throw error;
      return Promise.reject(error);
    };
    const { ask, errors } = await serveWsgi(t, compose(marking('a'))(failing));
    for (const target of ['/throws', '/rejects']) {
      assert.equal((await ask(target)).status, 500);
      assert.equal(errors.pop(), `${target} on purpose`);
    }
  });

  it('answers several requests at the same time, each with its environ', async (t) => {
    const waiting: { environ: Environ; go: () => void }[] = [];
    const application: Application = async (environ, startResponse) => {
      await new Promise<void>((resolve) => {
        waiting.push({ environ, go: resolve });
        if (waiting.length === 3) for (const { go } of waiting) go();
      });
      return seen(environ, startResponse);
    };
    const naming: Middleware = (inside) => (environ, startResponse) => {
      environ['test.seen'] = environ.PATH_INFO;
      return inside(environ, startResponse);
    };
    const { ask } = await serveWsgi(t, compose(naming)(application));
    const bodies = await Promise.all(['/1', '/2', '/3'].map(async (target) => (await ask(target)).body));
    assert.deepEqual(bodies, ['/1', '/2', '/3']);
  });
});
