import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compose } from '../../src/wsgi/compose.ts';
import type { Application, Environ, Middleware } from '../../src/wsgi/contract.ts';
import { serveHere } from '../support/application-server.ts';

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
  it('lets a request meet the first middleware first, and a response last', async (t) => {
    const { ask } = await serveHere(t, compose(marking('a'), marking('b'), marking('c'))(seen));
    const { body, headers } = await ask();
    assert.equal(body, 'abc');
    assert.deepEqual(
      headers.filter(([name]) => name === 'x-mark').map(([, value]) => value),
      ['c', 'b', 'a'],
    );
  });

  it('gives the application itself back when there is nothing to compose', () => {
    assert.equal(compose()(seen), seen);
  });

  it('composes what is composed', async (t) => {
    const { ask } = await serveHere(t, compose(compose(marking('a'), marking('b')), compose(), marking('c'))(seen));
    assert.equal((await ask()).body, 'abc');
  });

  it('keeps start and close of the application in reach, and those of a middleware that has its own', async () => {
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

  it('tells which middleware returned no application', () => {
    const broken = function forgetful(): Application {
      return undefined as unknown as Application;
    };
    assert.throws(() => compose(marking('a'), broken)(seen), { code: 'CONTRACT', message: /forgetful.*undefined/ });
  });

  it('passes what an application throws, or rejects with, through to the server', async (t) => {
    const failing: Application = (environ) => {
      const error = new Error(`${environ.PATH_INFO} on purpose`);
      if (environ.PATH_INFO === '/throws') throw error;
      return Promise.reject(error);
    };
    const { ask, told } = await serveHere(t, compose(marking('a'))(failing));
    for (const target of ['/throws', '/rejects']) {
      assert.equal((await ask(target)).status, 500);
      assert.equal(told.pop(), `${target} on purpose`);
    }
  });

  it('answers requests side by side, each with its environ', async (t) => {
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
    const { ask } = await serveHere(t, compose(naming)(application));
    const bodies = await Promise.all(['/1', '/2', '/3'].map(async (target) => (await ask(target)).body));
    assert.deepEqual(bodies, ['/1', '/2', '/3']);
  });
});
