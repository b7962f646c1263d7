import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { subrequest, subrequests } from '../../src/proxy/subrequest.ts';
import { NO_OPENSSL } from '../support/certificates.ts';
import { ask, Pipeline } from '../support/http-client.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { NO_NGINX, nginxSocket, startNginx } from '../support/nginx.ts';
import { type ProxyServer, serveProxy } from '../support/serve-proxy.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const DIRECTIVES = `
  location / { }
  location = /echo { default_type text/plain; return 200 "$request_method $request_uri $http_host $http_x_forwarded_for $connection_requests"; }
  location = /private { return 401; add_header X-Who "nobody" always; }
  location = /teapot { return 204; }
`;

describe('nginx behind the proxy', { skip: NO_NGINX }, () => {
  const suite = suiteLifetime();
  let socketPath: string;
  let proxy: ProxyServer;
  const large = Buffer.alloc(3_000_000, 'abcdefghijk');

  before(async () => {
    const directory = temporaryDirectory(suite);
    writeFileSync(join(directory, 'small.txt'), 'small\n');
    writeFileSync(join(directory, 'large.bin'), large);
    await startNginx(suite, directory, `server { listen unix:DIR/nginx.sock; root DIR; ${DIRECTIVES} }`);
    socketPath = nginxSocket(directory);
    proxy = await serveProxy(suite, [{ host: '', port: 0, path: socketPath }]);
  });

  it('serves files, small and large, with conditions and ranges', async () => {
    const small = await ask(proxy.port, '/small.txt');
    assert.deepEqual([small.status, small.body], [200, 'small\n']);
    assert.match(small.header('server') ?? '', /^nginx/);
    const tag = small.header('etag') ?? '';
    const same = await ask(proxy.port, '/small.txt', { headers: [['If-None-Match', tag]] });
    assert.deepEqual([same.status, same.whole], [304, true]);
    const part = await ask(proxy.port, '/large.bin', { headers: [['Range', 'bytes=1000000-1000009']] });
    assert.deepEqual([part.status, part.body], [206, large.subarray(1_000_000, 1_000_010).toString()]);
    const whole = await ask(proxy.port, '/large.bin');
    assert.equal(whole.whole && whole.body === large.toString('latin1'), true);
    const head = await ask(proxy.port, '/large.bin', { method: 'HEAD' });
    assert.deepEqual([head.body, head.header('content-length')], ['', `${large.length}`]);
  });

  it('receives all requests of one client over one connection', async () => {
    const client = await Pipeline.open(proxy.port);
    await ask(proxy.port, '/small.txt');
    const first = await client.get('/echo?a=b');
    assert.match(first[0]?.body ?? '', /^GET \/echo\?a=b test\.example 127\.0\.0\.1 \d+$/);
    const counts: number[] = [];
    for (let i = 0; i < 5; i += 1) counts.push(Number((await client.get('/echo'))[0]?.body.split(' ').at(-1)));
    const start = counts[0] as number;
    assert.deepEqual(counts, [start, start + 1, start + 2, start + 3, start + 4]);
    client.close();
  });

  it('answers pipelined requests in order', async () => {
    const client = await Pipeline.open(proxy.port);
    const paths = Array.from({ length: 50 }, (_, i) => `/echo?${i}`);
    const answers = await client.get(...paths);
    assert.deepEqual(
      answers.map(({ body }) => body.split(' ')[1]),
      paths,
    );
    assert.equal(client.excess, '');
    client.close();
  });

  it('has its 404 and 204 passed on', async () => {
    assert.equal((await ask(proxy.port, '/missing')).status, 404);
    const none = await ask(proxy.port, '/teapot');
    assert.deepEqual([none.status, none.body, none.header('content-length')], [204, '', null]);
  });

  it('answers a subrequest', async () => {
    const backend = { host: '', port: 0, path: socketPath };
    const asked = { method: 'GET', path: '/private?x', headers: ['Host', 'a.example', 'Cookie', 'a=b'] };
    const { status, headers } = await subrequest(backend, asked, 5000);
    assert.equal(status, 401);
    assert.equal(headers[headers.indexOf('X-Who') + 1], 'nobody');
    const asking = subrequests(backend, 5000, 4);
    const count = { ...asked, path: '/echo' };
    for (let i = 0; i < 3; i += 1) assert.equal((await asking.ask(count)).status, 200);
    asking.stop();
    const nobody = { host: '', port: 0, path: `${socketPath}.missing` };
    await assert.rejects(subrequest(nobody, asked, 5000), /connect: the socket does not exist/);
  });
});

describe('a subrequest', () => {
  it('fails with a TimeoutError when its backend does not answer in time', async (t) => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    t.after(() => silent.close());
    await once(silent, 'listening');
    const service = subrequests({ host: '127.0.0.1', port: (silent.address() as AddressInfo).port }, 50, 0);
    t.after(() => service.stop());
    await assert.rejects(service.ask({ method: 'GET', path: '/', headers: [] }), { name: 'TimeoutError' });
  });
});

describe('a backend with TLS', { skip: NO_OPENSSL }, () => {
  let directory = '';
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: directory, stdio: 'ignore' });

  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'viaduct-tls-'));
    const name = ['-subj', '/CN=app.test', '-addext', 'subjectAltName=DNS:app.test', '-days', '2'];
    openssl(
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      'key',
      '-out',
      'cert',
      ...name,
    );
  });

  after(() => rmSync(directory, { recursive: true, force: true }));

  for (const [description, tls, status] of [
    ['answers when its certificate is trusted', { serverName: 'app.test', trusted: true }, 200],
    ['causes 502 when its certificate is not trusted', { serverName: 'app.test' }, 502],
    ['causes 502 when its certificate has another name', { serverName: 'other.test', trusted: true }, 502],
    ['answers when nothing is verified', { verify: false }, 200],
  ] as const) {
    it(description, async (t) => {
      const cert = readFileSync(join(directory, 'cert'));
      const server = createTlsServer({ key: readFileSync(join(directory, 'key')), cert }, (socket) => {
        socket.on('error', () => {});
        socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret'));
      });
      server.on('tlsClientError', () => {});
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { trusted = false, ...options } = { trusted: false, ...tls };
      const backend = {
        host: '127.0.0.1',
        port: (server.address() as AddressInfo).port,
        tls: { ...options, ...(trusted ? { ca: cert } : {}) },
      };
      const proxy = await serveProxy(t, [backend]);
      t.after(() => void server.close());
      for (let i = 0; i < 2; i += 1) assert.equal((await ask(proxy.port, '/')).status, status);
      if (status === 502)
        assert.match(proxy.failures[0] ?? '', /^Cannot get a response from backend "https:\S+": connect: /);
    });
  }
});
