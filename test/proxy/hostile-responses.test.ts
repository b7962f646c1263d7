import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { ask } from '../support/http-client.ts';
import { ProxyFront } from '../support/proxy-front.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { eventually } from '../support/socket-client.ts';

const OK = 'HTTP/1.1 200 OK\r\n';
const NEXT = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged';

/** Answers that get 502: what is wrong, and what the log says of it. */
const REFUSED: readonly [string, string, RegExp][] = [
  ['no HTTP', 'hello world, this is no HTTP\r\n\r\n', /status line/],
  ['HTTP/0.9 content', '<html>', /status line/],
  ['an empty line first', `\r\n${OK}Content-Length: 0\r\n\r\n`, /status line/],
  ['another protocol', 'ICY 200 OK\r\n\r\n', /status line/],
  ['HTTP/2', 'HTTP/2 200\r\n\r\n', /status line/],
  ['HTTP/1.2', 'HTTP/1.2 200 OK\r\n\r\n', /status line/],
  ['a lower case version', 'http/1.1 200 OK\r\n\r\n', /status line/],
  ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n', /status line/],
  ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n', /status line/],
  ['a status below 100', 'HTTP/1.1 099 OK\r\n\r\n', /status line/],
  ['a signed status', 'HTTP/1.1 -20 OK\r\n\r\n', /status line/],
  ['two spaces before the status', 'HTTP/1.1  200 OK\r\n\r\n', /status line/],
  ['a tab for a space', 'HTTP/1.1\t200 OK\r\n\r\n', /status line/],
  ['no status', 'HTTP/1.1 \r\n\r\n', /status line/],
  ['a NUL in the reason', 'HTTP/1.1 200 O\0K\r\n\r\n', /reason phrase/],
  ['a CR in the reason', 'HTTP/1.1 200 O\rK\r\n\r\n', /reason phrase/],
  ['a status line ended by LF', 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n', /reason phrase/],
  ['an endless status line', `HTTP/1.1 200 ${'a'.repeat(5000)}`, /status line is too long/],
  ['a folded line', `${OK}X-A: b\r\n c\r\nContent-Length: 0\r\n\r\n`, /begins with white space/],
  ['white space before the first field', `${OK} X-A: b\r\nContent-Length: 0\r\n\r\n`, /begins with white space/],
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
  ['length and coding', `${OK}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, /beside/],
  ['coding and length', `${OK}Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n`, /beside/],
  ['a coding that is not chunked', `${OK}Transfer-Encoding: gzip\r\n\r\nxx`, /chunked alone/],
  ['chunked not last', `${OK}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`, /chunked alone/],
  ['chunked behind another', `${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`, /chunked alone/],
  ['chunked twice', `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, /chunked alone/],
  ['a disguised coding', `${OK}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`, /control character/],
  ['an empty coding', `${OK}Transfer-Encoding:\r\nContent-Length: 5\r\n\r\nhello`, /beside|chunked alone/],
  ['a coding in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', /HTTP\/1\.0/],
  ['a chunk size that is no number', `${OK}Transfer-Encoding: chunked\r\n\r\nxyz\r\n`, /chunk size/],
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
  ['an unwanted switch', 'HTTP/1.1 101 S\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n', /not asked for/],
];

/** Answers whose response is passed on, and whose excess must never be taken for the response to another request. */
const EXCESS: readonly [string, string, string, string][] = [
  ['behind a length', 'GET', `${OK}Content-Length: 2\r\n\r\nok${NEXT}`, 'ok'],
  ['behind the last chunk', 'GET', `${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n${NEXT}`, 'ok'],
  ['behind no content', 'GET', `${OK}Content-Length: 0\r\n\r\n${NEXT}`, ''],
  ['behind 204', 'GET', `HTTP/1.1 204 No Content\r\n\r\n${NEXT}`, ''],
  ['behind 204 with a coding', 'GET', `HTTP/1.1 204 N\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${NEXT}`, ''],
  ['behind 304 with a length', 'GET', `HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n${NEXT}`, ''],
  ['behind the head for HEAD', 'HEAD', `${OK}Content-Length: 5\r\n\r\nhello${NEXT}`, ''],
  ['a single CRLF', 'GET', `${OK}Content-Length: 2\r\n\r\nok\r\n`, 'ok'],
];

describe('a hostile backend', () => {
  let answer = '';
  let backend: RawBackend;
  let front: ProxyFront;

  before(async () => {
    backend = await RawBackend.answering((request) => (request.includes(' /honest ') ? honest() : answer));
    front = await ProxyFront.start([backend.backend]);
  });

  after(() => {
    front.stop();
    backend.stop();
  });

  function honest(): string {
    return `${OK}Content-Length: 6\r\n\r\nhonest`;
  }

  async function nextIsHonest(connections: number): Promise<void> {
    const { body } = await ask(front.port, '/honest');
    assert.equal(body, 'honest', 'the next request got its own response');
    assert.ok(backend.connections.length > connections, 'over another connection');
  }

  for (const [what, octets, reason] of REFUSED) {
    it(`gets 502 for ${what}`, async () => {
      answer = octets;
      front.failures.length = 0;
      const { status, body } = await ask(front.port, '/');
      assert.deepEqual([status, body], [502, 'Bad Gateway\n']);
      assert.equal(front.failures.length, 1);
      assert.match(front.failures[0] ?? '', reason);
      await nextIsHonest(backend.connections.length);
    });
  }

  for (const [what, method, octets, body] of EXCESS) {
    it(`sends in vain ${what}`, async () => {
      answer = octets;
      const got = await ask(front.port, '/', { method });
      assert.deepEqual([got.body, got.whole], [body, true]);
      await nextIsHonest(backend.connections.length);
    });
  }

  it('sends in vain when nothing was asked', async () => {
    await ask(front.port, '/honest');
    const last = backend.connections.at(-1);
    last?.socket.write(NEXT);
    await eventually(
      'the connection is closed',
      () => last?.socket.readableEnded === true || last?.socket.destroyed === true,
    );
    await nextIsHonest(backend.connections.length);
  });

  it('cannot add to a response what belongs to the connection', async () => {
    answer = `${OK}Connection: content-length, close\r\nContent-Length: 2\r\nTrailer: X\r\nUpgrade: x\r\nProxy-Connection: close\r\nTE: x\r\n\r\nok`;
    const got = await ask(front.port, '/');
    assert.deepEqual(
      got.headers.map(([name]) => name).filter((name) => name !== 'date' && name !== 'server'),
      ['content-length', 'connection'],
    );
    assert.equal(got.body, 'ok');
  });
});
