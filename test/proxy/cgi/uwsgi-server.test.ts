import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { deriveRequest } from '../../../src/http/derived-request.ts';
import { ask } from '../../support/http-client.ts';
import { suiteLifetime } from '../../support/lifetime.ts';
import { freePort, missing, startPeer } from '../../support/peer.ts';
import { type ProxyServer, serveProxy } from '../../support/serve-proxy.ts';
import { accepts } from '../../support/socket-client.ts';
import { ROOT } from '../../support/viaduct.ts';

const PROTOCOLS = ['uwsgi', 'scgi', 'fastcgi'] as const;

describe('uWSGI behind the proxy', { skip: missing('uwsgi') }, () => {
  const suite = suiteLifetime();
  const proxies = new Map<string, ProxyServer>();

  before(async () => {
    const ports = await Promise.all(PROTOCOLS.map(freePort));
    const sockets = PROTOCOLS.flatMap((protocol, i) => [`--${protocol}-socket`, `127.0.0.1:${ports[i]}`]);
    const app = ['--chdir', `${ROOT}/test/apps`, '--module', 'views:application', '--processes', '1', '--threads', '4'];
    await startPeer(suite, 'uwsgi', [...sockets, ...app, '--master', '--need-app', '--die-on-term'], {
      ready: async () => (await Promise.all(ports.map(accepts))).every(Boolean),
    });
    for (const [i, protocol] of PROTOCOLS.entries()) {
      const backend = { host: '127.0.0.1', port: ports[i] as number, protocol };
      proxies.set(
        protocol,
        await serveProxy(suite, [backend], {
          derive: (request) =>
            request.path.startsWith('/mounted/') ? deriveRequest(request, { scriptName: '/mounted' }) : request,
        }),
      );
    }
  });

  for (const protocol of PROTOCOLS) {
    const portOf = (): number => proxies.get(protocol)?.port ?? 0;

    it(`receives all parts of a request over ${protocol}`, async () => {
      const { body } = await ask(portOf(), '/mounted/a%20b/environ?x=%20&y', {
        headers: [
          ['X-Twice', '1'],
          ['X-Twice', '2'],
          ['Proxy', 'evil'],
          ['X_Forwarded_For', '6.6.6.6'],
          ['Connection', 'X-Gone'],
          ['X-Gone', '1'],
        ],
      });
      const environ = new Map(
        body.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
      );
      const expected = {
        REQUEST_METHOD: 'GET',
        REQUEST_URI: '/mounted/a%20b/environ?x=%20&y',
        SCRIPT_NAME: '/mounted',
        PATH_INFO: '/a b/environ',
        QUERY_STRING: 'x=%20&y',
        SERVER_PROTOCOL: 'HTTP/1.1',
        SERVER_NAME: 'test.example',
        SERVER_PORT: '80',
        REMOTE_ADDR: '127.0.0.1',
        HTTP_HOST: 'test.example',
        HTTP_X_TWICE: '1, 2',
        HTTP_X_FORWARDED_FOR: '127.0.0.1',
        HTTP_X_FORWARDED_PROTO: 'http',
      };
      for (const [name, value] of Object.entries(expected)) assert.equal(environ.get(name), value, name);
      for (const name of ['HTTP_PROXY', 'HTTP_X_GONE', 'HTTP_CONNECTION']) assert.equal(environ.has(name), false, name);
    });

    it(`receives content over ${protocol}: small, large and of unknown length`, async () => {
      const large = Buffer.alloc(3_000_000, 'abcdefghijklmnop').toString();
      for (const content of ['x', large]) {
        const answer = await ask(portOf(), '/echo', { method: 'POST', body: content });
        assert.ok(answer.status === 200 && answer.body === content, `${answer.status} ${answer.body.length}`);
      }
      const chunked = await ask(portOf(), '/echo', {
        method: 'POST',
        headers: [['Transfer-Encoding', 'chunked']],
        body: '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n',
      });
      assert.equal(chunked.body, 'hello world');
    });

    it(`answers over ${protocol} with streams, errors, redirects, cookies and no content`, async () => {
      const stream = await ask(portOf(), '/stream');
      assert.deepEqual([stream.status, stream.whole, stream.body.length], [200, true, 5 * 8 * 100]);
      const missingPage = await ask(portOf(), '/missing');
      assert.deepEqual([missingPage.status, missingPage.body], [404, 'no\n']);
      const unchanged = await ask(portOf(), '/unchanged');
      assert.deepEqual([unchanged.status, unchanged.header('etag'), unchanged.body], [304, '"x"', '']);
      const redirect = await ask(portOf(), '/cookies');
      assert.deepEqual([redirect.status, redirect.header('location')], [302, '/there']);
      const head = await ask(portOf(), '/', { method: 'HEAD' });
      assert.deepEqual([head.status, head.header('content-length'), head.body], [200, '5', '']);
    });

    it(`has its response broken off over ${protocol} when the application fails in the middle`, async () => {
      const broken = await ask(portOf(), '/broken').catch(() => null);
      assert.notEqual(broken?.whole, true);
    });
  }
});
