import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Overview } from '../../../src/trace/overview.ts';
import type { TraceSummary } from '../../../src/trace/store.ts';
import { USUAL_DETAILS } from '../../../src/trace/trace.ts';
import { callControl } from '../../support/control-api.ts';
import { ask } from '../../support/http-client.ts';
import { recordedOf } from '../../support/memory-traces.ts';
import { serveTraced } from '../../support/serve-traced.ts';
import { documentOf } from '../../support/trace-document.ts';

/** On the control socket, whose description has every field. */
describe('the API of traces', () => {
  it('lists what was recorded by conditions, the newest first', async (t) => {
    const { socket, traces } = await serveTraced(t);
    traces.keep(documentOf({ id: 'one' }));
    const failed = { type: 'KeyError', message: "'x'", traceback: '', frames: [], members: 0, chain: [] };
    const response = { status: 500, headers: [], bodyBytes: 0, reason: '' };
    traces.keep(documentOf({ id: 'two', response, exception: failed, durationUs: 90_000 }));
    const list = async (query: string): Promise<string[]> => {
      const { value } = await callControl(socket, 'GET', `/traces/requests?${query}`);
      return (value as { requests: TraceSummary[] }).requests.map(({ id }) => id);
    };
    assert.deepEqual(await list(''), ['two', 'one']);
    for (const query of ['status=5xx', 'status=500', 'error=Key', 'min_ms=50', 'after=1', 'limit=1'])
      assert.deepEqual(await list(query), ['two'], query);
    assert.deepEqual(await list('sql=shop_author&method=get&route=shop&path=page%3D2'), ['two', 'one']);
    assert.deepEqual(await list('route=none'), []);
    assert.equal((await callControl(socket, 'GET', '/traces/requests?status=x')).status, 400);
  });

  it('has one request, the last good one, and its archive', async (t) => {
    const { socket, traces } = await serveTraced(t);
    traces.keep(documentOf({ id: 'good' }));
    traces.keep(documentOf({ id: 'a/b?c#d e%' }));
    const path = `/traces/requests/${encodeURIComponent('a/b?c#d e%')}`;
    assert.equal(((await callControl(socket, 'GET', path)).value as { id: string }).id, 'a/b?c#d e%');
    assert.equal(((await callControl(socket, 'GET', `${path}/last-good`)).value as { id: string }).id, 'good');
    assert.equal((await callControl(socket, 'GET', `${path}/har`)).status, 200);
    assert.equal((await callControl(socket, 'GET', '/traces/requests/good/last-good')).status, 404);
    for (const target of ['none', 'good/none', 'good/har/x', 'good/__proto__', 'good/constructor', ''])
      assert.equal((await ask(socket, `/traces/requests/${target}`)).status, 404, target);
    assert.equal((await ask(socket, '/traces/requests', { method: 'POST' })).status, 405);
    assert.equal((await ask(socket, '/traces/requests/good', { method: 'DELETE' })).status, 405);
    assert.equal((await ask(socket, '/traces/requests/good/replay')).status, 405);
  });

  it('sends a request again, and asks before it changes something', async (t) => {
    const { socket, traces, environs } = await serveTraced(t);
    traces.keep(documentOf({ id: 'get' }), recordedOf());
    traces.keep(documentOf({ id: 'post' }), recordedOf({ method: 'POST', body: Buffer.from('a=1') }));
    const { status, value } = await callControl(socket, 'POST', '/traces/requests/get/replay');
    assert.deepEqual([status, (value as { status: number }).status], [200, 200]);
    assert.equal(traces.usage.traces, 3, 'it has a trace of its own');
    assert.equal((await callControl(socket, 'POST', '/traces/requests/post/replay')).status, 409);
    assert.equal((await callControl(socket, 'POST', '/traces/requests/post/replay?confirm=true')).status, 200);
    assert.deepEqual(
      environs.map(({ REQUEST_METHOD, HTTP_COOKIE, HTTP_VIADUCT_REPLAY }) => [
        REQUEST_METHOD,
        HTTP_COOKIE,
        HTTP_VIADUCT_REPLAY,
      ]),
      [
        ['GET', 'sessionid=secret', 'get'],
        ['POST', 'sessionid=secret', 'post'],
      ],
    );
  });

  it('has the state of the server, its live requests, causes of errors and tokens', async (t) => {
    const { socket, traces, url } = await serveTraced(t);
    traces.keep(documentOf());
    traces.groups = [
      {
        ...{ cause: 'KeyError', error: "KeyError: 'x'", request: 'GET /shop/', count: 2, firstAt: '', lastAt: '' },
        ...{ routes: ['shop'], traces: ['a1b2c3-1'], traceback: '' },
      },
    ];
    const overview = (await callControl(socket, 'GET', '/traces/overview')).value as Overview;
    assert.deepEqual([overview.server.urls, overview.counted, overview.trace.traces], [[url], false, 1]);
    assert.ok(Math.abs((overview.ownShare ?? 0) - 2 / 42) < 1e-9);
    assert.deepEqual((await callControl(socket, 'GET', '/traces/live')).value, []);
    assert.deepEqual((await callControl(socket, 'GET', '/traces/errors')).value, traces.groups);
    const { value } = await callControl(socket, 'POST', '/traces/token?profile=true');
    assert.deepEqual(value, { field: 'Viaduct-Trace', token: traces.tokens.at(-1) });
    assert.deepEqual(traces.tokenDetails.at(-1), { ...USUAL_DETAILS, profile: true });
    assert.equal((await callControl(socket, 'POST', '/traces/token?profile=maybe')).status, 400);
  });
});
