import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { startServer } from '../../../src/server/server.ts';
import { type Configuration, MAIN } from '../../../src/site/configuration.ts';
import { readProgramOptions } from '../../../src/site/load-configuration.ts';
import { ask } from '../../support/http-client.ts';
import { MemoryTraces, recordedOf } from '../../support/memory-traces.ts';
import { documentOf } from '../../support/trace-document.ts';
import { PATIENCE_MS, within } from '../../support/wait.ts';

interface Site {
  readonly port: number;
  readonly traces: MemoryTraces;
  readonly lines: readonly string[];
  /** What the application got: paths, and values of the field that marks a replay. */
  readonly seen: readonly (readonly [path: string, replayOf: string | undefined])[];
  stop(): Promise<void>;
}

/** A server whose application answers every path with `the site`. */
async function serve(t: TestContext, options: Parameters<typeof readProgramOptions>[0]): Promise<Site> {
  const loaded = await readProgramOptions({ accessLog: 'text', ...options } as typeof options, process.cwd());
  const configuration: Configuration = {
    settings: loaded.settings,
    project: null,
    site: loaded.site,
    bases: {},
    listenOrigin: '',
    applications: {},
    modules: {},
  };
  const traces = new MemoryTraces();
  const lines: string[] = [];
  const seen: [string, string | undefined][] = [];
  const server = await startServer({
    configuration,
    log: { info() {}, warn() {}, error: (text) => lines.push(text) },
    accessLog: { write: (text) => lines.push(text) > 0, once() {} },
    tracing: traces,
    callerApplications: new Map([
      [
        MAIN,
        (environ, startResponse) => {
          seen.push([String(environ.PATH_INFO), environ.HTTP_VIADUCT_REPLAY as string | undefined]);
          if (environ.PATH_INFO === '/raises') throw new Error('the site is broken');
          if (environ.PATH_INFO === '/page') {
            startResponse('200 OK', [['Content-Type', 'text/html']]);
            return [Buffer.from('<html><body>the site</body></html>')];
          }
          startResponse('200 OK', [['Content-Type', 'text/plain']]);
          return [Buffer.from('the site')];
        },
      ],
    ]),
  });
  t.after(() => server.stop());
  return { port: Number(new URL(server.urls[0] ?? '').port), traces, lines, seen, stop: () => server.stop() };
}

const DEV = { dev: true, listen: ['127.0.0.1:0'] };
const PATHS = [
  '/__viaduct/',
  '/__viaduct/requests',
  '/__viaduct/api/overview',
  '/__viaduct/api/requests',
  '/__viaduct',
];

describe('the pages in development', () => {
  for (const [devPages, isLinked] of [
    ['loopback', true],
    ['private', true],
    ['off', false],
  ] as const)
    it(`are ${isLinked ? '' : 'not '}linked from pages of the site with dev_pages = "${devPages}"`, async (t) => {
      const { port } = await serve(t, { ...DEV, devPages });
      const headers = [
        ['Sec-Fetch-Dest', 'document'],
        ['Accept', 'text/html'],
      ] as const;
      for (const [path, text] of [
        ['/page', 'the site'],
        ['/raises', 'the site is broken'],
      ] as const) {
        const { body } = await ask(port, path, { headers });
        assert.ok(body.includes(text), body);
        assert.equal(body.includes('/__viaduct/'), isLinked, body);
      }
    });

  it('come before the routes of the site, for its own host names', async (t) => {
    const { port, traces, seen, lines } = await serve(t, DEV);
    traces.keep(documentOf());
    const host = `localhost:${port}`;
    const list = await ask(port, '/__viaduct/api/requests', { host });
    assert.equal(list.status, 200);
    assert.deepEqual(JSON.parse(list.body).requests.length, 1);
    const redirect = await ask(port, '/__viaduct', { host });
    assert.deepEqual([redirect.status, redirect.header('location')], [308, '/__viaduct/']);
    for (const path of ['/__viaductx', '/x/__viaduct/', '/__VIADUCT/', '/']) {
      assert.equal((await ask(port, path, { host })).body, 'the site', path);
    }
    assert.equal((await ask(port, '/__viaduct/none', { host })).status, 404);
    assert.deepEqual(
      seen.map(([path]) => path),
      ['/__viaductx', '/x/__viaduct/', '/__VIADUCT/', '/'],
    );
    assert.doesNotMatch(lines.join(''), /__viaduct\/api/);
  });

  it('refuse other hosts and other sites', async (t) => {
    const { port } = await serve(t, DEV);
    for (const path of PATHS) {
      assert.equal((await ask(port, path, { host: 'attacker.example' })).status, 403, path);
      const headers: [string, string][] = [['Origin', 'https://attacker.example']];
      assert.equal((await ask(port, path, { host: 'localhost', headers })).status, 403, path);
    }
  });

  it('send a request again through the whole site', async (t) => {
    const { port, traces, seen } = await serve(t, DEV);
    traces.keep(documentOf(), recordedOf());
    const { status, body } = await ask(port, '/__viaduct/api/requests/a1b2c3-1/replay', {
      method: 'POST',
      host: 'localhost',
    });
    assert.equal(status, 200, body);
    assert.equal(JSON.parse(body).status, 200);
    assert.deepEqual(seen, [['/shop/', 'a1b2c3-1']]);
    traces.keep(documentOf({ id: 'post' }), recordedOf({ method: 'POST', body: Buffer.from('a=1') }));
    const refused = await ask(port, '/__viaduct/api/requests/post/replay', {
      method: 'POST',
      host: 'localhost',
      body: '{}',
    });
    assert.deepEqual([refused.status, JSON.parse(refused.body).needs_confirmation], [409, true]);
    const body2 = '{"confirm": true}';
    const sent = await ask(port, '/__viaduct/api/requests/post/replay', {
      method: 'POST',
      host: 'localhost',
      body: body2,
    });
    assert.equal(sent.status, 200, sent.body);
  });

  it('do not exist in production, or when they are off', async (t) => {
    for (const options of [{ listen: ['127.0.0.1:0'] }, { ...DEV, devPages: 'off' as const }]) {
      const { port, traces } = await serve(t, options);
      traces.keep(documentOf());
      for (const path of PATHS) assert.equal((await ask(port, path, { host: 'localhost' })).body, 'the site', path);
    }
  });

  for (const [client, isPrivate] of [
    ['203.0.113.7', false],
    ['2001:db8::7', false],
    ['10.1.2.3', true],
    ['172.17.0.1', true],
    ['fd00::1', true],
  ] as const)
    it(`are the site's own for ${client}, which a proxy of this machine names${isPrivate ? ', unless private networks may look' : ''}`, async (t) => {
      const headers: [string, string][] = [['X-Forwarded-For', client]];
      const request = { host: 'localhost', headers };
      const strict = await serve(t, DEV);
      assert.equal((await ask(strict.port, '/__viaduct/api/requests', request)).body, 'the site');
      const open = await serve(t, { ...DEV, devPages: 'private' });
      const { status, body } = await ask(open.port, '/__viaduct/api/requests', request);
      assert.deepEqual([status, body === 'the site'], [200, !isPrivate]);
    });

  it('do not hold a server that stops while a page is open', async (t) => {
    const { port, stop } = await serve(t, DEV);
    const stream = ask(port, '/__viaduct/api/events', { host: 'localhost' });
    const answered = await ask(port, '/', { host: 'localhost' });
    assert.equal(answered.status, 200);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await within(PATIENCE_MS, 'the end', stop);
    const { body, whole } = await stream;
    assert.match(body, /^event: overview$/m);
    assert.equal(whole, true);
  });
});
