import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ask } from '../support/http-client.ts';
import { eachTestLifetime } from '../support/lifetime.ts';
import { makeProject } from '../support/project.ts';
import { startViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const APP = `
import time
def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path.endswith("/slow"):
        time.sleep(0.12)
    start_response("500 Oops" if path.endswith("/error") else "200 OK", [("Content-Length", "2")])
    return [b"ok"]
`;

const ROUTES = `
[[route]]
path = "/quiet/*"
access_log = false

[[route]]
path = "/errors/*"
access_log = {}

[[route]]
path = "/slow/*"
access_log = { slow_ms = "100ms", errors = false }

[[route]]
name = "tenth"
path = "/tenth/*"
access_log = { sample = 0.1 }
`;

describe('lines of the access log by route', () => {
  const eachTest = eachTestLifetime();

  it('are left out as the route says, until a reload changes it', async () => {
    const cwd = makeProject(eachTest, { 'app.py': APP, 'viaduct.toml': ROUTES });
    const log = join(cwd, 'access.log');
    const options = ['--access-log', 'json', '--access-log-file', log, '--workers', '1'];
    const server = await startViaduct(eachTest, ['app:application', ...options], { cwd });
    const get = (path: string, id = '') => ask(server.port, path, { headers: id === '' ? [] : [['X-Request-ID', id]] });
    const paths = () =>
      readFileSync(log, 'utf8')
        .trim()
        .split('\n')
        .map((line) => (line === '' ? '' : (JSON.parse(line) as { path: string }).path));
    for (const route of ['quiet', 'errors', 'slow', 'other'])
      for (const page of ['quick', 'slow', 'error']) await get(`/${route}/${page}`);
    const ids = Array.from({ length: 200 }, (_, n) => `id-${n}`);
    for (const id of ids) await get(`/tenth/${id}`, id);
    await get('/last');
    await eventually('the last line is there', () => paths().includes('/last'));
    const logged = paths();
    const all = ['/errors/error', '/slow/slow', '/other/quick', '/other/slow', '/other/error'];
    assert.deepEqual(
      logged.filter((path) => !path.startsWith('/tenth') && path !== '/last'),
      all,
    );
    const tenth = logged.filter((path) => path.startsWith('/tenth'));
    assert.ok(tenth.length > 5 && tenth.length < 40, `${tenth.length} of 200`);
    writeFileSync(join(cwd, 'viaduct.toml'), ROUTES.replace('sample = 0.1', 'sample = 0.2'));
    process.kill(server.pid, 'SIGHUP');
    await eventually('it is reloaded', () => server.output().includes('Reloaded'));
    for (const id of ids) await get(`/tenth/${id}`, id);
    await get('/end');
    await eventually('the last line is there', () => paths().includes('/end'));
    const again = paths()
      .slice(logged.length)
      .filter((path) => path.startsWith('/tenth'));
    assert.ok(again.length > tenth.length, `${again.length} of 200`);
    assert.deepEqual(
      tenth.filter((path) => !again.includes(path)),
      [],
      'the id decides',
    );
  });

  it('need a route of their own, and a share between 0 and 1', async () => {
    for (const [config, expected] of [
      ['access_log = { sample = 2 }', /access_log\.sample.*must be a number from 0 to 1/],
      ['access_log = "json"', /access_log.*must be true, false or a table/],
      ['name = "a"\naccess_log = false\n[[route]]\nname = "a"', /access_log.*another route has the name "a", too/],
    ] as const) {
      const files = { 'app.py': APP, 'viaduct.toml': `[[route]]\n${config}\n` };
      const { exited, output } = await startViaduct(eachTest, ['app:application'], {
        cwd: makeProject(eachTest, files),
        awaitReady: false,
      });
      assert.equal((await exited).code, 2);
      assert.match(output(), expected);
    }
  });
});
