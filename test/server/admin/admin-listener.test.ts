import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ask } from '../../support/http-client.ts';
import type { HttpRequest } from '../../support/http-message.ts';
import { recordedOf } from '../../support/memory-traces.ts';
import { makeProject } from '../../support/project.ts';
import { type AdminServer, serveAdmin } from '../../support/serve-admin.ts';
import { documentOf, hostileDocument, MARKUP } from '../../support/trace-document.ts';

type Fields = readonly (readonly [string, string])[];

const RESOURCES = [
  '/',
  '/requests',
  '/assets/app.js',
  '/api/overview',
  '/api/requests',
  '/api/events',
  '/metrics',
  '/none',
];

async function send(port: number, path: string, request: HttpRequest = {}) {
  const answer = await ask(port, path, { host: `127.0.0.1:${port}`, ...request });
  const headers = Object.fromEntries(answer.headers) as Record<string, string>;
  return { ...answer, headers, body: Buffer.from(answer.body, 'latin1').toString('utf8') };
}

function get(port: number, path: string, headers: Fields = [], host = `127.0.0.1:${port}`) {
  return send(port, path, { headers, host });
}

function post(port: number, path: string, body: string, headers: Fields = [], host = `127.0.0.1:${port}`) {
  return send(port, path, { method: 'POST', headers, body, host });
}

describe('an admin listener on this machine', () => {
  it('shows the pages and their files to everybody on this machine', async (t) => {
    const { port, warnings, madeToken } = await serveAdmin(t);
    for (const path of ['/', '/requests', '/requests/abc', '/compare/a/b', '/errors']) {
      const { status, body } = await get(port, path);
      assert.equal(status, 200, path);
      assert.match(body, /<link rel="stylesheet" href="\/assets\/app\.css">/);
    }
    const script = await get(port, '/assets/app.js');
    assert.equal(script.headers['content-type'], 'text/javascript; charset=utf-8');
    const again = await get(port, '/assets/app.js', [['If-None-Match', String(script.headers.etag)]]);
    assert.deepEqual([again.status, again.body], [304, '']);
    for (const path of [
      '/assets/',
      '/assets/index.html',
      '/assets/..%2findex.html',
      '/assets/../package.json',
      '/requests/a/b',
      '/x',
    ])
      assert.equal((await get(port, path)).status, 404, path);
    assert.deepEqual([warnings, madeToken], [[], null]);
  });

  it('lets browsers run only what comes with the pages, and embed nothing', async (t) => {
    const { port, traces } = await serveAdmin(t);
    traces.keep(documentOf());
    const paths = [
      '/',
      '/assets/app.js',
      '/api/requests',
      '/api/requests/a1b2c3-1',
      '/api/requests/a1b2c3-1/export',
      '/none',
    ];
    for (const path of paths) {
      const { headers } = await get(port, path);
      const policy = String(headers['content-security-policy']);
      assert.match(policy, /^default-src 'none'; script-src 'self';/, path);
      assert.match(policy, /frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types viaduct$/);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
      assert.equal(headers['referrer-policy'], 'no-referrer');
      assert.equal(headers['cache-control'], path === '/' || path === '/assets/app.js' ? 'no-cache' : 'no-store');
    }
  });

  for (const host of [
    'attacker.example',
    'attacker.example:9090',
    '127.0.0.1.attacker.example',
    'localhost.evil.com',
    'x@127.0.0.1',
  ])
    it(`refuses everything for the host ${host}`, async (t) => {
      const { port } = await serveAdmin(t);
      for (const path of RESOURCES) {
        const { status } = await get(port, path, [], host);
        assert.ok(status === 403 || status === 400, `${path}: ${status}`);
      }
    });

  it('refuses everything for pages of other sites', async (t) => {
    const { port } = await serveAdmin(t);
    const foreign: Fields = [
      ['Origin', 'https://attacker.example'],
      ['Origin', 'null'],
      ['Origin', 'http://127.0.0.1:1'],
      ['Origin', 'http://127.0.0.1'],
      ['Sec-Fetch-Site', 'cross-site'],
      ['Sec-Fetch-Site', 'same-site'],
    ];
    for (const field of foreign)
      for (const path of RESOURCES) assert.equal((await get(port, path, [field])).status, 403, `${field} ${path}`);
  });

  it('lets its own pages ask and send again', async (t) => {
    const { port, traces, replayed } = await serveAdmin(t);
    traces.keep(documentOf(), recordedOf());
    const host = `127.0.0.1:${port}`;
    const own: Fields = [
      ['Origin', `http://${host}`],
      ['Sec-Fetch-Site', 'same-origin'],
    ];
    assert.equal((await get(port, '/api/requests', own, host)).status, 200);
    const { status } = await post(port, '/api/requests/a1b2c3-1/replay', '{}', own, host);
    assert.deepEqual([status, replayed.length], [200, 1]);
  });

  it('survives a client that sends a megabyte, and refuses it', async (t) => {
    const { port, traces, replayed } = await serveAdmin(t);
    traces.keep(documentOf(), recordedOf());
    const { status } = await post(port, '/api/requests/a1b2c3-1/replay', ' '.repeat(1024 * 1024));
    assert.equal(status, 413);
    const chunked = await send(port, '/api/requests/a1b2c3-1/replay', {
      method: 'POST',
      headers: [['Transfer-Encoding', 'chunked']] as Fields,
      body: `800\r\n${'a'.repeat(2048)}\r\n0\r\n\r\n`,
    });
    assert.ok(chunked.status === 413 || chunked.status === 400, `${chunked.status}`);
    assert.equal((await get(port, `/${'a'.repeat(1024 * 1024)}`)).status, 414);
    assert.equal((await get(port, '/', [['X', 'a'.repeat(1024 * 1024)]])).status, 431);
    assert.equal((await get(port, '/api/overview')).status, 200);
    assert.equal(replayed.length, 0);
  });

  it('has hostile texts as data, and in no header', async (t) => {
    const { port, traces } = await serveAdmin(t);
    const document = hostileDocument();
    traces.keep(document);
    const path = `/api/requests/${encodeURIComponent(document.id)}`;
    const { status, body, headers } = await get(port, path);
    assert.deepEqual([status, headers['content-type']], [200, 'application/json']);
    assert.deepEqual(JSON.parse(body), JSON.parse(JSON.stringify(document)));
    const har = await get(port, `${path}/har`);
    assert.match(String(har.headers['content-disposition']), /^attachment; filename="request-[\w.-]+\.har"$/);
    const page = await get(port, `${path}/export`);
    assert.equal(page.status, 200);
    assert.doesNotMatch(page.body, /<script>alert|<img src=x/);
    const unknown = await get(port, `/api/requests/${encodeURIComponent(MARKUP)}`);
    assert.deepEqual([unknown.status, unknown.headers['content-type']], [404, 'application/json']);
  });
});

describe('an admin listener that others can reach', () => {
  const PUBLIC = '0.0.0.0:0';

  async function serve(t: Parameters<typeof serveAdmin>[0]): Promise<AdminServer & { readonly token: string }> {
    const admin = await serveAdmin(t, { address: PUBLIC });
    return { ...admin, token: admin.madeToken ?? '' };
  }

  it('makes a token, and lets nobody in without it but for the metrics', async (t) => {
    const { port, token, warnings } = await serve(t);
    assert.match(token, /^[\w-]{32}$/);
    assert.match(warnings.join(), /every client that can connect reads the metrics; the pages need the token/);
    for (const path of RESOURCES.filter((one) => one !== '/metrics')) {
      const { status, body, headers } = await get(port, path);
      assert.equal(status, 401, path);
      assert.equal(headers['www-authenticate'], 'Bearer realm="Viaduct"');
      assert.equal(/<form method="post" action="\/login">/.test(body), !path.startsWith('/api/'));
    }
    assert.equal((await get(port, '/metrics')).status, 200);
    assert.equal((await get(port, '/api/overview', [['Authorization', `Bearer ${token}`]])).status, 200);
  });

  it('gives a browser a cookie for the token, which no script and no other site can use', async (t) => {
    const { port, token } = await serve(t);
    const form: Fields = [['Content-Type', 'application/x-www-form-urlencoded']];
    const wrong = await post(port, '/login', 'token=wrong', form);
    assert.deepEqual([wrong.status, wrong.headers['set-cookie']], [401, undefined]);
    const page = await get(port, '/');
    assert.match(String(page.headers['content-security-policy']), /form-action 'self'/);
    const right = await post(port, '/login', `token=${token}`, form);
    assert.deepEqual([right.status, right.headers.location], [303, '/']);
    const cookie = String(right.headers['set-cookie']);
    assert.match(cookie, /^viaduct_admin=\d+\.[\w-]{43}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/);
    assert.doesNotMatch(cookie, new RegExp(token));
    const pair = cookie.split(';')[0] ?? '';
    assert.equal((await get(port, '/api/overview', [['Cookie', `a=b; ${pair}; c=d`]])).status, 200);
    const later = pair.replace(/\d+/, (until) => `${Number(until) + 1}`);
    const old = pair.replace(/=\d+/, '=1000000000');
    for (const forged of [later, old, `${pair}A`, 'viaduct_admin=', `viaduct_admin=9999999999.${'A'.repeat(43)}`])
      assert.equal((await get(port, '/api/overview', [['Cookie', forged]])).status, 401, forged);
  });

  it('takes no further tokens of a client after ten wrong ones, and does not stop those who are in', async (t) => {
    const { port, token } = await serve(t);
    const { headers } = await post(port, '/login', `token=${token}`);
    const pair = String(headers['set-cookie']).split(';')[0] ?? '';
    for (let i = 0; i < 10; i += 1)
      assert.equal((await get(port, '/api/overview', [['Authorization', `Bearer wrong-${i}`]])).status, 401);
    for (const answer of [
      await get(port, '/api/overview', [['Authorization', `Bearer ${token}`]]),
      await post(port, '/login', `token=${token}`),
    ])
      assert.deepEqual([answer.status, answer.headers['retry-after']], [429, '60']);
    assert.equal((await get(port, '/api/overview', [['Cookie', pair]])).status, 200);
    assert.equal((await get(port, '/metrics')).status, 200);
  });

  it('takes the token from a file, and says what is wrong with one', async (t) => {
    const cwd = makeProject(t, { short: 'abc\n', good: '  a-token-of-my-own-making \n' });
    const { port, madeToken } = await serveAdmin(t, { address: PUBLIC, tokenFile: join(cwd, 'good') });
    assert.equal(madeToken, null);
    assert.equal(
      (await get(port, '/api/overview', [['Authorization', 'bearer a-token-of-my-own-making']])).status,
      200,
    );
    await assert.rejects(
      serveAdmin(t, { address: PUBLIC, tokenFile: join(cwd, 'short') }),
      /a token has 16 to 512 visible characters/,
    );
    await assert.rejects(
      serveAdmin(t, { address: PUBLIC, tokenFile: join(cwd, 'none') }),
      /Cannot read admin_token_file/,
    );
    writeFileSync(join(cwd, 'lines'), 'a-token-of-my\nown-making');
    await assert.rejects(
      serveAdmin(t, { address: PUBLIC, tokenFile: join(cwd, 'lines') }),
      /Cannot use admin_token_file/,
    );
  });
});
