import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { type Gallery, startGallery } from '../support/gallery.ts';
import { ask } from '../support/http-client.ts';
import { encode, type HttpAnswer, type HttpRequest, parseAnswer } from '../support/http-message.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { SocketClient } from '../support/socket-client.ts';
import { APPS, startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually, isRunning } from '../support/wait.ts';

/** Variables of a request, of the server and of the test's application. */
const OF_SERVER =
  /^(?:wsgi\.|HTTP_|REMOTE_|REQUEST_|SERVER_|type of|process of)|^(?:PATH_INFO|QUERY_STRING|RAW_URI|SCRIPT_NAME)$/;

/** Fields that a client may see although no application set them. */
const OWN_FIELDS = new Set(['date', 'server', 'connection']);

describe('PEP 3333: the request and start_response', () => {
  const suite = suiteLifetime();
  let gallery: Gallery;
  let viaduct: Viaduct;

  before(async () => {
    gallery = await startGallery(suite, {
      VIADUCT_ENVIRON_VARIABLES: 'PATH,OF_THE_*,HTTP_*,CONTENT_LENGTH',
      OF_THE_PROCESS: 'caf\u00e9',
      DATABASE_URL: 'postgres://user:password@localhost/',
      HTTP_PROXY: 'http://evil.example',
      HTTP_X_FAKE: 'yes',
      CONTENT_LENGTH: '5',
    });
    viaduct = gallery.viaduct;
  });

  const get = (target: string, request?: HttpRequest): Promise<HttpAnswer> => gallery.get(target, request);
  const logged = (pattern: RegExp): Promise<void> => gallery.logged(pattern);

  describe('the environ', () => {
    const environ = async (target: string, request?: HttpRequest): Promise<Record<string, unknown>> =>
      JSON.parse((await get(target, request)).body) as Record<string, unknown>;

    it('has what CGI and PEP 3333 require when a plain GET comes', async () => {
      const seen = await environ('/environs/some/path?a=1&b=%20');
      const expected = {
        REQUEST_METHOD: 'GET',
        SCRIPT_NAME: '',
        PATH_INFO: '/environs/some/path',
        QUERY_STRING: 'a=1&b=%20',
        SERVER_NAME: '127.0.0.1',
        SERVER_PORT: `${viaduct.port}`,
        SERVER_PROTOCOL: 'HTTP/1.1',
        REMOTE_ADDR: '127.0.0.1',
        HTTP_HOST: 'test.example',
        'wsgi.version': ['tuple', '(1, 0)'],
        'wsgi.url_scheme': 'http',
        'wsgi.multithread': ['bool', 'True'],
        'wsgi.multiprocess': ['bool', 'False'],
        'wsgi.run_once': ['bool', 'False'],
        'wsgi.input_terminated': ['bool', 'True'],
        'type of environ': 'dict',
      };
      for (const [key, value] of Object.entries(expected)) assert.deepEqual(seen[key], value, key);
      assert.match(String(seen.SERVER_SOFTWARE), /^viaduct\/\d/);
      assert.match(String(seen.REMOTE_PORT), /^\d+$/);
      for (const key of ['CONTENT_TYPE', 'CONTENT_LENGTH', 'HTTP_PROXY', 'left behind'])
        assert.ok(!(key in seen), `${key} is there: ${seen[key]}`);
    });

    it('has the address and port of the real client', async () => {
      const client = await SocketClient.open(viaduct.port);
      const port = client.socket.localPort;
      client.send(encode('/environs'));
      await client.untilClosed();
      assert.equal(JSON.parse(parseAnswer(client.received, 'GET').body).REMOTE_PORT, `${port}`);
    });

    it('has bytes as latin-1 when path and headers have bytes outside ASCII', async () => {
      const seen = await environ('/environs/caf%C3%A9/%2f%25%ff?q=%C3%A9', { headers: [['X-Name', 'J\u00f6rg']] });
      assert.equal(seen.PATH_INFO, '/environs/caf\u00c3\u00a9//%\u00ff');
      assert.equal(seen.QUERY_STRING, 'q=%C3%A9');
      assert.equal(seen.HTTP_X_NAME, 'J\u00f6rg');
    });

    it('joins repeated headers, cookies by a semicolon', async () => {
      const headers: [string, string][] = [
        ['X-Many', 'one'],
        ['Cookie', 'a=1'],
        ['x-many', 'two, three'],
        ['cookie', 'b=2'],
      ];
      const seen = await environ('/environs', { headers });
      assert.match(String(seen.HTTP_X_MANY), /^one, ?two, three$/);
      assert.equal(seen.HTTP_COOKIE, 'a=1; b=2');
    });

    it('leaves out headers that imitate others: underscores, Proxy', async () => {
      const headers: [string, string][] = [
        ['X_Real_IP', '6.6.6.6'],
        ['Content_Length', '77'],
        ['Proxy', 'http://evil.example'],
        ['X-Real-Ip', '10.0.0.1'],
      ];
      const seen = await environ('/environs', { headers });
      assert.equal(seen.HTTP_X_REAL_IP, '10.0.0.1');
      assert.ok(!('HTTP_PROXY' in seen));
      assert.ok(!('CONTENT_LENGTH' in seen));
    });

    it('has the variables of the process that the setting names, but none that imitates a part of the request', async () => {
      const seen = await environ('/environs');
      assert.equal(seen.OF_THE_PROCESS, 'caf\u00c3\u00a9');
      assert.ok(typeof seen.PATH === 'string');
      assert.ok(!('DATABASE_URL' in seen));
      assert.ok(!('HTTP_X_FAKE' in seen));
      assert.ok(!('HTTP_PROXY' in seen));
      assert.ok(!('CONTENT_LENGTH' in seen));
    });

    it('has no variable of the process when no setting names one, also in a worker that replaced another', async (t) => {
      const env = { DATABASE_URL: 'postgres://user:password@localhost/' };
      const other = await startViaduct(t, ['serve', 'environs:application', '--chdir', APPS, '--workers', '1'], {
        env,
      });
      const pids = new Set<number>();
      for (const _ of [1, 2]) {
        const { body } = await ask(other.port, '/');
        const seen: Record<string, unknown> = JSON.parse(body);
        assert.deepEqual(
          Object.keys(seen).filter((key) => !OF_SERVER.test(key)),
          [],
        );
        assert.doesNotMatch(body, /password/);
        const worker = Number(seen['process of the application']);
        pids.add(worker);
        process.kill(worker, 'SIGKILL');
        await eventually('the worker has ended', () => !isRunning(worker));
      }
      assert.equal(pids.size, 2);
    });

    it('is new for each request, even if an application changes it', async () => {
      for (let i = 0; i < 3; i += 1) {
        const seen = await environ('/environs');
        assert.ok(!('left behind' in seen));
        assert.equal(seen['wsgi.url_scheme'], 'http');
      }
    });

    it('has CONTENT_TYPE and CONTENT_LENGTH without HTTP_', async () => {
      const headers: [string, string][] = [['Content-Type', 'application/x-thing']];
      const seen = await environ('/environs', { method: 'POST', headers, body: 'abc' });
      assert.equal(seen.CONTENT_TYPE, 'application/x-thing');
      assert.equal(seen.CONTENT_LENGTH, '3');
      assert.ok(!('HTTP_CONTENT_TYPE' in seen) && !('HTTP_CONTENT_LENGTH' in seen));
    });

    it('has CONTENT_LENGTH 0 when the client sends Content-Length: 0', async () => {
      const seen = await environ('/environs', { method: 'POST', body: '' });
      assert.equal(seen.CONTENT_LENGTH, '0');
    });

    it('has CONTENT_LENGTH and no Transfer-Encoding when the content comes in chunks', async () => {
      const headers: [string, string][] = [['Transfer-Encoding', 'chunked']];
      const body = '3\r\nabc\r\n2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n';
      const seen = await environ('/environs', { method: 'POST', headers, body });
      assert.equal(seen.CONTENT_LENGTH, '5');
      assert.ok(!('HTTP_TRANSFER_ENCODING' in seen));
      assert.ok(!('HTTP_X_TRAILER' in seen));
    });

    it('has HTTP/1.0 when the client uses HTTP/1.0', async () => {
      assert.equal((await environ('/environs', { version: '1.0' })).SERVER_PROTOCOL, 'HTTP/1.0');
    });

    it('has unusual methods unchanged', async () => {
      assert.equal((await environ('/bare/environs', { method: 'PURGE' })).REQUEST_METHOD, 'PURGE');
    });
  });

  describe('wsgi.input', () => {
    const LINES = 'first line\nsecond\n\nlast';

    const read = async (how: string, body?: string, prefix = ''): Promise<unknown> =>
      JSON.parse((await get(`${prefix}/inputs?${how}`, body === undefined ? {} : { method: 'POST', body })).body);

    for (const size of ['small', 'spooled'] as const) {
      const filler = size === 'small' ? '' : `${'x'.repeat(99_999)}\n`.repeat(5);
      const body = LINES + (filler === '' ? '' : `\n${filler}end`);

      it(`reads to the end, and then returns nothing, when the content is ${size}`, async () => {
        const answer = (await read(`read(5),read(1),read(${body.length}),read(1),readline(5)`, body)) as string[];
        assert.deepEqual(answer, [body.slice(0, 5), body.slice(5, 6), body.slice(6), '', '']);
      });

      it(`returns lines in all four ways when the content is ${size}`, async () => {
        const answer = await read('readline(),readline(3),readline(100),readline(5),readlines(1),iter', body);
        const rest = body.slice(LINES.length - 4);
        const lines = rest.split(/(?<=\n)/);
        assert.deepEqual(answer, ['first line\n', 'sec', 'ond\n', '\n', [lines[0]], lines.slice(1)]);
      });

      it(`reads everything without a size when the content is ${size}`, async () => {
        assert.deepEqual(await read('read,read', body, '/bare'), [body, '']);
      });
    }

    it('is empty when the request has no content', async () => {
      assert.deepEqual(await read('read(1),readline(),readlines(),iter'), ['', '', [], []]);
    });
  });

  describe('start_response', () => {
    const head = (status: unknown, headers: unknown, blocks: string[] = ['x'], lazily = false): string =>
      encodeURIComponent(JSON.stringify(lazily ? [status, headers, blocks, true] : [status, headers, blocks]));
    const plain = ['Content-Type', 'text/plain'];

    for (const lazily of [false, true]) {
      const from = lazily ? 'a generator' : 'a list';

      it(`keeps reason phrases and duplicate fields in order when the body is ${from}`, async () => {
        const cookies = [
          ['Set-Cookie', 'a=1'],
          ['set-cookie', 'b=2; Path=/'],
          ['Set-Cookie', 'a=3'],
        ];
        const answer = await get(`/heads?${head('299 Of Our Own', [plain, ...cookies], ['x'], lazily)}`);
        assert.equal(`${answer.status} ${answer.reason}`, '299 Of Our Own');
        const values = answer.headers.filter(([name]) => name === 'set-cookie').map(([, value]) => value);
        assert.deepEqual(values, ['a=1', 'b=2; Path=/', 'a=3']);
      });

      it(`sends values and reasons as latin-1 when the body is ${from}`, async () => {
        const answer = await get(
          `/heads?${head('200 D\u00e9j\u00e0', [plain, ['X-Name', 'J\u00f6rg']], ['x'], lazily)}`,
        );
        assert.equal(answer.reason, 'D\u00e9j\u00e0');
        assert.equal(answer.header('x-name'), 'J\u00f6rg');
      });
    }

    it('adds nothing but Date, Server and the framing', async () => {
      const answer = await get(`/heads?${head('200 OK', [plain], ['abc'])}`);
      const names = answer.headers.map(([name]) => name).filter((name) => !OWN_FIELDS.has(name));
      assert.deepEqual(names.sort(), [
        'content-type',
        answer.framing === 'length' ? 'content-length' : 'transfer-encoding',
      ]);
    });

    it('keeps Date and Server of the application', async () => {
      const headers = [
        ['Date', 'Thu, 01 Jan 1970 00:00:00 GMT'],
        ['Server', 'mine'],
      ];
      const answer = await get(`/heads?${head('200 OK', [plain, ...headers])}`);
      const of = (wanted: string) => answer.headers.filter(([name]) => name === wanted).map(([, value]) => value);
      assert.deepEqual(of('date'), ['Thu, 01 Jan 1970 00:00:00 GMT']);
      assert.deepEqual(of('server'), ['mine']);
    });

    const invalid: Record<string, [status: unknown, headers: unknown]> = {
      'LF in a value': ['200 OK', [['X-A', 'a\nSet-Cookie: evil=1']]],
      'CRLF in a value': ['200 OK', [['X-A', 'a\r\n\r\n<script>']]],
      'CR in a value': ['200 OK', [['X-A', 'a\rb']]],
      'NUL in a value': ['200 OK', [['X-A', 'a\u0000b']]],
      'a control character in a value': ['200 OK', [['X-A', 'a\u001bb']]],
      'CRLF in a name': ['200 OK', [['X-A: b\r\nSet-Cookie', 'evil=1']]],
      'LF at the end of a name': ['200 OK', [['X-A\n', 'b']]],
      'a space in a name': ['200 OK', [['X A', 'b']]],
      'a colon in a name': ['200 OK', [['X-A:', 'b']]],
      'an empty name': ['200 OK', [['', 'b']]],
      'CRLF in the status': ['200 OK\r\nSet-Cookie: evil=1', []],
      'NUL in the status': ['200 O\u0000K', []],
      'a value outside latin-1': ['200 OK', [['X-A', '\u2713']]],
      'a name outside ASCII': ['200 OK', [['X-\u00e9', 'a']]],
      'a reason outside latin-1': ['200 \u2713', []],
      'a line break in Connection': ['200 OK', [['Connection', 'close\r\nSet-Cookie: evil=1']]],
      'a Content-Length that is not a number': ['200 OK', [['Content-Length', 'one']]],
      'a negative Content-Length': ['200 OK', [['Content-Length', '-1']]],
      'two Content-Lengths': [
        '200 OK',
        [
          ['Content-Length', '1'],
          ['Content-Length', '1'],
        ],
      ],
      'a value that is no text': ['200 OK', [['X-A', 1]]],
      'a header of three parts': ['200 OK', [['X-A', 'b', 'c']]],
      'headers that are no list': ['200 OK', { 'X-A': 'b' }],
      'a status that is a number': [200, []],
      'a status without a code': ['OK', []],
      'an interim status': ['100 Continue', []],
      'a status of two digits': ['99 Small', []],
      'a status of four digits': ['2000 Large', []],
    };
    for (const [name, [status, headers]] of Object.entries(invalid)) {
      it(`answers 500 and sends no part of the headers when the application passes ${name}`, async () => {
        const answer = await get(`/bare/heads?${head(status, headers)}`);
        assert.equal(answer.status, 500);
        assert.ok(answer.whole);
        assert.equal(answer.header('set-cookie'), null);
        assert.doesNotMatch(answer.body, /Traceback|evil|script|File "/);
      });
    }

    it('leaves out hop-by-hop fields, and logs each once with the place that sent them', async () => {
      const fields = [
        ['Connection', 'keep-alive'],
        ['Keep-Alive', 'timeout=5'],
        ['transfer-encoding', 'chunked'],
        ['Upgrade', 'websocket'],
        ['TE', 'trailers'],
        ['Trailer', 'X-A'],
        ['Proxy-Authenticate', 'Basic'],
      ];
      for (const [name = '', value] of fields) {
        const answer = await get(`/bare/heads?${head('200 OK', [plain, [name, value], ['X-Last', '1']], ['abc'])}`);
        assert.deepEqual([answer.status, answer.body, answer.header('x-last')], [200, 'abc', '1']);
        assert.notEqual(answer.header(name.toLowerCase()), value);
      }
      await gallery.logged(
        /sent the field Proxy-Authenticate, which belongs to the server: it is left out \(\S+:\d+\).* level=warn/,
      );
    });

    it('refuses an exc_info that is not a tuple', async () => {
      const answer = await get('/bare/edges?exc-info');
      assert.equal(answer.status, 500);
      await gallery.logged(/TypeError: exc_info must be a tuple of three, as sys\.exc_info\(\) returns it, not True/);
    });

    it('replaces the head when it is called with exc_info before anything was sent', async () => {
      const answer = await get('/errors?before');
      assert.equal(`${answer.status} ${answer.reason}`, '500 Sorry');
      assert.equal(answer.body, 'the error page');
      assert.equal(answer.header('x-first'), null);
      assert.ok(answer.whole);
    });

    it('replaces a status without content by a status with content when it is called with exc_info', async () => {
      const answer = await get('/errors?status');
      assert.equal(`${answer.status} ${answer.reason}`, '500 Sorry');
      assert.equal(answer.body, 'the error page');
    });

    for (const [when, framing] of [
      ['after', 'chunked'],
      ['after-length', 'length'],
    ] as const) {
      it(`breaks the response off visibly when it is called with exc_info after a block: ${framing}`, async () => {
        const client = await SocketClient.open(viaduct.port);
        client.send(encode(`/errors?${when}`));
        await client.until(/started/);
        const received = client.received;
        await get('/errors?go');
        await client.untilClosed();
        const answer = parseAnswer(client.received, 'GET');
        assert.deepEqual([answer.status, answer.framing, answer.body, answer.whole], [200, framing, 'started', false]);
        assert.equal(client.received, received, 'nothing may follow');
        await logged(/LookupError: in the middle/);
      });
    }

    it('answers 500 when it is called twice without exc_info', async () => {
      const answer = await get('/bare/errors?twice');
      assert.equal(answer.status, 500);
      await logged(/start_response was called a second time/);
    });

    it('may be called during the iteration, and an empty block does not send the head', async () => {
      const answer = await get('/lazy?replace');
      assert.equal(`${answer.status} ${answer.reason}`, '404 Nothing Here');
      assert.equal(answer.body, 'replaced');
    });
  });

  for (const [workers, threads, multithread, multiprocess] of [
    [1, 1, 'False', 'False'],
    [2, 1, 'False', 'True'],
    [2, 4, 'True', 'True'],
  ] as const) {
    it(`sets wsgi.multiprocess and wsgi.multithread for ${workers} workers and ${threads} threads`, async (t) => {
      const counts = ['--workers', `${workers}`, '--threads', `${threads}`];
      const other = await startViaduct(t, ['serve', 'environs:application', '--chdir', APPS, ...counts]);
      const seen = JSON.parse((await ask(other.port, '/')).body) as Record<string, unknown>;
      assert.deepEqual(seen['wsgi.multithread'], ['bool', multithread]);
      assert.deepEqual(seen['wsgi.multiprocess'], ['bool', multiprocess]);
    });
  }
});
