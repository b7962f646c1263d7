import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { kubernetesDiscovery } from '../../../src/proxy/discovery/kubernetes.ts';
import { KubernetesApi } from '../../support/kubernetes-api.ts';
import { eventually } from '../../support/wait.ts';

async function follow(
  t: TestContext,
  port = 'http',
  prepare: (api: KubernetesApi) => void = () => {},
  tokenFile: string | null = null,
) {
  const api = await KubernetesApi.start(t);
  prepare(api);
  const errors: string[] = [];
  const results: string[] = [];
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
  discovery.start((backends) => results.push(backends.map(({ host, port: number }) => `${host}:${number}`).join(' ')));
  t.after(() => discovery.stop());
  return { api, errors, results, last: () => results.at(-1) };
}

describe('Kubernetes discovery', { concurrency: 4 }, () => {
  it('finds the ready endpoints of all slices, and follows their changes', async (t) => {
    const { api, last } = await follow(t, 'http', (api) => {
      api.pageSize = 1;
      api.set({ name: 'web-1', addresses: ['10.0.0.1', '10.0.0.2'], notReady: ['10.0.0.3'] });
      api.set({ name: 'web-2', addresses: ['10.0.1.1'], port: 8001 });
    });
    await eventually('the endpoints are listed', () => last() === '10.0.0.1:8000 10.0.0.2:8000 10.0.1.1:8001');
    assert.match(
      api.requests[0] ?? '',
      /\/namespaces\/shop\/endpointslices\?labelSelector=kubernetes\.io%2Fservice-name%3Dweb&limit=500$/,
    );
    await eventually('the watch is open', () => api.watching === 1);
    assert.match(api.requests.at(-1) ?? '', /watch=1.*resourceVersion=3$/);
    api.set({ name: 'web-1', addresses: ['10.0.0.2', '10.0.0.3'] });
    await eventually('one endpoint joined and one left', () => last() === '10.0.0.2:8000 10.0.0.3:8000 10.0.1.1:8001');
    api.delete('web-2');
    await eventually('a slice was deleted', () => last() === '10.0.0.2:8000 10.0.0.3:8000');
  });

  it('continues a watch from where the last one ended, according to its bookmark', async (t) => {
    const { api, errors, last } = await follow(t, '8000', (api) => api.set({ name: 'web-1', addresses: ['10.0.0.1'] }));
    await eventually('the watch is open', () => api.watching === 1);
    api.send({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '77' } } });
    api.endWatches('end');
    await eventually('the watch is open again', () => api.requests.length === 3 && api.watching === 1);
    assert.match(api.requests[2] ?? '', /resourceVersion=77$/);
    api.set({ name: 'web-1', addresses: ['10.0.0.5'] });
    await eventually('the change is found', () => last() === '10.0.0.5:8000');
    assert.deepEqual(errors, []);
  });

  it('lists again when the API no longer knows the version', async (t) => {
    const { api, errors, last } = await follow(t, 'http', (api) => api.set({ name: 'web-1', addresses: ['10.0.0.1'] }));
    await eventually('the watch is open', () => api.watching === 1);
    api.send({ type: 'ERROR', object: { code: 410, message: 'too old' } });
    await eventually(
      'they are listed again',
      () => api.requests.filter((path) => path.includes('limit=')).length === 2,
    );
    await eventually('the watch is open again', () => api.watching >= 1);
    api.set({ name: 'web-1', addresses: ['10.0.0.6'] });
    await eventually('the change is found', () => last() === '10.0.0.6:8000');
    assert.deepEqual(errors, []);
  });

  it('keeps the backends and reports one error while the API fails', async (t) => {
    const { api, errors, results, last } = await follow(t, 'http', (api) =>
      api.set({ name: 'web-1', addresses: ['10.0.0.1'] }),
    );
    await eventually('the watch is open', () => api.watching === 1);
    api.failure = { status: 500, message: 'etcd is gone' };
    api.endWatches('cut');
    await eventually('the error is reported', () => errors.length === 1);
    await eventually('the request is repeated', () => api.requests.length > 5);
    assert.deepEqual(results, ['10.0.0.1:8000']);
    assert.match(errors[0] ?? '', /^Cannot look up "kubernetes shop\/web": /);
    api.failure = null;
    api.set({ name: 'web-1', addresses: ['10.0.0.2'] });
    await eventually('the endpoints are found again', () => last() === '10.0.0.2:8000');
    assert.equal(errors.length, 1);
  });

  it('sends the current token of the token file', async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'viaduct-token-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const tokenFile = join(directory, 'token');
    writeFileSync(tokenFile, 'old\n');
    const { api, errors, last } = await follow(
      t,
      'http',
      (api) => {
        api.token = 'new';
        api.set({ name: 'web-1', addresses: ['10.0.0.1'] });
      },
      tokenFile,
    );
    await eventually('the old token is refused', () => errors.length === 1);
    assert.match(errors[0] ?? '', /the API answered 401: Unauthorized/);
    writeFileSync(tokenFile, 'new\n');
    await eventually('the endpoint is found', () => last() === '10.0.0.1:8000');
    assert.ok(api.requests.length > 1);
  });

  it('survives invalid responses', async (t) => {
    const { api, errors, last } = await follow(t, 'http', (api) => api.set({ name: 'web-1', addresses: ['10.0.0.1'] }));
    await eventually('the watch is open', () => api.watching === 1);
    api.send('nonsense');
    for (const object of [{}, { metadata: null }, { endpoints: null, ports: null, metadata: { name: 'x' } }])
      api.send({ type: 'ADDED', object });
    api.set({ name: 'web-1', addresses: ['10.0.0.2'] });
    await eventually('the change is found', () => last() === '10.0.0.2:8000');
    assert.ok(errors.length <= 1);
  });
});
