import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { KEPT_CONTENT_BYTES_MAX } from '../../../src/server/trace/kept-content.ts';
import type { Application } from '../../../src/wsgi/contract.ts';
import { ask } from '../../support/http-client.ts';
import type { HttpRequest } from '../../support/http-message.ts';
import { startTraced, type TracedServer } from '../../support/traced-server.ts';
import { eventually } from '../../support/wait.ts';

/** Reads the content of each request but those for `/unread`. */
async function serve(
  t: TestContext,
  options: Readonly<Record<string, unknown>>,
): Promise<TracedServer & { readonly contents: string[] }> {
  const contents: string[] = [];
  const application: Application = async (environ, startResponse) => {
    if (environ.PATH_INFO !== '/unread') contents.push((await environ['wsgi.input'].read()).toString());
    startResponse('200 OK', [['Content-Type', 'text/plain']]);
    return [Buffer.from('read')];
  };
  return Object.assign(await startTraced(t, options, application), { contents });
}

/** Sends a request, and again what was kept of it. Returns why that was not possible, or ''. */
async function sendTwice({ port, server, list }: TracedServer, path: string, request: HttpRequest): Promise<string> {
  assert.equal((await ask(port, path, { method: 'POST', ...request })).status, 200);
  await eventually('the trace', () => list({ path }).length > 0);
  const outcome = await server.traces.replay(list({ path })[0]?.id ?? '', true);
  return outcome.kind === 'refused' ? outcome.reason : outcome.kind === 'answered' ? '' : outcome.kind;
}

describe('the content of a request in development', () => {
  it('is sent again, byte for byte', async (t) => {
    const site = await serve(t, { dev: true });
    const chunked: HttpRequest = {
      headers: [['Transfer-Encoding', 'chunked']],
      body: '3\r\na=1\r\n4\r\n&b=2\r\n0\r\n\r\n',
    };
    assert.equal(await sendTwice(site, '/length', { body: 'a=1&b=%00' }), '');
    assert.equal(await sendTwice(site, '/chunked', chunked), '');
    assert.equal(await sendTwice(site, '/longest', { body: 'x'.repeat(KEPT_CONTENT_BYTES_MAX) }), '');
    const [first = '', , third = ''] = ['a=1&b=%00', 'a=1&b=2', 'x'.repeat(KEPT_CONTENT_BYTES_MAX)];
    assert.deepEqual(site.contents, [first, first, 'a=1&b=2', 'a=1&b=2', third, third]);
  });

  it('counts in the memory of the traces', async (t) => {
    const site = await serve(t, { dev: true });
    const bytesAfter = async (body: string): Promise<number> => {
      const { bytes, traces } = site.server.recording.store.usage;
      await ask(site.port, '/', { method: 'POST', body });
      await eventually('the trace', () => site.server.recording.store.usage.traces > traces);
      return site.server.recording.store.usage.bytes - bytes;
    };
    const [short, long] = [await bytesAfter('x'), await bytesAfter('x'.repeat(50_001))];
    assert.ok(long - short > 49_000, `${long} − ${short}`);
  });

  it('is not kept if it is long or was not read, which a replay says', async (t) => {
    const site = await serve(t, { dev: true });
    const long = 'x'.repeat(KEPT_CONTENT_BYTES_MAX + 1);
    const chunks = `${long.length.toString(16)}\r\n${long}\r\n0\r\n\r\n`;
    assert.match(await sendTwice(site, '/long', { body: long }), /up to 64 KiB/);
    assert.match(
      await sendTwice(site, '/chunks', { headers: [['Transfer-Encoding', 'chunked']], body: chunks }),
      /up to 64 KiB/,
    );
    assert.match(await sendTwice(site, '/unread', { body: 'a=1' }), /only complete contents/);
    assert.deepEqual(site.contents, [long, long]);
  });

  it('is not kept in production', async (t) => {
    const site = await serve(t, { trace: { sample: 1 } });
    assert.match(await sendTwice(site, '/', { body: 'a=1' }), /only in development/);
  });
});
