import assert from 'node:assert/strict';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import { fromFetch } from '../../../src/wsgi/adapters/from-fetch.ts';
import { fromNode } from '../../../src/wsgi/adapters/from-node.ts';
import { toFetch } from '../../../src/wsgi/adapters/to-fetch.ts';
import type { Application, Middleware } from '../../../src/wsgi/contract.ts';
import { dispatcher } from '../../../src/wsgi/middleware/dispatcher.ts';
import { methodOverride } from '../../../src/wsgi/middleware/method-override.ts';
import { requestId } from '../../../src/wsgi/middleware/request-id.ts';
import { timing } from '../../../src/wsgi/middleware/timing.ts';
import { serveWsgi } from '../../support/serve-wsgi.ts';
import { recordViolations } from '../../support/violations.ts';

const CONTENT = 'one\ntwo\n'.repeat(20_000);

/** Answers with the content of the request. */
const echo: Application = (environ, startResponse) => {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return environ['wsgi.input'].blocks();
};

const fetchEcho = (request: Request): Response => {
  if (new URL(request.url).pathname === '/204') return new Response(null, { status: 204 });
  return new Response(request.body ?? '', { headers: { 'Content-Type': 'text/plain' } });
};

function nodeEcho(request: IncomingMessage, response: ServerResponse): void {
  response.statusCode = request.url === '/204' ? 204 : 200;
  if (request.url === '/204') {
    response.end();
    return;
  }
  response.setHeader('Content-Type', 'text/plain');
  request.pipe(response);
}

const APPLICATIONS: Readonly<Record<string, Application>> = {
  'a fetch handler': fromFetch(fetchEcho),
  'a Node listener': fromNode(nodeEcho),
  'a dispatcher': dispatcher({ '/': echo, '/sub': echo }),
};

const MIDDLEWARE: Readonly<Record<string, Middleware>> = {
  'request-id': requestId(),
  timing: timing(),
  'method-override': methodOverride(),
};

describe('validator around parts of this project', { concurrency: 4 }, () => {
  for (const [name, application] of Object.entries(APPLICATIONS)) {
    it(`reports no violation by ${name}`, async (t) => {
      const { check, violations } = recordViolations();
      const { ask, errors } = await serveWsgi(t, check(application));
      const { body, whole } = await ask('/sub/x?q', { method: 'POST', body: CONTENT });
      assert.deepEqual([body === CONTENT, whole], [true, true]);
      for (const [target, method] of [
        ['/', 'GET'],
        ['/', 'HEAD'],
        ['/204', 'GET'],
      ] as const) {
        assert.equal((await ask(target, { method })).body, '');
      }
      assert.deepEqual([violations, errors], [[], []]);
    });
  }

  for (const [name, middleware] of Object.entries(MIDDLEWARE)) {
    it(`reports no violation on either side of ${name}`, async (t) => {
      const { check, violations } = recordViolations();
      const { ask, errors } = await serveWsgi(t, check(middleware(check(echo))));
      const { body, whole } = await ask('/x', { method: 'POST', body: CONTENT });
      assert.deepEqual([body === CONTENT, whole], [true, true]);
      assert.equal((await ask('/', { method: 'HEAD' })).status, 200);
      assert.deepEqual([violations, errors], [[], []]);
    });
  }

  it('reports no violation by an application that a fetch function calls', async () => {
    const { check, violations } = recordViolations();
    const call = toFetch(check(echo));
    const response = await call(new Request('http://localhost/a%2Fb?q', { method: 'POST', body: CONTENT }));
    assert.ok((await response.text()) === CONTENT);
    assert.equal((await call(new Request('http://localhost/'))).status, 200);
    assert.deepEqual(violations, []);
  });
});
