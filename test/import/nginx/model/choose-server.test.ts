import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildModel } from '../../../../src/import/nginx/model/build-model.ts';
import { chooseAddress, chooseServer, validHost } from '../../../../src/import/nginx/model/choose-server.ts';
import { parseTree } from '../../../../src/import/nginx/tree.ts';

/** The first name of the server that gets a host. */
function serverOf(host: string, ...names: readonly string[]): string | undefined {
  const servers = ['default', ...names].map((name) => `server { server_name ${name}; }`);
  const model = buildModel(parseTree(servers.join('\n'), 'nginx.conf'));
  const address = chooseAddress(model, '192.0.2.1:80');
  assert.ok(address !== null);
  return ['default', ...names][model.servers.indexOf(chooseServer(address, host).server)];
}

describe('chooseServer', () => {
  const names = ['a.org', '*.a.org', '*.b.a.org', 'a.*', '~^x\\d', '.c.org'];

  it('prefers exact names, then the longest wildcard at the start, then one at the end, then patterns', () => {
    const chosen = ['a.org', 'x.a.org', 'x.b.a.org', 'a.net', 'x1.net', 'c.org', 'z.c.org', 'other'].map((host) => {
      return serverOf(host, ...names);
    });
    assert.deepEqual(chosen, ['a.org', '*.a.org', '*.b.a.org', 'a.*', '~^x\\d', '.c.org', '.c.org', 'default']);
  });

  it('gives a name to the server that has it first', () => {
    assert.equal(serverOf('a.org', 'a.org', '.a.org'), 'a.org');
    assert.equal(serverOf('x.a.org', 'a.org', '.a.org'), 'default');
  });
});

describe('validHost', () => {
  it('removes the port and the last dot, and refuses what nginx refuses', () => {
    assert.equal(validHost('EXAMPLE.org.:80'), 'example.org');
    assert.equal(validHost('[::1]:80'), '[::1]');
    for (const host of ['', 'a..b', 'a/b', '.', ':80']) assert.equal(validHost(host), null, host);
  });
});
