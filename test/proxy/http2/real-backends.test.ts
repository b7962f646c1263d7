import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import {
  connect,
  createSecureServer,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import type { Request } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import type { Backend } from '../../../src/proxy/backend.ts';
import { Authority, NO_OPENSSL, type Pair } from '../../support/certificates.ts';
import { responseHead, startFrameBackend } from '../../support/frame-backend.ts';
import { ask, fetchWhole, openRequest, PROTOCOLS } from '../../support/http-client.ts';
import { DATA, END_STREAM } from '../../support/http2-frames.ts';
import { type Lifetime, suiteLifetime } from '../../support/lifetime.ts';
import { NO_NGINX, nginxSocket, startNginx } from '../../support/nginx.ts';
import { serveHandler } from '../../support/serve-handler.ts';
import { type ProxyServer, serveProxy } from '../../support/serve-proxy.ts';
import { SocketClient } from '../../support/socket-client.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { eventually } from '../../support/wait.ts';

type OnStream = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

async function listen(t: Lifetime, server: Http2Server, onStream: OnStream): Promise<number> {
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    onStream(stream, headers);
  });
  server.on('session', (session) => {
    session.on('error', () => {});
    t.after(() => session.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => void server.close());
  return (server.address() as AddressInfo).port;
}

function pem({ certificate, key }: Pair): { cert: Buffer; key: Buffer } {
  return { cert: readFileSync(certificate), key: readFileSync(key) };
}

const http2At = (port: number): Backend => ({ host: '127.0.0.1', port, protocol: 'http2' });

const LARGE = Buffer.alloc(3_000_000, 'abcdefghijk');

describe("Node's HTTP/2 server behind the proxy", () => {
  for (const protocol of PROTOCOLS) {
    describe(`for a client of ${protocol}`, () => {
      const suite = suiteLifetime();
      let proxy: ProxyServer;

      before(async () => {
        const port = await listen(suite, createServer(), (stream, headers) => {
          const path = headers[':path'];
          if (path === '/large') {
            stream.respond({ ':status': 200, 'content-length': LARGE.length });
            stream.end(LARGE);
          } else if (path === '/duplex') {
            stream.respond({ ':status': 200 });
            stream.on('data', (block: Buffer) => stream.write(block.toString().toUpperCase()));
            stream.on('end', () => stream.end());
          } else if (path === '/early') {
            stream.respond({ ':status': 413 });
            stream.end('too large');
          } else if (path === '/fields') {
            stream.respond({ ':status': 200 });
            stream.end(JSON.stringify(headers));
          } else if (path === '/304')
            stream.respond({ ':status': 304, etag: '"a"', 'content-length': 7 }, { endStream: true });
          else {
            let length = 0;
            stream.on('data', (block: Buffer) => {
              length += block.length;
            });
            stream.on('end', () => {
              stream.respond({ ':status': 200, 'x-method': headers[':method'] });
              stream.end(`${length}`);
            });
          }
        });
        proxy = await serveProxy(suite, [http2At(port)], { protocol });
      });

      it('answers GET and HEAD', async () => {
        const get = await fetchWhole(protocol, proxy.port, 'GET', '/large');
        assert.equal(get.text.length, LARGE.length);
        assert.ok(get.whole && get.text === LARGE.toString('latin1'));
        const head = await fetchWhole(protocol, proxy.port, 'HEAD', '/large');
        assert.deepEqual([head.status, head.headers['content-length'], head.text], [200, `${LARGE.length}`, '']);
        const same = await fetchWhole(protocol, proxy.port, 'GET', '/304');
        assert.deepEqual([same.status, same.headers.etag, same.text], [304, '"a"', '']);
      });

      it('receives content, with and without a length', async () => {
        for (const headers of [{ 'content-length': `${LARGE.length}` }, {}]) {
          const request = openRequest(protocol, proxy.port, 'POST', '/', headers);
          request.upload.end(LARGE);
          const { status, body } = await request.answer();
          const blocks: Buffer[] = [];
          for await (const block of body) blocks.push(block as Buffer);
          assert.deepEqual([status, Buffer.concat(blocks).toString()], [200, `${LARGE.length}`]);
          request.abandon();
        }
      });

      it('sends and receives at the same time', async () => {
        const request = openRequest(protocol, proxy.port, 'POST', '/duplex');
        request.upload.write('one');
        const { body } = await request.answer();
        const next = async (): Promise<string> => String((await once(body, 'data'))[0]);
        assert.equal(await next(), 'ONE');
        for (const word of ['two', 'three']) {
          const answered = next();
          request.upload.write(word);
          assert.equal(await answered, word.toUpperCase());
        }
        request.upload.end();
        await once(body, 'end');
        request.abandon();
      });

      it('may answer before it has the content', async () => {
        const request = openRequest(protocol, proxy.port, 'POST', '/early');
        request.upload.write('a');
        assert.equal((await request.answer()).status, 413);
        request.abandon();
      });

      it('gets the fields of HTTP/2', async () => {
        const { text } = await fetchWhole(protocol, proxy.port, 'GET', '/fields', {
          host: 'shop.example',
          cookie: 'a=b',
          te: 'trailers',
          'x-mixed': 'Value',
        });
        const fields = JSON.parse(text);
        assert.deepEqual(
          [fields[':method'], fields[':scheme'], fields[':path'], fields.te, fields['x-mixed'], fields.cookie],
          ['GET', 'http', '/fields', 'trailers', 'Value', 'a=b'],
        );
        assert.equal(fields[':authority'], 'shop.example');
        assert.equal(fields['x-forwarded-for'], '127.0.0.1');
        assert.deepEqual(
          [fields.host, fields.connection, fields['transfer-encoding']],
          [undefined, undefined, undefined],
        );
      });
    });
  }

  it('gets and sends trailers, and sends interim responses', async (t) => {
    const port = await listen(t, createServer(), (stream, headers) => {
      if (headers[':path'] === '/hints') stream.additionalHeaders({ ':status': 103, link: '</a.css>' });
      stream.on('trailers', (trailers) => {
        stream.respond({ ':status': 200 }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'x-back': trailers['x-sum'] ?? 'none' }));
        stream.end('content');
      });
      stream.resume();
    });
    const proxy = await serveProxy(t, [http2At(port)]);
    const client = await SocketClient.open(proxy.port);
    t.after(() => client.close());
    client.send(
      'POST /hints HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Sum: 42\r\n\r\n',
    );
    await client.until(/x-back: 42\r\n\r\n$/);
    assert.match(client.received, /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/a\.css>\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
    assert.match(client.received, /\r\n0\r\nx-back: 42\r\n\r\n$/);
  });
});

describe('a call of gRPC', () => {
  it('has streams in both directions, with trailers and te', async (t) => {
    const port = await listen(t, createServer(), (stream, headers) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-te': headers.te ?? 'none' }));
      stream.on('data', (message: Buffer) => stream.write(`got ${message}`));
      stream.on('end', () => stream.end());
    });
    const proxy = await serveProxy(t, [http2At(port)], { protocol: 'HTTP/2' });
    const session = connect(`http://127.0.0.1:${proxy.port}`);
    t.after(() => session.destroy());
    const fields = {
      ':method': 'POST',
      ':path': '/shop.Orders/Watch',
      'content-type': 'application/grpc',
      te: 'trailers',
    };
    const call = session.request(fields);
    const trailers = once(call, 'trailers');
    const [head] = await once(call, 'response');
    assert.deepEqual([head[':status'], head['content-type']], [200, 'application/grpc']);
    for (const message of ['one', 'two', 'three']) {
      const answered = once(call, 'data');
      call.write(message);
      assert.equal(`${(await answered)[0]}`, `got ${message}`);
    }
    call.end();
    const [received] = await trailers;
    assert.deepEqual([received['grpc-status'], received['x-te']], ['0', 'trailers']);
  });

  it('that fails at once has its status in the head', async (t) => {
    const port = await listen(t, createServer(), (stream) => {
      stream.respond({ ':status': 200, 'grpc-status': '12', 'content-type': 'application/grpc' }, { endStream: true });
    });
    const proxy = await serveProxy(t, [http2At(port)], { protocol: 'HTTP/2' });
    const { status, headers, text } = await fetchWhole('HTTP/2', proxy.port, 'POST', '/shop.Orders/Missing');
    assert.deepEqual([status, headers['grpc-status'], text], [200, '12', '']);
  });
});

describe("Viaduct's HTTP/2 server behind the proxy", () => {
  const askMany = (port: number, count: number) =>
    Promise.all(Array.from({ length: count }, (_, i) => ask(port, `/${i}`, { method: 'POST', body: `${i}` })));

  it('answers many requests at once over one connection', async (t) => {
    const backend = await serveHandler(t, ({ path }) => Response.text(200, path), { protocol: 'HTTP/2' });
    const proxy = await serveProxy(t, [http2At(backend.port)]);
    const answers = await askMany(proxy.port, 100);
    assert.ok(answers.every(({ status, body }, i) => status === 200 && body === `/${i}`));
    assert.equal(new Set(backend.requests.map(({ peer }) => peer.remotePort)).size, 1);
    assert.deepEqual(proxy.failures, []);
  });

  it('loses no request when it stops', async (t) => {
    const slow = async ({ path }: Request) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return Response.text(200, path);
    };
    const stopping = await serveHandler(t, slow, { protocol: 'HTTP/2' });
    const other = await serveHandler(t, slow, { protocol: 'HTTP/2' });
    const proxy = await serveProxy(t, [http2At(stopping.port), http2At(other.port)]);
    const answers = Promise.all([askMany(proxy.port, 40), askMany(proxy.port, 40)]);
    await eventually('requests arrive', () => stopping.requests.length > 10);
    await stopping.connections.drain();
    for (const { status, body } of (await answers).flat()) assert.deepEqual([status, body[0]], [200, '/']);
    assert.equal((await ask(proxy.port, '/')).status, 200);
    assert.equal(stopping.requests.length + other.requests.length, 81);
  });
});

describe('nginx behind the proxy, over HTTP/2', { skip: NO_NGINX }, () => {
  it('loses no request when it ends each connection after ten of them', async (t) => {
    const directory = temporaryDirectory(t);
    writeFileSync(join(directory, 'large.bin'), LARGE);
    const locations = 'location / { return 200 "$request_uri $server_protocol"; } location = /large.bin { }';
    const server = `server { listen unix:DIR/nginx.sock http2; root DIR; keepalive_requests 10; ${locations} }`;
    await startNginx(t, directory, server);
    const backend: Backend = { host: '', port: 0, path: nginxSocket(directory), protocol: 'http2' };
    const proxy = await serveProxy(t, [backend]);
    for (let round = 0; round < 4; round += 1) {
      const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => ask(proxy.port, `/${i}`)));
      assert.ok(answers.every(({ status, body }, i) => status === 200 && body === `/${i} HTTP/2.0`));
    }
    const large = await ask(proxy.port, '/large.bin');
    assert.ok(large.whole && large.body === LARGE.toString('latin1'));
    const [head, part] = [
      await ask(proxy.port, '/large.bin', { method: 'HEAD' }),
      await ask(proxy.port, '/large.bin', { headers: [['Range', 'bytes=10-19']] }),
    ];
    assert.deepEqual([head.status, head.body, head.header('content-length')], [200, '', `${LARGE.length}`]);
    assert.deepEqual([part.status, part.body], [206, LARGE.subarray(10, 20).toString()]);
    assert.deepEqual(proxy.failures, []);
  });
});

describe('a proxy of an HTTP/2 backend', () => {
  it('checks its health over HTTP/2', async (t) => {
    let status = 500;
    const backend = await serveHandler(t, () => Response.text(status, ''), { protocol: 'HTTP/2' });
    const checks = { path: '/health', host: null, statuses: [[200, 299]] as const, body: null, intervalMs: 20 };
    const counts = { timeoutMs: 5000, healthyAfter: 1, unhealthyAfter: 1 };
    const proxy = await serveProxy(t, [http2At(backend.port)], { checks: { ...checks, ...counts } });
    await proxy.proxy.start();
    await eventually('the backend is unhealthy', () => proxy.proxy.status()[0]?.state === 'unhealthy');
    status = 200;
    await eventually('the backend is healthy', () => proxy.proxy.status()[0]?.state === 'up');
    assert.equal(backend.requests[0]?.path, '/health');
  });

  it('sends no Upgrade, which HTTP/2 does not have', async (t) => {
    const backend = await serveHandler(t, () => Response.text(426, 'no'), { protocol: 'HTTP/2' });
    const proxy = await serveProxy(t, [http2At(backend.port)]);
    const client = await SocketClient.open(proxy.port);
    t.after(() => client.close());
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await client.until(/^HTTP\/1\.1 426 /);
    assert.doesNotMatch(backend.requests[0]?.headers.join() ?? '', /upgrade/i);
  });

  it('receives content completely before the backend is chosen, with buffer_request', async (t) => {
    const backend = await startFrameBackend(t, {
      onFrame(connection, { type, id, flags }) {
        if (type === DATA && (flags & END_STREAM) !== 0) connection.send(responseHead(id, [[':status', '204']]));
      },
    });
    const proxy = await serveProxy(t, [backend.backend], { bufferRequest: true });
    const request = openRequest('HTTP/1.1', proxy.port, 'POST', '/');
    request.upload.write('first');
    await eventually('the request has started', () => proxy.requests.length === 1);
    request.upload.end('second');
    assert.equal((await request.answer()).status, 204);
    assert.equal(backend.connections[0]?.sections.get(1)?.[0]?.['content-length'], '11');
  });
});

describe('HTTP/2 over TLS to a backend', { skip: NO_OPENSSL }, () => {
  const suite = suiteLifetime();
  let authority: Authority;
  let pair: Pair;

  before(() => {
    authority = new Authority(temporaryDirectory(suite));
    pair = authority.issue('backend', 'ec', ['backend.test']);
  });

  const serve = async (t: Lifetime): Promise<{ port: number; ca: Buffer }> => {
    const server = createSecureServer(pem(pair));
    const port = await listen(t, server, (stream, headers) => {
      stream.respond({ ':status': 200 });
      stream.end(`${headers[':scheme']} ${headers[':authority']}`);
    });
    return { port, ca: readFileSync(authority.certificate) };
  };

  it('checks the certificate, and negotiates h2', async (t) => {
    const { port, ca } = await serve(t);
    const backend: Backend = { host: '127.0.0.1', port, protocol: 'http2', tls: { ca, serverName: 'backend.test' } };
    const proxy = await serveProxy(t, [backend], { hostHeader: 'backend' });
    assert.equal((await ask(proxy.port, '/')).body, `https 127.0.0.1:${port}`);
    const untrusting = await serveProxy(t, [{ ...backend, tls: {} }]);
    assert.equal((await ask(untrusting.port, '/')).status, 502);
    assert.match(untrusting.failures.join(), new RegExp(`backend "h2://127.0.0.1:${port}": connect: `));
  });

  it('is 502 when the backend does not offer h2', async (t) => {
    for (const ALPNProtocols of [['http/1.1'], undefined]) {
      const server = createTlsServer({ ...pem(pair), ...(ALPNProtocols ? { ALPNProtocols } : {}) }, (socket) => {
        socket.on('error', () => {});
        t.after(() => socket.destroy());
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      t.after(() => server.close());
      const { port } = server.address() as AddressInfo;
      const proxy = await serveProxy(t, [{ host: '127.0.0.1', port, protocol: 'http2', tls: { verify: false } }]);
      assert.equal((await ask(proxy.port, '/')).status, 502);
      assert.match(
        proxy.failures.join(),
        /connect: (?:it does not offer HTTP\/2 in the TLS handshake|the TLS handshake found no common protocol) \(ALPN\)$/,
      );
    }
  });
});
