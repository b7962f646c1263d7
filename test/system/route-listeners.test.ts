import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { encodeRequest, variablesOf } from '../support/cgi-frames.ts';
import { ask } from '../support/http-client.ts';
import { freePort } from '../support/peer.ts';
import { makeProject } from '../support/project.ts';
import { SocketClient } from '../support/socket-client.ts';
import { runViaduct, startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const LISTEN = `listen = ["http://127.0.0.1:0", "http://localhost:0", "unix:admin.sock", "scgi://unix:front.sock", "https://127.0.0.1:0", "http://0.0.0.0:0?proxy_protocol=on"]
trusted_proxies = ["127.0.0.0/8", "unix"]
[tls]
self_signed = true
`;

const SITE = `${LISTEN}
[[route]]
path = "/*"
respond = { body = "public" }

[[route]]
listen = ["localhost:0", "unix:admin.sock"]
host = "admin.example"
path = ["/admin/*", "/start*"]
respond = { body = "admin" }

[[route]]
listen = "https://127.0.0.1:0"
path_pattern = "^/secure"
respond = { body = "secure" }

[[route]]
listen = "0.0.0.0:0"
path = "/proxied"
respond = { body = "proxied" }

[[route]]
listen = "unix:front.sock"
path = "/front"
respond = { body = "front" }
`;

const HOST = 'admin.example';

async function start(t: TestContext, args: readonly string[] = []) {
  const project = makeProject(t, { 'viaduct.toml': SITE });
  const server = await startViaduct(t, ['--access-log', 'off', ...args], { cwd: project, listen: '' });
  const port = (address: string): number =>
    Number(new RegExp(`${address.replaceAll('.', '\\.')}:(\\d+)`).exec(server.output())?.[1]);
  await eventually('all addresses are printed', () => port('http://0.0.0.0') > 0);
  return { project, server, port };
}

async function reload({ output, pid }: Viaduct): Promise<void> {
  const count = () => (output().match(/Reloaded in/g) ?? []).length;
  const before = count();
  process.kill(pid, 'SIGHUP');
  await eventually('the server has reloaded', () => count() > before);
}

describe('a route with listen', { concurrency: 2 }, () => {
  it('gets the requests that come over its address, by every protocol', async (t) => {
    const { project, port } = await start(t);
    const admin = port('http://localhost');
    const host = HOST;
    assert.equal((await ask(admin, '/admin/', { host })).body, 'admin');
    assert.equal((await ask(admin, '/starting', { host })).body, 'admin');
    assert.equal((await ask(admin, '/other', { host })).body, 'public');
    assert.equal((await ask(admin, '/admin/')).body, 'public', 'its host still counts');
    assert.equal((await ask(join(project, 'admin.sock'), '/admin/', { host })).body, 'admin');

    const front = await SocketClient.open(join(project, 'front.sock'));
    front.send(encodeRequest('scgi', variablesOf({ REQUEST_URI: '/front', PATH_INFO: '/front' })));
    await front.untilClosed();
    assert.match(front.received, /^Status: 200[\s\S]*front$/);

    for (const protocol of ['http/1.1', 'h2'])
      assert.equal(await overTls(port('https://127.0.0.1'), protocol), 'secure');
  });

  it('is not reached over another address, whatever a client or a trusted proxy says', async (t) => {
    const { port } = await start(t);
    const [web, admin, proxied] = [port('http://127.0.0.1'), port('http://localhost'), port('http://0.0.0.0')];
    const lies = [
      [`Host`, `localhost:${admin}`],
      ['X-Forwarded-Host', HOST],
      ['X-Forwarded-Port', `${admin}`],
      ['X-Forwarded-For', '127.0.0.1'],
      ['X-Forwarded-Server', 'localhost'],
      ['Forwarded', `for=127.0.0.1;host=${HOST};by="127.0.0.1:${admin}"`],
    ] as const;
    for (const target of [
      '/admin/',
      '/%61dmin/',
      '//admin',
      `http://${HOST}/admin/`,
      `http://localhost:${admin}/starting`,
    ]) {
      for (const field of [['Host', HOST], ...lies] as const) {
        const request = field[0] === 'Host' ? { host: field[1] } : { host: HOST, headers: [field] };
        assert.equal((await ask(web, target, request)).body, 'public', `${target} ${field}`);
      }
    }
    const client = await SocketClient.open(proxied);
    client.send(`PROXY TCP4 127.0.0.1 127.0.0.1 5000 ${admin}\r\nGET /admin/ HTTP/1.0\r\nHost: ${HOST}\r\n\r\n`);
    await client.untilClosed();
    assert.match(client.received, /\r\n\r\npublic$/);
    const own = await SocketClient.open(proxied);
    own.send('PROXY UNKNOWN\r\nGET /proxied HTTP/1.0\r\n\r\n');
    await own.untilClosed();
    assert.match(own.received, /\r\n\r\nproxied$/);
  });

  it('stays with its address over reloads that add and remove others', async (t) => {
    const { project, server, port } = await start(t, ['--processes', '2']);
    const [web, admin] = [port('http://127.0.0.1'), port('http://localhost')];
    const host = HOST;
    writeFileSync(
      join(project, 'viaduct.toml'),
      SITE.replace('"http://127.0.0.1:0", ', '"unix:first.sock", "http://127.0.0.1:0", '),
    );
    await reload(server);
    writeFileSync(join(project, 'viaduct.toml'), SITE);
    await reload(server);
    for (let i = 0; i < 8; i += 1) {
      assert.equal((await ask(admin, '/admin/', { host })).body, 'admin');
      assert.equal((await ask(web, '/admin/', { host })).body, 'public');
    }
  });

  it('is refused when it names an address that the server does not have', async (t) => {
    const project = makeProject(t, {
      'viaduct.toml': SITE.replace('listen = "0.0.0.0:0"', 'listen = "127.0.0.4:80"'),
    });
    const { code, output } = await runViaduct(project, 'check');
    assert.equal(code, 2, output);
    assert.match(
      output,
      /Cannot use route\[4\]\.listen\[1\] \(viaduct\.toml:\d+\): the server does not listen on "127\.0\.0\.4:80"/,
    );
    const flags = await runViaduct(project, 'check', '--listen', '127.0.0.4:80');
    assert.match(
      flags.output,
      /route\[2\]\.listen\[1\] .*does not listen on "localhost:0"\. Its addresses are 127\.0\.0\.4:80/,
    );
  });

  for (const processes of [1, 2]) {
    it(`gets the requests to one address of a port of all hosts, with ${processes} server processes`, async (t) => {
      const port = await freePort();
      const settings = (addresses: readonly string[]) =>
        [
          `listen = ${JSON.stringify(addresses.map((address) => `${address}:${port}`))}`,
          'tls = { self_signed = true }',
          ...['http://0.0.0.0', 'http://127.0.0.2', 'https://127.0.0.3']
            .filter((address) => addresses.includes(address))
            .map((address) => `[[route]]\nlisten = "${address}:${port}"\nrespond = { body = "{scheme} ${address}" }`),
        ].join('\n');
      const all = ['http://127.0.0.2', 'http://0.0.0.0', 'https://127.0.0.3'];
      const cwd = makeProject(t, { 'viaduct.toml': settings(all) });
      const server = await startViaduct(t, ['web', '--access-log', 'off', '--processes', `${processes}`], {
        cwd,
        listen: '',
      });
      const body = (host: string) => bodyAt(host, port);
      assert.equal(await body('127.0.0.1'), 'http http://0.0.0.0');
      assert.equal(await body('127.0.0.2'), 'http http://127.0.0.2');
      assert.match(await overTls(port, 'h2', '127.0.0.3'), /^https/);

      writeFileSync(join(cwd, 'viaduct.toml'), settings(['http://0.0.0.0']));
      await reload(server);
      assert.equal(await body('127.0.0.2'), 'http http://0.0.0.0', 'the address is given back');
      writeFileSync(join(cwd, 'viaduct.toml'), settings(all));
      await reload(server);
      assert.equal(await body('127.0.0.2'), 'http http://127.0.0.2');

      writeFileSync(join(cwd, 'viaduct.toml'), settings(['http://127.0.0.2']));
      process.kill(server.pid, 'SIGHUP');
      await eventually('the reload is refused', () => server.output().includes('the address is in use'));
      assert.equal(await body('127.0.0.2'), 'http http://127.0.0.2', 'the old addresses stay');
      assert.equal(await body('127.0.0.1'), 'http http://0.0.0.0');
    });
  }

  it('is shown with its address by viaduct check', async (t) => {
    const project = makeProject(t, { 'viaduct.toml': SITE });
    const { output } = await runViaduct(project, 'check');
    assert.match(output, /on localhost:0\|unix:admin\.sock admin\.example\/admin\/\*\|\/start\* → respond 200/);
  });
});

/** What a new connection to one address of this machine gets. */
async function bodyAt(host: string, port: number): Promise<string> {
  const [response] = (await once(get({ host, port, agent: false }), 'response')) as [IncomingMessage];
  return text(response);
}

async function overTls(port: number, protocol: string, host = '127.0.0.1'): Promise<string> {
  if (protocol !== 'h2') {
    const client = await SocketClient.openSecure(port);
    client.send('GET /secure HTTP/1.0\r\n\r\n');
    await client.untilClosed();
    return client.received.split('\r\n\r\n')[1] ?? '';
  }
  const session = connectHttp2(`https://${host}:${port}`, { rejectUnauthorized: false });
  const stream = session.request({ ':path': '/secure' });
  const content = await text(stream);
  session.close();
  return content;
}
