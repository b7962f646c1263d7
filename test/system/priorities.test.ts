import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { LiveRequest } from '../../src/server/live-requests.ts';
import type { ServerStatus } from '../../src/server/status.ts';
import { encodeRequest, variablesOf } from '../support/cgi-frames.ts';
import { callControl } from '../support/control-api.ts';
import { ask, fetchWhole } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { SocketClient } from '../support/socket-client.ts';
import { startViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

/** `/hold` runs until the file `go` appears. Each other request notes when it was its turn. */
const APP = `
import os, time
def application(environ, start_response):
    path = environ["SCRIPT_NAME"] + environ["PATH_INFO"]
    if path.endswith("/hold"):
        open("held" + environ["SCRIPT_NAME"].replace("/", "-"), "w").close()
        while not os.path.exists("go"):
            time.sleep(0.01)
    else:
        with open("order", "a") as order:
            order.write(path + "\\n")
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
`;

const CONFIG = `
threads = 1
workers = 1
access_log = "off"
control = "control.sock"

[[route]]
path = "/healthz/*"
priority = "high"

[[route]]
path = "/export/*"
priority = "low"

[[route]]
mount = "/second"
app = "second"

[[route]]
path = "/second/healthz/*"
mount = "/second"
app = "second"
priority = "high"

[apps.second]
target = "app:application"
workers = 1
threads = 1
`;

/** Requests in this order; they get the worker in another one. */
const SENT = ['/export/1', '/page/1', '/export/2', '/page/2', '/healthz/1'];
const TURNS = ['/healthz/1', '/page/1', '/page/2', '/export/1', '/export/2'];

describe('the priorities of routes', () => {
  it('decide who gets a worker first, whatever the protocol, in each application', async (t) => {
    const cwd = makeProject(t, { 'app.py': APP, 'viaduct.toml': CONFIG });
    const unix = (protocol: string) => join(cwd, `${protocol}.sock`);
    const listen = ['127.0.0.1:0', ...['uwsgi', 'scgi', 'fastcgi'].map((name) => `${name}://unix:${unix(name)}`)];
    const { port } = await startViaduct(t, ['app:application'], { cwd, listen: listen.join(',') });
    const requests = async () =>
      (await callControl(join(cwd, 'control.sock'), 'GET', '/requests')).value as readonly LiveRequest[];
    const held = [ask(port, '/hold'), ask(port, '/second/hold')];
    await eventually('both are busy', () => existsSync(join(cwd, 'held')) && existsSync(join(cwd, 'held-second')));
    const overCgi = (protocol: 'uwsgi' | 'scgi' | 'fastcgi') => async (path: string) => {
      const client = await SocketClient.open(unix(protocol));
      client.send(encodeRequest(protocol, variablesOf({ REQUEST_URI: path, PATH_INFO: path })));
      return client.closed;
    };
    const ways = {
      one: (path: string) => fetchWhole('HTTP/1.1', port, 'GET', path),
      two: (path: string) => fetchWhole('HTTP/2', port, 'GET', path),
      uwsgi: overCgi('uwsgi'),
      scgi: overCgi('scgi'),
      fastcgi: overCgi('fastcgi'),
    };
    const answers: Promise<unknown>[] = [...held];
    const sent = [...SENT, ...SENT.map((path) => `/second${path}`)];
    let count = held.length;
    for (const way of Object.keys(ways) as (keyof typeof ways)[]) {
      for (const path of sent) {
        answers.push(ways[way](`${path}/${way}`));
        count += 1;
        await eventually('it waits', async () => (await requests()).length === count);
      }
    }
    const listed = await requests();
    for (const { path, priority, where } of listed.filter(({ path: one }) => !one.endsWith('/hold'))) {
      const expected = path.includes('/healthz/') ? 'high' : /^\/export/.test(path) ? 'low' : 'normal';
      assert.deepEqual([path, where, priority], [path, 'queue', expected]);
    }
    const status = (await callControl(join(cwd, 'control.sock'), 'GET', '/status')).value as ServerStatus;
    const [main] = status.processes[0]?.applications.filter(({ name }) => name === 'main') ?? [];
    assert.deepEqual(main?.queue.waiting_by_priority, { high: 5, normal: 10, low: 10 });
    assert.equal(main?.queue.entered, 25);
    writeFileSync(join(cwd, 'go'), '');
    await Promise.all(answers);
    const order = readFileSync(join(cwd, 'order'), 'utf8').trim().split('\n');
    const kinds = (lines: readonly string[]) => lines.map((line) => line.replace(/^\/second/, '').split('/')[1]);
    const first = order.filter((line) => !line.startsWith('/second'));
    const second = order.filter((line) => line.startsWith('/second'));
    assert.deepEqual([first.length, second.length], [25, 25]);
    assert.deepEqual(kinds(first).slice(0, 5), Array(5).fill('healthz'));
    assert.deepEqual(kinds(first).slice(5, 12), Array(7).fill('page'));
    assert.equal(kinds(first)[12], 'export', 'one of eight is of a lower priority');
    assert.deepEqual(kinds(second).slice(0, 5), Array(5).fill('healthz'));
    assert.deepEqual(
      first.filter((line) => line.endsWith('/one')).map((line) => line.replace('/one', '')),
      TURNS,
    );
  });
});
