import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import type { BodySink, BodySource, Request } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import { BlockSource } from '../../support/block-source.ts';
import { encodeRequest, readRecords, record, variablesOf } from '../../support/cgi-frames.ts';
import { serveHandler } from '../../support/serve-handler.ts';
import { SocketClient } from '../../support/socket-client.ts';
import { eventually } from '../../support/wait.ts';

const PROTOCOLS = ['uwsgi', 'scgi', 'fastcgi'] as const;
type Protocol = (typeof PROTOCOLS)[number];

/** The answer without its framing, so that it starts with the status, and whether it is complete. */
function answerOf(protocol: Protocol, received: string): { text: string; whole: boolean } {
  if (protocol !== 'fastcgi') return { text: received.replace(/^(?:HTTP\/1\.1|Status:) /, ''), whole: true };
  const { stdout, ended } = readRecords(received);
  return { text: stdout.replace(/^Status: /, ''), whole: ended };
}

/** Content that comes block by block. */
function blocksOf(blocks: readonly Buffer[]): BodySource {
  let next = 0;
  let paused = false;
  let sink: BodySink | null = null;
  const give = (): void => {
    if (paused || sink === null) return;
    const block = blocks[next];
    next += 1;
    if (block !== undefined) {
      sink.write(block);
      setImmediate(give);
    } else sink.end();
  };
  return {
    start(receiver) {
      sink = receiver;
      give();
    },
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
      setImmediate(give);
    },
    cancel() {
      sink = null;
    },
  };
}

/** The content of a request as text. */
function contentOf({ body }: Request): Promise<string> {
  if (body === null) return Promise.resolve('');
  return new Promise((resolve, reject) => {
    let text = '';
    body.start({
      write(block) {
        text += Buffer.from(block).toString('latin1');
      },
      end: () => resolve(text),
      fail: reject,
    });
  });
}

for (const protocol of PROTOCOLS) {
  describe(`a request over ${protocol}`, () => {
    it('has the values of a field that comes several times', async (t) => {
      let seen: Request | undefined;
      const server = await serveHandler(
        t,
        (request) => {
          seen = request;
          return Response.text(200, 'hello');
        },
        { protocol },
      );
      for (const [target, received] of [
        ['/a?', '/a?'],
        ['/a', ''],
      ] as const) {
        const client = await SocketClient.open(server.port);
        const variables = variablesOf({ REQUEST_URI: target, PATH_INFO: '/a', HTTP_X_A: '1', HTTP_COOKIE: 'a=1' });
        client.send(
          encodeRequest(protocol, [
            ...variables,
            ['HTTP_X_A', '2'],
            ['HTTP_COOKIE', 'b=2'],
            ['MINE', '1'],
            ['MINE', '2'],
          ]),
        );
        await client.untilClosed();
        const fields = seen?.headers ?? [];
        const value = (name: string) => fields[fields.indexOf(name) + 1];
        assert.deepEqual([value('X-A'), value('Cookie'), seen?.received], ['1, 2', 'a=1; b=2', received]);
      }
      const client = await SocketClient.open(server.port);
      client.send(encodeRequest(protocol, [...variablesOf(), ['HTTP_HOST', 'b.example']]));
      await client.untilClosed();
      assert.match(answerOf(protocol, client.received).text, /^400 /, 'two hosts');
    });

    it('gets its properties from its variables', async (t) => {
      const server = await serveHandler(t, () => Response.text(200, 'hello'), { protocol });
      const client = await SocketClient.open(server.port);
      const variables = variablesOf({
        REQUEST_METHOD: 'DELETE',
        REQUEST_URI: '/shop/caf%C3%A9/a%2Fb?x=%20y&z',
        SCRIPT_NAME: '/shop',
        PATH_INFO: '/caf\xc3\xa9/a/b',
        QUERY_STRING: 'x=%20y&z',
        HTTPS: 'on',
        SERVER_PORT: '8443',
        CONTENT_LENGTH: '',
        HTTP_X_LONG: 'v'.repeat(300),
        HTTP_PROXY: 'http://evil/',
        HTTP_CONNECTION: 'close, X-Long',
        HTTP_TRANSFER_ENCODING: 'chunked',
      });
      const octets = encodeRequest(protocol, [
        ['CONTENT_LENGTH', '0'],
        ...variables.filter(([name]) => name !== 'CONTENT_LENGTH'),
      ]);
      client.send(octets);
      await client.untilClosed();
      const [request] = server.requests as [Request];
      assert.deepEqual(
        [request.method, request.path, request.query, request.scriptName, request.protocol, request.host],
        ['DELETE', '/shop/caf%C3%A9/a%2Fb', 'x=%20y&z', '/shop', 'HTTP/1.1', 'test.example'],
      );
      assert.deepEqual(request.headers, ['Host', 'test.example', 'X-Long', 'v'.repeat(300)]);
      const { remoteAddress, remotePort, secure, serverPort } = request.peer;
      assert.deepEqual([remoteAddress, remotePort, secure, serverPort], ['192.0.2.7', 4711, true, '8443']);
      const { text, whole } = answerOf(protocol, client.received);
      assert.match(
        text,
        /^200 OK\r\nContent-Type: text\/plain; charset=utf-8\r\nContent-Length: 5\r\nDate: .*\r\nServer: viaduct\r\n\r\nhello$/,
      );
      assert.ok(whole);
      assert.deepEqual(server.statuses, [200]);
    });

    it('has its content, however the bytes are split', async (t) => {
      const server = await serveHandler(t, async (request) => Response.text(200, await contentOf(request)), {
        protocol,
      });
      const content = 'some content of this request';
      const variables = variablesOf({
        CONTENT_LENGTH: `${content.length}`,
        REQUEST_METHOD: 'POST',
        CONTENT_TYPE: 'text/x',
      });
      const octets = encodeRequest(protocol, variables, content);
      for (const step of [1, 7, octets.length]) {
        const client = await SocketClient.open(server.port);
        for (let at = 0; at < octets.length; at += step) {
          client.send(octets.slice(at, at + step));
          await new Promise((resolve) => setImmediate(resolve));
        }
        await client.untilClosed();
        assert.ok(answerOf(protocol, client.received).text.endsWith(`\r\n\r\n${content}`), `in steps of ${step}`);
      }
      assert.deepEqual(server.requests[0]?.headers.slice(-4), [
        'Content-Type',
        'text/x',
        'Content-Length',
        `${content.length}`,
      ]);
    });

    it('gets long content, and no content for HEAD', async (t) => {
      const blocks = Array.from({ length: 40 }, (_, i) => Buffer.alloc(50_000, 97 + (i % 26)));
      const server = await serveHandler(t, () => Response.fromHeaders(200, [], blocksOf(blocks)), { protocol });
      const client = await SocketClient.open(server.port);
      client.send(encodeRequest(protocol, variablesOf()));
      await client.untilClosed();
      const { text, whole } = answerOf(protocol, client.received);
      assert.ok(whole && text.endsWith(`\r\n\r\n${Buffer.concat(blocks).toString('latin1')}`));
      const head = await SocketClient.open(server.port);
      head.send(encodeRequest(protocol, variablesOf({ REQUEST_METHOD: 'HEAD' })));
      await head.untilClosed();
      assert.match(answerOf(protocol, head.received).text, /^200 OK\r\n[\s\S]*\r\n\r\n$/);
    });

    it('ends visibly incomplete when its response breaks off', async (t) => {
      const content = new BlockSource();
      const server = await serveHandler(t, () => Response.fromHeaders(200, ['Content-Length', '10'], content), {
        protocol,
      });
      const client = await SocketClient.open(server.port);
      const failed = once(client.socket, 'error');
      client.send(encodeRequest(protocol, variablesOf()));
      const sink = await content.sink;
      sink.write(Buffer.from('part'));
      await client.until(/part/);
      sink.fail(new Error('no more'));
      if (protocol !== 'fastcgi') assert.equal((await failed)[0].code, 'ECONNRESET');
      await client.untilClosed();
      if (protocol === 'fastcgi') assert.equal(readRecords(client.received).ended, false);
    });

    it('calls onGone when the front-end proxy gives it up', async (t) => {
      let gone = false;
      const server = await serveHandler(
        t,
        (request) => {
          request.onGone = () => {
            gone = true;
          };
          return new Promise(() => {});
        },
        { protocol },
      );
      const client = await SocketClient.open(server.port);
      client.send(encodeRequest(protocol, variablesOf()));
      await eventually('the request arrives', () => server.requests.length === 1);
      if (protocol === 'fastcgi') client.close();
      else client.socket.resetAndDestroy();
      await eventually('the request is gone', () => gone);
    });

    for (const [what, changes, status] of [
      ['an invalid method', { REQUEST_METHOD: 'GE T' }, 400],
      ['CONNECT', { REQUEST_METHOD: 'CONNECT' }, 405],
      ['a control character in a field', { HTTP_X: 'a\r\nX-Evil: 1' }, 400],
      ['a control character in a name', { 'HTTP_X: 1\r\nX_EVIL': 'a' }, 400],
      ['an invalid length', { CONTENT_LENGTH: '+5' }, 400],
      ['content that is too long', { CONTENT_LENGTH: '5000' }, 413],
      ['chunks that the front-end proxy streams', { CONTENT_LENGTH: '', HTTP_TRANSFER_ENCODING: 'chunked' }, 411],
      ['a path with a control character', { REQUEST_URI: '/a b', PATH_INFO: null }, 400],
      ['no path', { REQUEST_URI: null, PATH_INFO: null }, 400],
      ['a prefix that is not a path', { SCRIPT_NAME: 'shop' }, 400],
      ['an invalid host', { HTTP_HOST: 'a b' }, 400],
      ['fields that are too long', { HTTP_X: 'v'.repeat(40_000) }, 431],
    ] as const) {
      it(`is refused for ${what}`, async (t) => {
        const server = await serveHandler(t, () => Response.text(200, 'served'), {
          protocol,
          limits: { bodyBytesMax: 4000 },
        });
        const client = await SocketClient.open(server.port);
        client.send(encodeRequest(protocol, variablesOf(changes)));
        await client.untilClosed();
        assert.equal(answerOf(protocol, client.received).text.slice(0, 3), `${status}`);
        assert.equal(server.requests.length, 0);
        assert.ok(server.refused.length > 0);
      });
    }

    it('is answered before the server stops, while idle connections close at once', async (t) => {
      let answer: (response: Response) => void = () => {};
      const server = await serveHandler(t, () => new Promise((resolve) => (answer = resolve)), { protocol });
      const idle = await SocketClient.open(server.port);
      const busy = await SocketClient.open(server.port);
      busy.send(encodeRequest(protocol, variablesOf(), '', true));
      await eventually('the request arrives', () => server.requests.length === 1);
      const drained = server.connections.drain();
      await idle.untilClosed();
      answer(Response.text(200, 'last'));
      await drained;
      await busy.untilClosed();
      assert.match(answerOf(protocol, busy.received).text, /last$/);
    });
  });
}

describe('the path of a CGI request', () => {
  for (const [what, changes, path, scriptName] of [
    ['REQUEST_URI alone, as with scgi_params', { PATH_INFO: null, REQUEST_URI: '/a%20b/c?d' }, '/a%20b/c', ''],
    [
      'all in SCRIPT_NAME, as with fastcgi_params',
      { PATH_INFO: null, SCRIPT_NAME: '/a b', REQUEST_URI: '/a%20b' },
      '/a%20b',
      '',
    ],
    ['DOCUMENT_URI alone', { PATH_INFO: null, REQUEST_URI: null, DOCUMENT_URI: '/a b' }, '/a%20b', ''],
    ['an absolute URI', { PATH_INFO: '/x', REQUEST_URI: 'http://a.example/x' }, '/x', ''],
    ['a path that the front-end proxy rewrote', { PATH_INFO: '/new path', REQUEST_URI: '/old' }, '/new%20path', ''],
    [
      'a prefix that the front-end proxy rewrote',
      { SCRIPT_NAME: '/s p', PATH_INFO: '/x', REQUEST_URI: '/old' },
      '/s%20p/x',
      '/s%20p',
    ],
    [
      'an encoded prefix',
      { SCRIPT_NAME: '/s p', PATH_INFO: '/x%', REQUEST_URI: '/s%20p/x%25' },
      '/s%20p/x%25',
      '/s%20p',
    ],
    ['a prefix with a slash at its end', { SCRIPT_NAME: '/s/', PATH_INFO: '/x', REQUEST_URI: '/s/x' }, '/s/x', '/s'],
    ['nothing after the prefix', { SCRIPT_NAME: '/s', PATH_INFO: '', REQUEST_URI: '/s' }, '/s', '/s'],
    ['two slashes', { PATH_INFO: '//a//b', REQUEST_URI: '//a//b' }, '//a//b', ''],
  ] as const) {
    it(`comes from ${what}`, async (t) => {
      const server = await serveHandler(t, () => Response.text(200, 'served'), { protocol: 'uwsgi' });
      const client = await SocketClient.open(server.port);
      client.send(encodeRequest('uwsgi', variablesOf(changes)));
      await client.untilClosed();
      const [request] = server.requests;
      assert.deepEqual([request?.path, request?.scriptName], [path, scriptName], client.received);
    });
  }
});

describe('the variables of a CGI request that are for the application', () => {
  const USER = { REMOTE_USER: 'jane', AUTH_TYPE: 'Basic' };

  for (const protocol of PROTOCOLS) {
    it(`are those that are not about the request, over ${protocol}`, async (t) => {
      const server = await serveHandler(t, () => Response.text(200, 'served'), { protocol });
      const own = { DOCUMENT_ROOT: '/srv', SSL_CLIENT_CERT: '-----BEGIN\n\tAAA\n', MY_VAR: 'm\xe9', constructor: 'a' };
      const others = {
        ...{
          EMPTY: '',
          'wsgi.input': 'a',
          'uwsgi.node': 'a',
          __proto: 'a',
          'A-B': 'a',
          '1A': 'a',
          [`A${'B'.repeat(300)}`]: 'a',
        },
        ...{ PATH: '/bin', LD_LIBRARY_PATH: '/lib', SERVER_SOFTWARE: 'nginx', RAW_URI: '/evil', HTTPS: 'on' },
        ...{ REQUEST_SCHEME: 'https', UWSGI_SCHEME: 'https', HTTP_X_FIELD: 'a', CONTENT_TYPE: 'a/b' },
      };
      const client = await SocketClient.open(server.port);
      client.send(
        encodeRequest(protocol, variablesOf({ SERVER_NAME: 'shop.example:8443', ...own, ...others, ...USER })),
      );
      await client.untilClosed();
      const { variables = [], user = [] } = server.requests[0]?.peer.cgi ?? {};
      const named = new Map(variables.flatMap((name, i) => (i % 2 === 0 ? [[name, variables[i + 1]] as const] : [])));
      named.delete('SCGI');
      const expected = { SERVER_NAME: 'shop.example', ...own, ...(protocol === 'fastcgi' ? {} : USER) };
      assert.deepEqual(Object.fromEntries(named), expected);
      assert.deepEqual(user, protocol === 'fastcgi' ? Object.entries(USER).flat() : []);
    });
  }

  for (const name of ['', '_ _', '~^www\\.', 'a/b', 'a@b', ':80']) {
    it(`have no SERVER_NAME when the front-end proxy sends ${JSON.stringify(name)}`, async (t) => {
      const server = await serveHandler(t, () => Response.text(200, 'served'), { protocol: 'uwsgi' });
      const client = await SocketClient.open(server.port);
      client.send(encodeRequest('uwsgi', variablesOf({ SERVER_NAME: name })));
      await client.untilClosed();
      assert.deepEqual(server.requests[0]?.peer.cgi?.variables, []);
    });
  }
});

describe('the client of a CGI request', () => {
  for (const [value, address] of [
    ['2001:db8::1', '2001:db8::1'],
    ['::ffff:192.0.2.9', '192.0.2.9'],
    ['unix:', ''],
    ['', '0.0.0.0'],
    ['localhost', '0.0.0.0'],
  ] as const) {
    it(`has the address "${address}" when REMOTE_ADDR is "${value}"`, async (t) => {
      const server = await serveHandler(t, () => Response.text(200, 'served'), { protocol: 'scgi' });
      const client = await SocketClient.open(server.port);
      client.send(encodeRequest('scgi', variablesOf({ REMOTE_ADDR: value })));
      await client.untilClosed();
      assert.equal(server.requests[0]?.peer.remoteAddress, address);
    });
  }
});

describe('a FastCGI connection', () => {
  it('carries one request after another when the front-end proxy keeps it', async (t) => {
    const server = await serveHandler(t, ({ peer }) => Response.text(200, peer.remoteAddress), { protocol: 'fastcgi' });
    const client = await SocketClient.open(server.port);
    for (const address of ['192.0.2.1', '192.0.2.2']) {
      client.received = '';
      client.send(encodeRequest('fastcgi', variablesOf({ REMOTE_ADDR: address }), '', true));
      await eventually('the request is answered', () => readRecords(client.received).ended);
      assert.match(readRecords(client.received).stdout, new RegExp(`${address}$`));
    }
    assert.equal(client.socket.destroyed, false);
    client.close();
  });

  it('refuses a second request at the same time', async (t) => {
    const server = await serveHandler(t, () => new Promise(() => {}), { protocol: 'fastcgi' });
    const client = await SocketClient.open(server.port);
    client.send(encodeRequest('fastcgi', variablesOf(), '', true));
    client.send(record(1, '\0\x01\x01\0\0\0\0\0', 2));
    await eventually('the request is refused', () => readRecords(client.received).ended);
    assert.equal(readRecords(client.received).status, 1);
    client.close();
  });

  it('refuses roles other than responder', async (t) => {
    const server = await serveHandler(t, () => Response.text(200, ''), { protocol: 'fastcgi' });
    const client = await SocketClient.open(server.port);
    client.send(record(1, '\0\x02\x01\0\0\0\0\0'));
    await eventually('the request is refused', () => readRecords(client.received).ended);
    assert.equal(readRecords(client.received).status, 3);
    client.close();
  });

  it('answers GET_VALUES and unknown management records', async (t) => {
    const server = await serveHandler(t, () => Response.text(200, ''), { protocol: 'fastcgi' });
    const client = await SocketClient.open(server.port);
    client.send(record(9, '\x0f\0FCGI_MPXS_CONNS\x03\0abc', 0) + record(77, '', 0));
    await eventually('both are answered', () => readRecords(client.received).types.length === 2);
    assert.deepEqual(readRecords(client.received).types, [10, 11]);
    assert.ok(client.received.includes('\x0f\x01FCGI_MPXS_CONNS0'));
    client.close();
  });

  it('ends a request and continues when the front-end proxy aborts it', async (t) => {
    let gone = false;
    const server = await serveHandler(
      t,
      (request) => {
        if (gone) return Response.text(200, 'next');
        request.onGone = () => {
          gone = true;
        };
        return new Promise(() => {});
      },
      { protocol: 'fastcgi' },
    );
    const client = await SocketClient.open(server.port);
    client.send(encodeRequest('fastcgi', variablesOf(), '', true));
    await eventually('it is there', () => server.requests.length === 1);
    client.send(record(2, ''));
    await eventually('the request has ended', () => gone && readRecords(client.received).ended);
    client.received = '';
    client.send(encodeRequest('fastcgi', variablesOf(), '', true));
    await eventually('the next request is answered', () => /next$/.test(readRecords(client.received).stdout));
    client.close();
  });
});
