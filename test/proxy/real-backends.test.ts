import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { subrequest, subrequests } from '../../src/proxy/subrequest.ts';
import { ask } from '../support/http-client.ts';
import { NginxBackend, NO_NGINX } from '../support/nginx-backend.ts';
import { Pipeline } from '../support/pipeline.ts';
import { ProxyFront } from '../support/proxy-front.ts';

const DIRECTIVES = `
  location / { }
  location = /echo { default_type text/plain; return 200 "$request_method $request_uri $http_host $http_x_forwarded_for $connection_requests"; }
  location = /private { return 401; add_header X-Who "nobody" always; }
  location = /teapot { return 204; }
`;

describe('nginx behind the proxy', { skip: NO_NGINX }, () => {
  let nginx: NginxBackend;
  let front: ProxyFront;
  const large = Buffer.alloc(3_000_000, 'abcdefghijk');

  before(async () => {
    nginx = await NginxBackend.start(DIRECTIVES, (directory) => {
      writeFileSync(join(directory, 'small.txt'), 'small\n');
      writeFileSync(join(directory, 'large.bin'), large);
    });
    front = await ProxyFront.start([{ host: '', port: 0, path: nginx.socketPath }]);
  });

  after(async () => {
    front.stop();
    await nginx.stop();
  });

  it('serves files, small and large, conditions and ranges', async () => {
    const small = await ask(front.port, '/small.txt');
    assert.deepEqual([small.status, small.body], [200, 'small\n']);
    assert.match(small.header('server') ?? '', /^nginx/);
    const tag = small.header('etag') ?? '';
    const same = await ask(front.port, '/small.txt', { headers: [['If-None-Match', tag]] });
    assert.deepEqual([same.status, same.whole], [304, true]);
    const part = await ask(front.port, '/large.bin', { headers: [['Range', 'bytes=1000000-1000009']] });
    assert.deepEqual([part.status, part.body], [206, large.subarray(1_000_000, 1_000_010).toString()]);
    const whole = await ask(front.port, '/large.bin');
    assert.equal(whole.whole && whole.body === large.toString('latin1'), true);
    const head = await ask(front.port, '/large.bin', { method: 'HEAD' });
    assert.deepEqual([head.body, head.header('content-length')], ['', `${large.length}`]);
  });

  it('gets all requests of one client over one connection', async () => {
    const client = await Pipeline.open(front.port);
    await ask(front.port, '/small.txt');
    const first = await client.get('/echo?a=b');
    assert.match(first[0]?.body ?? '', /^GET \/echo\?a=b test\.example 127\.0\.0\.1 \d+$/);
    const counts: number[] = [];
    for (let i = 0; i < 5; i += 1) counts.push(Number((await client.get('/echo'))[0]?.body.split(' ').at(-1)));
    const start = counts[0] as number;
    assert.deepEqual(counts, [start, start + 1, start + 2, start + 3, start + 4]);
    client.close();
  });

  it('answers pipelined requests in order', async () => {
    const client = await Pipeline.open(front.port);
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
    assert.equal((await ask(front.port, '/missing')).status, 404);
    const none = await ask(front.port, '/teapot');
    assert.deepEqual([none.status, none.body, none.header('content-length')], [204, '', null]);
  });

  it('answers a request of our own', async () => {
    const backend = { host: '', port: 0, path: nginx.socketPath };
    const asked = { method: 'GET', path: '/private?x', headers: ['Host', 'a.example', 'Cookie', 'a=b'] };
    const { status, headers } = await subrequest(backend, asked, 5000);
    assert.equal(status, 401);
    assert.equal(headers[headers.indexOf('X-Who') + 1], 'nobody');
    const asking = subrequests(backend, 5000, 4);
    const count = { ...asked, path: '/echo' };
    for (let i = 0; i < 3; i += 1) assert.equal((await asking.ask(count)).status, 200);
    asking.stop();
    const nobody = { host: '', port: 0, path: `${nginx.socketPath}.missing` };
    await assert.rejects(subrequest(nobody, asked, 5000), /connect: there is no such socket/);
  });
});

const NO_OPENSSL = spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not installed';

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

  for (const [what, tls, status] of [
    ['passes when its certificate is trusted', { serverName: 'app.test', trusted: true }, 200],
    ['gets 502 when its certificate is not trusted', { serverName: 'app.test' }, 502],
    ['gets 502 when its certificate has another name', { serverName: 'other.test', trusted: true }, 502],
    ['passes when nothing is verified', { verify: false }, 200],
  ] as const) {
    it(what, async (t) => {
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
      const front = await ProxyFront.start([backend]);
      t.after(() => {
        front.stop();
        server.close();
      });
      for (let i = 0; i < 2; i += 1) assert.equal((await ask(front.port, '/')).status, status);
      if (status === 502)
        assert.match(front.failures[0] ?? '', /^Cannot get a response from backend "https:\S+": connect: /);
    });
  }
});
