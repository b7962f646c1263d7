import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { kubernetesDiscovery } from '../../../src/proxy/discovery/kubernetes.ts';
import { KubernetesApi } from '../../support/kubernetes-api.ts';
import { eventually } from '../../support/socket-client.ts';

async function follow(
  t: TestContext,
  port = 'http',
  prepare: (api: KubernetesApi) => void = () => {},
  tokenFile: string | null = null,
) {
  const api = await KubernetesApi.start();
  prepare(api);
  const errors: string[] = [];
  const found: string[] = [];
  const discovery = kubernetesDiscovery({
    access: { api: api.url, tokenFile, caFile: null },
    namespace: 'shop',
    service: 'web',
    port,
    retryMs: 20,
    retryMsMax: 50,
    backendAt: (host, number) => ({ host, port: number }),
    onError: (message) => errors.push(message),
  });
  discovery.start((backends) => found.push(backends.map(({ host, port: number }) => `${host}:${number}`).join(' ')));
  t.after(() => {
    discovery.stop();
    api.stop();
  });
  return { api, errors, found, last: () => found.at(-1) };
}

describe('backends that Kubernetes knows', { concurrency: 4 }, () => {
  it('are the ready endpoints of all slices, and follow when they change', async (t) => {
    const { api, last } = await follow(t, 'http', (one) => {
      one.pageSize = 1;
      one.set({ name: 'web-1', addresses: ['10.0.0.1', '10.0.0.2'], notReady: ['10.0.0.3'] });
      one.set({ name: 'web-2', addresses: ['10.0.1.1'], port: 8001 });
    });
    await eventually('they are listed', () => last() === '10.0.0.1:8000 10.0.0.2:8000 10.0.1.1:8001');
    assert.match(
      api.requests[0] ?? '',
      /\/namespaces\/shop\/endpointslices\?labelSelector=kubernetes\.io%2Fservice-name%3Dweb&limit=500$/,
    );
    await eventually('they are watched', () => api.watching === 1);
    assert.match(api.requests.at(-1) ?? '', /watch=1.*resourceVersion=3$/);
    api.set({ name: 'web-1', addresses: ['10.0.0.2', '10.0.0.3'] });
    await eventually('one came, one went', () => last() === '10.0.0.2:8000 10.0.0.3:8000 10.0.1.1:8001');
    api.delete('web-2');
    await eventually('a slice went', () => last() === '10.0.0.2:8000 10.0.0.3:8000');
  });

  it('are watched on from where a watch ended, with what a bookmark said', async (t) => {
    const { api, errors, last } = await follow(t, '8000', (one) => one.set({ name: 'web-1', addresses: ['10.0.0.1'] }));
    await eventually('they are watched', () => api.watching === 1);
    api.send({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '77' } } });
    api.endWatches('end');
    await eventually('they are watched again', () => api.requests.length === 3 && api.watching === 1);
    assert.match(api.requests[2] ?? '', /resourceVersion=77$/);
    api.set({ name: 'web-1', addresses: ['10.0.0.5'] });
    await eventually('changes come', () => last() === '10.0.0.5:8000');
    assert.deepEqual(errors, []);
  });

  it('are listed anew when the API does not remember so far back', async (t) => {
    const { api, errors, last } = await follow(t, 'http', (one) => one.set({ name: 'web-1', addresses: ['10.0.0.1'] }));
    await eventually('they are watched', () => api.watching === 1);
    api.send({ type: 'ERROR', object: { code: 410, message: 'too old' } });
    await eventually(
      'they are listed again',
      () => api.requests.filter((path) => path.includes('limit=')).length === 2,
    );
    await eventually('they are watched again', () => api.watching >= 1);
    api.set({ name: 'web-1', addresses: ['10.0.0.6'] });
    await eventually('changes come', () => last() === '10.0.0.6:8000');
    assert.deepEqual(errors, []);
  });

  it('go on while the API fails, which is told once', async (t) => {
    const { api, errors, found, last } = await follow(t, 'http', (one) =>
      one.set({ name: 'web-1', addresses: ['10.0.0.1'] }),
    );
    await eventually('they are watched', () => api.watching === 1);
    api.failure = { status: 500, message: 'etcd is gone' };
    api.endWatches('cut');
    await eventually('it is told', () => errors.length === 1);
    await eventually('it is tried again', () => api.requests.length > 5);
    assert.deepEqual(found, ['10.0.0.1:8000']);
    assert.match(errors[0] ?? '', /^Cannot look up "kubernetes shop\/web": /);
    api.failure = null;
    api.set({ name: 'web-1', addresses: ['10.0.0.2'] });
    await eventually('they are found again', () => last() === '10.0.0.2:8000');
    assert.equal(errors.length, 1);
  });

  it('are asked for with the token that the file has now', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'viaduct-token-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const tokenFile = join(directory, 'token');
    writeFileSync(tokenFile, 'old\n');
    const { api, errors, last } = await follow(
      t,
      'http',
      (one) => {
        one.token = 'new';
        one.set({ name: 'web-1', addresses: ['10.0.0.1'] });
      },
      tokenFile,
    );
    await eventually('it is refused', () => errors.length === 1);
    assert.match(errors[0] ?? '', /the API answered 401: Unauthorized/);
    writeFileSync(tokenFile, 'new\n');
    await eventually('it is found', () => last() === '10.0.0.1:8000');
    assert.ok(api.requests.length > 1);
  });

  it('survive what is no answer', async (t) => {
    const { api, errors, last } = await follow(t, 'http', (one) => one.set({ name: 'web-1', addresses: ['10.0.0.1'] }));
    await eventually('they are watched', () => api.watching === 1);
    api.send('nonsense');
    for (const object of [{}, { metadata: null }, { endpoints: null, ports: null, metadata: { name: 'x' } }])
      api.send({ type: 'ADDED', object });
    api.set({ name: 'web-1', addresses: ['10.0.0.2'] });
    await eventually('changes come', () => last() === '10.0.0.2:8000');
    assert.ok(errors.length <= 1);
  });
});
