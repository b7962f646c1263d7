import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { startBackend, type TestBackend } from '../support/backend.ts';
import { ask } from '../support/http-client.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { type ProxyServer, serveProxy } from '../support/serve-proxy.ts';
import { eventually } from '../support/wait.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
const NEXT = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged';

/** Answers that cause 502: description, bytes, and a pattern for the log. */
const REFUSED: readonly [string, string, RegExp][] = [
  ['bytes that are not HTTP', 'hello world, this is no HTTP\r\n\r\n', /status line/],
  ['HTTP/0.9 content', '<html>', /status line/],
  ['an empty line first', `\r\n${OK}Content-Length: 0\r\n\r\n`, /status line/],
  ['another protocol', 'ICY 200 OK\r\n\r\n', /status line/],
  ['HTTP/2', 'HTTP/2 200\r\n\r\n', /status line/],
  ['HTTP/1.2', 'HTTP/1.2 200 OK\r\n\r\n', /status line/],
  ['a lower case version', 'http/1.1 200 OK\r\n\r\n', /status line/],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n', /status line/],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n', /status line/],
  ['a status below 100', 'HTTP/1.1 099 OK\r\n\r\n', /status is not between/],
  ['a status above 599', 'HTTP/1.1 600 OK\r\nContent-Length: 0\r\n\r\n', /status is not between/],
  ['the largest status', 'HTTP/1.1 999 OK\r\nContent-Length: 0\r\n\r\n', /status is not between/],
  ['a signed status', 'HTTP/1.1 -20 OK\r\n\r\n', /status line/],
  ['two spaces before the status', 'HTTP/1.1  200 OK\r\n\r\n', /status line/],
  ['a tab for a space', 'HTTP/1.1\t200 OK\r\n\r\n', /status line/],
  ['no status', 'HTTP/1.1 \r\n\r\n', /status line/],
  ['a NUL in the reason', 'HTTP/1.1 200 O\0K\r\n\r\n', /reason phrase/],
  ['a CR in the reason', 'HTTP/1.1 200 O\rK\r\n\r\n', /reason phrase/],
  ['a status line ended by LF', 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n', /reason phrase/],
  ['an endless status line', `HTTP/1.1 200 ${'a'.repeat(5000)}`, /status line is too long/],
  ['a folded line', `${OK}X-A: b\r\n c\r\nContent-Length: 0\r\n\r\n`, /starts with white space/],
  ['white space before the first field', `${OK} X-A: b\r\nContent-Length: 0\r\n\r\n`, /starts with white space/],
  ['white space before the colon', `${OK}Content-Length : 0\r\n\r\n`, /header name/],
  ['a field without a colon', `${OK}Content-Length\r\n\r\n`, /header name/],
  ['a field without a name', `${OK}: 1\r\n\r\n`, /no name/],
  ['a space in a name', `${OK}Content Length: 0\r\n\r\n`, /header name/],
  ['an 8-bit name', `${OK}X-\xe4: 0\r\n\r\n`, /header name/],
  ['a NUL in a value', `${OK}X-A: a\0b\r\nContent-Length: 0\r\n\r\n`, /control character/],
  ['a CR in a value', `${OK}X-A: a\rSet-Cookie: b=c\r\nContent-Length: 0\r\n\r\n`, /CR/],
  ['a line ended by LF', `${OK}X-A: a\nX-B: b\r\nContent-Length: 0\r\n\r\n`, /control character/],
  ['a head ended by LF', `${OK}Content-Length: 0\r\n\n`, /header name/],
  ['two different lengths', `${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`, /Content-Length/],
  ['the same length twice', `${OK}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`, /Content-Length/],
  ['a list of lengths', `${OK}Content-Length: 5, 5\r\n\r\nhello`, /Content-Length/],
  ['a signed length', `${OK}Content-Length: +5\r\n\r\nhello`, /Content-Length/],
  ['a negative length', `${OK}Content-Length: -1\r\n\r\n`, /Content-Length/],
  ['a hexadecimal length', `${OK}Content-Length: 0x5\r\n\r\nhello`, /Content-Length/],
  ['an empty length', `${OK}Content-Length:\r\n\r\n`, /Content-Length/],
  ['a length past counting', `${OK}Content-Length: ${'9'.repeat(20)}\r\n\r\n`, /Content-Length/],
  ['a length and a coding', `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, /both/],
  ['a coding and a length', `${OK}Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n`, /both/],
  ['a coding that is not chunked', `${OK}Transfer-Encoding: gzip\r\n\r\nxx`, /coding is chunked/],
  ['chunked not last', `${OK}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`, /coding is chunked/],
  ['chunked after another', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, /coding is chunked/],
  [
    'chunked twice',
    `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    /coding is chunked/,
  ],
  ['a disguised coding', `${OK}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`, /control character/],
  ['an empty coding', `${OK}Transfer-Encoding:\r\nContent-Length: 5\r\n\r\nhello`, /both|coding is chunked/],
  ['a coding in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', /HTTP\/1\.0/],
  ['an invalid chunk size', `${OK}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`, /chunk size/],
  ['a signed chunk size', `${OK}Transfer-Encoding: chunked\r\n\r\n-1\r\n`, /chunk size/],
  ['a chunk size with 0x', `${OK}Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n`, /chunk size/],
  ['a chunk size past counting', `${OK}Transfer-Encoding: chunked\r\n\r\n${'f'.repeat(17)}\r\n`, /chunk size/],
  ['a chunk line ended by LF', `${OK}Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n`, /chunk size/],
  ['a chunk longer than its size', `${OK}Transfer-Encoding: chunked\r\n\r\n3\r\nhello\r\n0\r\n\r\n`, /chunk data/],
  ['endless chunk extensions', `${OK}Transfer-Encoding: chunked\r\n\r\n5;${'a'.repeat(20_000)}`, /extensions/],
  ['a trailer that frames', `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n`, /trailer/],
  ['a broken trailer', `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\nX A: b\r\n\r\n`, /header name/],
  ['a head that is too large', `${OK}X-A: ${'a'.repeat(70_000)}\r\n\r\n`, /too long/],
  ['a head that never ends', `${OK}X-A: ${'a'.repeat(70_000)}`, /too long/],
  ['too many fields', `${OK}${'X-A: b\r\n'.repeat(101)}Content-Length: 0\r\n\r\n`, /too many header lines/],
  ['too many interim responses', 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(20), /interim responses/],
  ['an interim response with content', `HTTP/1.1 103 Early\r\nContent-Length: 5\r\n\r\nhello${NEXT}`, /interim/],
  ['an interim response with chunks', `HTTP/1.1 100 C\r\nTransfer-Encoding: chunked\r\n\r\n${NEXT}`, /interim/],
  ['an unwanted switch', 'HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n', /not requested/],
];

/** Answers that are passed on, but whose excess bytes must never be used as the response to another request. */
const EXCESS: readonly [string, string, string, string][] = [
  ['after a length', 'GET', `${OK}Content-Length: 2\r\n\r\nok${NEXT}`, 'ok'],
  ['after the last chunk', 'GET', `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n${NEXT}`, 'ok'],
  ['after no content', 'GET', `${OK}Content-Length: 0\r\n\r\n${NEXT}`, ''],
  ['after 204', 'GET', `HTTP/1.1 204 No Content\r\n\r\n${NEXT}`, ''],
  ['after 204 with a coding', 'GET', `HTTP/1.1 204 N\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${NEXT}`, ''],
  ['after 304 with a length', 'GET', `HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n${NEXT}`, ''],
  ['after the head for HEAD', 'HEAD', `${OK}Content-Length: 5\r\n\r\nhello${NEXT}`, ''],
  ['a single CRLF', 'GET', `${OK}Content-Length: 2\r\n\r\nok\r\n`, 'ok'],
];

describe('a hostile backend', () => {
  let answer = '';
  const suite = suiteLifetime();
  let backend: TestBackend;
  let proxy: ProxyServer;

  before(async () => {
    backend = await startBackend(suite, (request) => (request.includes(' /honest ') ? honest() : answer));
    proxy = await serveProxy(suite, [backend.backend]);
  });

  function honest(): string {
    return `${OK}Content-Length: 6\r\n\r\nhonest`;
  }

  async function nextIsHonest(connections: number): Promise<void> {
    const { body } = await ask(proxy.port, '/honest');
    assert.equal(body, 'honest', 'the next request got its own response');
    assert.ok(backend.connections.length > connections, 'over another connection');
  }

  for (const [description, octets, reason] of REFUSED) {
    it(`causes 502 for ${description}`, async () => {
      answer = octets;
      proxy.failures.length = 0;
      const { status, body } = await ask(proxy.port, '/');
      assert.deepEqual([status, body], [502, 'Bad Gateway\n']);
      assert.equal(proxy.failures.length, 1);
      assert.match(proxy.failures[0] ?? '', reason);
      await nextIsHonest(backend.connections.length);
    });
  }

  for (const [description, method, octets, body] of EXCESS) {
    it(`sends excess bytes in vain ${description}`, async () => {
      answer = octets;
      const got = await ask(proxy.port, '/', { method });
      assert.deepEqual([got.body, got.whole], [body, true]);
      await nextIsHonest(backend.connections.length);
    });
  }

  it('sends the content of a response to HEAD in vain when it comes with the next request', async () => {
    answer = `${OK}Content-Length: 5\r\n\r\n`;
    await ask(proxy.port, '/', { method: 'HEAD' });
    backend.connections.at(-1)?.socket.write('hello');
    await nextIsHonest(backend.connections.length);
  });

  it('sends bytes in vain when nothing was requested', async () => {
    await ask(proxy.port, '/honest');
    const last = backend.connections.at(-1);
    last?.socket.write(NEXT);
    await eventually(
      'the connection is closed',
      () => last?.socket.readableEnded === true || last?.socket.destroyed === true,
    );
    await nextIsHonest(backend.connections.length);
  });

  it('cannot add fields of the connection to a response', async () => {
    answer = `${OK}Connection: content-length, close\r\nContent-Length: 2\r\nTrailer: X\r\nUpgrade: x\r\nProxy-Connection: close\r\nTE: x\r\n\r\nok`;
    const got = await ask(proxy.port, '/');
    assert.deepEqual(
      got.headers.map(([name]) => name).filter((name) => name !== 'date' && name !== 'server'),
      ['content-length', 'connection'],
    );
    assert.equal(got.body, 'ok');
  });
});
