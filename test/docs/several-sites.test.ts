import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { connect } from 'node:tls';
import { Authority, NO_OPENSSL } from '../support/certificates.ts';
import { parseAnswer } from '../support/http-message.ts';
import { codeBlocks, readPage } from '../support/pages.ts';
import { freePort } from '../support/peer.ts';
import { makeProject } from '../support/project.ts';
import { SocketClient } from '../support/socket-client.ts';
import { startViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const [SITES = '', OWNERS = ''] = codeBlocks(readPage('several-sites.md'))
  .filter(({ language }) => language === 'toml')
  .map(({ text }) => text);

const appOf = (name: string) =>
  `def application(environ, start_response):\n    start_response("200 OK", [])\n    return [b"${name} " + environ["PATH_INFO"].encode()]\n`;

const FILES = {
  'srv/shop/shop/__init__.py': '',
  'srv/shop/shop/wsgi.py': appOf('shop'),
  'srv/shop/static-collected/site.css': 'css',
  'srv/blog/app.py': appOf('blog'),
  'srv/files/index.html': 'files',
};

/** The example with all its paths below `home`. */
function placed(config: string, home: string): string {
  return config.replaceAll(/"(unix:)?\/(srv|etc|run)\//g, `"$1${home}/$2/`);
}

/** Asks over TLS; resolves to the names of the certificate and the answer. */
function ask(port: number, host: string, path: string, ca: string) {
  return new Promise<{ names: string; status: number; body: string; location: string | null }>((resolve, reject) => {
    let received = '';
    const socket = connect({ port, host: '127.0.0.1', servername: host, ca: readFileSync(ca) }, () =>
      socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
    );
    const names = () => socket.getPeerCertificate().subjectaltname ?? '';
    let seen = '';
    socket.once('secureConnect', () => (seen = names()));
    socket.on('data', (block: Buffer) => (received += block.toString('latin1')));
    socket.once('error', reject);
    socket.once('end', () => {
      const { status, body, header } = parseAnswer(received, 'GET');
      resolve({ names: seen, status, body, location: header('location') });
    });
  });
}

describe('an example of docs/several-sites.md', () => {
  it('serves each site with its certificate', { skip: NO_OPENSSL }, async (t: TestContext) => {
    const home = makeProject(t, FILES);
    const authority = new Authority(home);
    const directory = join(home, 'etc/viaduct/tls');
    mkdirSync(directory, { recursive: true });
    for (const [file, names] of [
      ['shop.example.org', ['shop.example.org']],
      ['blog.example.net', ['blog.example.net', 'www.blog.example.net']],
      ['example.com', ['*.example.com']],
    ] as const) {
      const pair = authority.issue(file, 'ec', names);
      writeFileSync(join(directory, `${file}.pem`), readFileSync(pair.certificate));
      writeFileSync(join(directory, `${file}.key`), readFileSync(pair.key));
    }
    writeFileSync(join(home, 'srv/viaduct.toml'), placed(SITES, home));
    const [plain, secure] = [await freePort(), await freePort()];
    await startViaduct(t, ['--access-log', 'off'], {
      cwd: join(home, 'srv'),
      listen: `http://127.0.0.1:${plain},https://127.0.0.1:${secure}`,
    });
    const get = (host: string, path = '/a?b') => ask(secure, host, path, authority.certificate);
    for (const [host, names, status, body, path] of [
      ['shop.example.org', 'DNS:shop.example.org', 200, 'shop /a', '/a?b'],
      ['shop.example.org', 'DNS:shop.example.org', 200, 'css', '/static/site.css'],
      ['blog.example.net', 'DNS:blog.example.net, DNS:www.blog.example.net', 200, 'blog /a', '/a?b'],
      ['files.example.com', 'DNS:*.example.com', 200, 'files', '/'],
      ['unknown.example.com', 'DNS:*.example.com', 404, 'There is no such site here.\n', '/'],
    ] as const) {
      const answer = await get(host, path);
      assert.deepEqual([answer.names, answer.status, answer.body], [names, status, body], host);
    }
    for (const [host, status, location] of [
      ['www.blog.example.net', 308, 'https://blog.example.net/a?b'],
      ['old.example.com', 301, 'https://shop.example.org/a?b'],
    ] as const) {
      const answer = await get(host);
      assert.deepEqual([answer.status, answer.location], [status, location]);
    }
    const { status, headers } = await fetch(`http://127.0.0.1:${plain}/a`, { redirect: 'manual' });
    assert.equal(status, 301);
    assert.match(headers.get('location') ?? '', /^https:/);
  });

  it('keeps the old code of an application that does not import, and may have the new code of the others', async (t) => {
    const files = { 'a/app.py': appOf('first'), 'b/app.py': appOf('first') };
    const apps = ['a', 'b'].map((name) => `[apps.${name}]\ntarget = "app:application"\nchdir = "${name}"\n`);
    const routes = ['a', 'b'].map((name) => `[[route]]\npath = "/${name}"\napp = "${name}"\n`);
    const cwd = makeProject(t, { ...files, 'viaduct.toml': [...apps, ...routes].join('') });
    const server = await startViaduct(t, ['--access-log', 'off'], { cwd });
    writeFileSync(join(cwd, 'a/app.py'), appOf('second'));
    writeFileSync(join(cwd, 'b/app.py'), 'raise RuntimeError("broken")\n');
    process.kill(server.pid, 'SIGHUP');
    await eventually('the log says so', () => /Cannot reload.*application b/.test(server.output()));
    assert.equal(await (await fetch(`${server.url}/b`)).text(), 'first /b');
    assert.match(await (await fetch(`${server.url}/a`)).text(), /^(first|second) \/a$/);
  });

  it('keeps the sites of different owners in servers of their own', async (t) => {
    const home = makeProject(t, FILES);
    for (const name of ['shop', 'blog']) mkdirSync(join(home, 'run', name), { recursive: true });
    for (const [name, target] of [
      ['shop', 'shop.wsgi:application'],
      ['blog', 'app:application'],
    ] as const) {
      const args = ['app', target, '--chdir', join(home, 'srv', name), '--workers', '1', '--access-log', 'off'];
      await startViaduct(t, args, { cwd: home, listen: `unix:${home}/run/${name}/app.sock` });
    }
    writeFileSync(join(home, 'srv/web.toml'), placed(OWNERS, home));
    const args = ['web', '--config', join(home, 'srv/web.toml'), '--access-log', 'off'];
    const web = await startViaduct(t, args, { cwd: home });
    for (const [host, body] of [
      ['shop.example.org', 'shop /a'],
      ['blog.example.net', 'blog /a'],
    ] as const) {
      const client = await SocketClient.open(web.port);
      client.send(`GET /a HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      assert.equal(await client.untilClosed(), 200);
      assert.ok(client.received.endsWith(body));
    }
  });
});
