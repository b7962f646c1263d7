import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { describe, it } from 'node:test';
import type { Request } from '../../../src/http/message.ts';
import type { Response } from '../../../src/http/response.ts';
import { adminApi } from '../../../src/server/admin/admin-api.ts';
import { requestOf } from '../../support/handler.ts';

const FAMILY = { name: 'up', type: 'gauge', help: '', unit: '', samples: [] } as const;

async function answer(changes: Partial<Request>, names: readonly string[] | null = ['127.0.0.1']): Promise<Response> {
  const api = adminApi(
    async () => [FAMILY],
    () => null,
    { names, token: null },
  );
  return (await api(requestOf({ path: '/metrics', host: '127.0.0.1:9090', ...changes }))) as Response;
}

describe('the admin listener', () => {
  it('has the metrics for GET and HEAD', async () => {
    const { status, lines } = await answer({});
    assert.equal(status, 200);
    assert.match(lines, /Content-Type: text\/plain; version=0\.0\.4/);
    assert.doesNotMatch(lines, /Access-Control/);
    assert.equal((await answer({ method: 'HEAD' })).status, 200);
    assert.equal((await answer({ method: 'POST' })).status, 405);
  });

  it('answers 503 while the server starts', async () => {
    const access = { names: [], token: null };
    const api = adminApi(
      async () => null,
      () => null,
      access,
    );
    const { status, lines } = (await api(requestOf({ path: '/metrics', host: 'localhost' }))) as Response;
    assert.equal(status, 503);
    assert.match(lines, /Retry-After: 1\r\n/);
    assert.equal(((await api(requestOf({ path: '/', host: 'localhost' }))) as Response).status, 503);
  });

  const ours = [
    '127.0.0.1:9090',
    'localhost:9090',
    'LOCALHOST',
    '10.1.2.3:9090',
    '[::1]:9090',
    '[fd00::7]',
    'web:9090',
    'viaduct-0.viaduct.shop.svc.cluster.local:9090',
    'shop.svc',
    'web1.internal.',
    `${hostname()}:9090`,
    '',
  ];
  for (const host of ours)
    it(`answers a program that asks "${host}"`, async () => assert.equal((await answer({ host })).status, 200));

  for (const host of ['attacker.example:9090', '127.0.0.1.attacker.example', 'evil.com', 'local.com', '1.2.3.4.5'])
    it(`refuses a page that calls this machine "${host}"`, async () => {
      const { status, body } = await answer({ host });
      assert.equal(status, 403);
      assert.match(String(body), /^The Host ".*" is not a name of this listener\./);
      assert.equal((await answer({ host }, null)).status, 200, 'a Unix socket');
    });

  it('takes a name that the setting has', async () =>
    assert.equal((await answer({ host: 'Web1.example.com:9090' }, ['web1.example.com'])).status, 200));

  it('refuses what a page of another site sends', async () => {
    for (const origin of ['https://attacker.example', 'null', 'http://127.0.0.1:9090'])
      assert.equal((await answer({ headers: ['Host', '127.0.0.1:9090', 'oriGin', origin] })).status, 403);
  });
});
