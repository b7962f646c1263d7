import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { makeProject } from '../support/project.ts';
import { SocketClient } from '../support/socket-client.ts';
import { startViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

/** Trusted proxies may open any number of connections, and this machine is one by default. */
const ROUTE = 'trusted_proxies = ["10.0.0.0/8"]\n[[route]]\nrespond = { body = "hello" }\n';

describe('settings that change while connections are open', { concurrency: 2 }, () => {
  async function start(t: TestContext, settings: string) {
    const project = makeProject(t, { 'viaduct.toml': `${settings}\n${ROUTE}` });
    const server = await startViaduct(t, ['serve'], { cwd: project });
    let reloads = 0;
    const reload = async (changed: string): Promise<void> => {
      writeFileSync(join(project, 'viaduct.toml'), `${changed}\n${ROUTE}`);
      process.kill(server.pid, 'SIGHUP');
      reloads += 1;
      await eventually(
        'the server has reloaded',
        () => (server.output().match(/Reloaded in/g) ?? []).length === reloads,
      );
    };
    const open = async (): Promise<SocketClient> => {
      const client = await SocketClient.open(server.port);
      t.after(() => client.close());
      return client;
    };
    return { server, reload, open };
  }

  async function ask(client: SocketClient, path: string): Promise<void> {
    const before = client.received.length;
    client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await eventually(`${path} is answered`, () => client.received.slice(before).endsWith('hello'));
  }

  it('change the format of the access log, and switch it off and on, even for an open connection', async (t) => {
    const { server, reload, open } = await start(t, 'access_log = "json"');
    const client = await open();
    await ask(client, '/first');
    await eventually('the line is written', () => /"path":"\/first"/.test(server.output()));
    await reload('access_log = "combined"');
    await ask(client, '/second');
    await eventually('the line is written', () => /"GET \/second HTTP\/1\.1" 200 5 /.test(server.output()));
    await reload('access_log = "off"');
    await ask(client, '/third');
    await reload('access_log = "text"');
    await ask(client, '/fourth');
    await eventually('the line is written', () => / 200 GET \/fourth 5 B \d/.test(server.output()));
    assert.doesNotMatch(server.output(), /third/);
    assert.equal(server.output().split('/second').length, 2);
  });

  it('change the limit of connections per address, and count open connections', async (t) => {
    const { reload, open } = await start(t, 'connections_per_address_max = 2');
    const [first, second] = [await open(), await open()];
    assert.equal(await (await open()).untilClosed(), 0);
    await reload('connections_per_address_max = 3');
    await ask(await open(), '/');
    assert.equal(await (await open()).untilClosed(), 0);
    await reload('connections_per_address_max = 1');
    await ask(first, '/');
    await ask(second, '/');
    assert.equal(await (await open()).untilClosed(), 0);
    await reload('');
    for (let i = 0; i < 5; i += 1) await ask(await open(), '/');
  });
});
