import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { startBackend } from '../support/backend.ts';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { startViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

/** Starts a backend that answers with its name. Returns its URL. */
async function backend(t: TestContext, name: string): Promise<string> {
  const started = await startBackend(t, () => `HTTP/1.1 200 OK\r\nContent-Length: ${name.length}\r\n\r\n${name}`);
  return started.url;
}

async function serve(t: TestContext, route: string): Promise<(headers?: [string, string][]) => Promise<string>> {
  const cwd = makeProject(t, { 'viaduct.toml': `[[route]]\n${route}\n` });
  const server = await startViaduct(t, ['--access-log', 'off'], { cwd });
  return async (headers = []) => (await ask(server.port, '/', { headers })).body;
}

describe('several backends of a route', { concurrency: 2 }, () => {
  it('receive requests by their weights', async (t) => {
    const [a, b] = [await backend(t, 'a'), await backend(t, 'b')];
    const get = await serve(t, `proxy = [{ url = "${a}", weight = 3 }, "${b}"]`);
    let answers = '';
    for (let i = 0; i < 8; i += 1) answers += await get();
    assert.equal(answers, 'aabaaaba');
  });

  it('receive all requests of a session at the same backend', async (t) => {
    const urls = await Promise.all(['a', 'b', 'c', 'd'].map((name) => backend(t, name)));
    const list = urls.map((url) => `"${url}"`).join(', ');
    const get = await serve(t, `proxy = [${list}]\nproxy_options = { balance = "hash", hash_by = "cookie:session" }`);
    const places = new Set<string>();
    for (let user = 0; user < 16; user += 1) {
      const place = await get([['Cookie', `x=y; session=${user}`]]);
      assert.equal(await get([['Cookie', `session=${user}; other=1`]]), place);
      places.add(place);
    }
    assert.ok(places.size > 1, 'one backend has all sessions');
  });

  it('are read from a file, and stay when the server reloads without the file', async (t) => {
    const a = await backend(t, 'a');
    const cwd = makeProject(t, {
      'viaduct.toml': '[[route]]\nproxy = "file:backends"\n[route.proxy_options]\nbalance = "random-two"\n',
      backends: `${a}\n`,
    });
    const server = await startViaduct(t, ['--access-log', 'off'], { cwd });
    const get = async () => (await ask(server.port, '/')).body;
    assert.equal(await get(), 'a');
    rmSync(join(cwd, 'backends'));
    await eventually('the log reports it', () => /Cannot read backends from/.test(server.output()));
    process.kill(server.pid, 'SIGHUP');
    await eventually('the server has reloaded', () => /reload/i.test(server.output()));
    assert.equal(await get(), 'a');
    writeFileSync(join(cwd, 'backends'), `${await backend(t, 'b')}\n`);
    await eventually('the new backend is found', async () => (await get()) === 'b');
  });

  for (const [route, message] of [
    ['proxy = [{ url = "http://a", weight = 0 }]', /weight = 0 .*must be a whole number from 1 to 100/],
    ['proxy = [{ url = "a" }]', /url = "a" .*must be a backend/],
    ['proxy = "http://a"\nproxy_options = { balance = "best" }', /balance = "best" .*must be round-robin/],
    ['proxy = "http://a"\nproxy_options = { hash_by = "cookie:" }', /hash_by = "cookie:" .*must be address, path/],
  ] as const) {
    it(`are refused with a reason: ${route}`, async (t) => {
      const cwd = makeProject(t, { 'viaduct.toml': `[[route]]\n${route}\n` });
      await assert.rejects(startViaduct(t, [], { cwd }), message);
    });
  }
});
