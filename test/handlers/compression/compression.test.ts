import { deepEqual, equal, ok, throws } from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { type CompressionOptions, compression } from '../../../src/handlers/compression/compression.ts';
import type { HeaderList, ResponseBody } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import { decode, TESTED_CODINGS } from '../../support/codings.ts';
import { ask } from '../../support/http-client.ts';
import type { HttpAnswer, HttpRequest } from '../../support/http-message.ts';
import { suiteLifetime } from '../../support/lifetime.ts';
import { serveHandler, type TestServer } from '../../support/serve-handler.ts';

const PAGE = Buffer.from('<li>compressible</li>\n'.repeat(200));
const TEXT = Buffer.from(Array.from({ length: 3000 }, (_, i) => `${(i * i) % 1013}`).join(' '));
const HTML = ['Content-Type', 'text/html; charset=utf-8'];
const GZIP = [['Accept-Encoding', 'gzip']] as const;

describe('compression', () => {
  let answer: () => Response = () => Response.fromHeaders(200, HTML, PAGE);
  const suite = suiteLifetime();
  let server: TestServer;
  let options: CompressionOptions = {};

  before(async () => {
    server = await serveHandler(suite, [(request, next) => compression(options)(request, next), () => answer()]);
  });

  /** Sends a request to a server that answers with `status`, `headers` and `body`. */
  async function get(
    headers: HeaderList,
    body: ResponseBody,
    request: HttpRequest & { readonly status?: number; readonly with?: CompressionOptions } = {},
  ): Promise<HttpAnswer> {
    answer = () => Response.fromHeaders(request.status ?? 200, headers, body);
    options = request.with ?? {};
    return ask(server.port, '/', { headers: GZIP, ...request });
  }

  for (const coding of TESTED_CODINGS) {
    it(`sends a page in ${coding} to clients that accept it, with its length`, async () => {
      const { headers, ...got } = await get(HTML, PAGE, { headers: [['Accept-Encoding', coding]] });
      equal(got.header('content-encoding'), coding);
      equal(got.header('vary'), 'Accept-Encoding');
      equal(got.framing, 'length');
      equal(headers.filter(([name]) => name === 'content-length').length, 1);
      ok(got.body.length < PAGE.length / 4);
      ok(decode(coding, got.body).equals(PAGE));
    });
  }

  it("follows the client's weights, and its own order between equal weights", async () => {
    const order = { encodings: ['gzip', 'br'] } as const;
    for (const [accept, coding] of [
      ['br, gzip', 'gzip'],
      ['br, gzip;q=0.9', 'br'],
      ['zstd', null],
      ['*', 'gzip'],
    ] as const) {
      const got = await get(HTML, PAGE, { headers: [['Accept-Encoding', accept]], with: order });
      equal(got.header('content-encoding'), coding, accept);
    }
  });

  it('joins several Accept-Encoding lines', async () => {
    const accept = [['Accept-Encoding', 'deflate'] as const, ['accept-encoding', 'gzip'] as const];
    equal((await get(HTML, PAGE, { headers: accept })).header('content-encoding'), 'gzip');
  });

  for (const accept of [null, '', 'identity', 'deflate', 'gzip;q=0', 'gzip;q=nonsense']) {
    it(`sends it uncompressed, with Vary, for ${accept === null ? 'no Accept-Encoding' : `"${accept}"`}`, async () => {
      const got = await get([...HTML, 'ETag', '"a"', 'Accept-Ranges', 'bytes'], PAGE, {
        headers: accept === null ? [] : [['Accept-Encoding', accept]],
      });
      equal(got.header('content-encoding'), null);
      equal(got.header('vary'), 'Accept-Encoding');
      equal(got.header('etag'), '"a"');
      equal(got.header('accept-ranges'), 'bytes');
      equal(got.body, PAGE.toString('latin1'));
    });
  }

  const unchanged: [name: string, headers: HeaderList, status?: number][] = [
    ['a response with a coding', [...HTML, 'Content-Encoding', 'x']],
    ['a response with the coding identity', [...HTML, 'content-encoding', 'identity']],
    ['a response with no-transform', [...HTML, 'Cache-Control', 'max-age=5, No-Transform']],
    [
      'a response with no-transform in a second line',
      [...HTML, 'Cache-Control', 'private', 'Cache-Control', 'no-transform'],
    ],
    ['a part', [...HTML, 'Content-Range', `bytes 0-${PAGE.length - 1}/9999`], 206],
    ['several parts', ['Content-Type', 'text/html'], 206],
    ['a response with a digest', [...HTML, 'Content-Digest', 'sha-256=:AAAA:']],
    ['a response with a digest of the representation', [...HTML, 'Repr-Digest', 'sha-256=:AAAA:']],
    ['images', ['Content-Type', 'image/png']],
    ['fonts that are compressed', ['Content-Type', 'font/woff2']],
    ['archives', ['Content-Type', 'application/zip']],
    ['office documents', ['Content-Type', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document']],
    ['a response without a type', []],
  ];
  for (const [name, headers, status = 200] of unchanged) {
    it(`does not compress ${name}`, async () => {
      const got = await get([...headers, 'ETag', '"a"', 'Accept-Ranges', 'bytes'], PAGE, { status });
      equal(got.body, PAGE.toString('latin1'));
      equal(got.header('vary'), null);
      equal(got.header('etag'), '"a"');
      equal(got.header('accept-ranges'), 'bytes');
      equal(
        got.header('content-encoding'),
        headers.includes('x') ? 'x' : headers.includes('identity') ? 'identity' : null,
      );
    });
  }

  for (const type of [
    'text/html',
    'TEXT/CSS ; charset=UTF-8',
    'text/event-stream',
    'application/json',
    'application/problem+json',
    'application/xml',
    'application/atom+xml',
    'image/svg+xml',
    'application/wasm',
    'application/javascript',
    'text/javascript',
    'font/ttf',
    'font/otf',
  ]) {
    it(`compresses ${type}`, async () => {
      equal((await get(['Content-Type', type], PAGE)).header('content-encoding'), 'gzip');
    });
  }

  it('compresses the configured types and no others', async () => {
    const types = ['image/*', '*+json', 'application/x-own'];
    for (const [type, coding] of [
      ['image/png', 'gzip'],
      ['application/ld+json', 'gzip'],
      ['Application/X-Own', 'gzip'],
      ['text/html', null],
      ['application/json', null],
      ['x/image/png', null],
    ] as const) {
      equal((await get(['Content-Type', type], PAGE, { with: { types } })).header('content-encoding'), coding, type);
    }
  });

  it('compresses errors and responses to POST', async () => {
    equal((await get(HTML, PAGE, { status: 404 })).header('content-encoding'), 'gzip');
    const posted = await get(HTML, PAGE, { method: 'POST', body: 'a=b' });
    equal(posted.header('content-encoding'), 'gzip');
    ok(decode('gzip', posted.body).equals(PAGE));
  });

  it('does not compress content below the minimum length, and adds no Vary', async () => {
    for (const [length, coding] of [
      [1023, null],
      [1024, 'gzip'],
    ] as const) {
      const got = await get(HTML, Buffer.alloc(length, 'a'));
      equal(got.header('content-encoding'), coding);
      equal(got.header('vary'), coding === null ? null : 'Accept-Encoding');
    }
    equal((await get(HTML, Buffer.alloc(100, 'a'), { with: { bytesMin: 100 } })).header('content-encoding'), 'gzip');
    equal((await get(HTML, Buffer.alloc(0), { with: { bytesMin: 0 } })).header('content-encoding'), null);
  });

  it('does not compress content that does not shrink', async () => {
    const noise = Buffer.from(Array.from({ length: 2000 }, (_, i) => (i * i * 7919 + (i >> 3) * 104_729) % 256));
    const got = await get(HTML, noise);
    equal(got.header('content-encoding'), null);
    equal(got.header('vary'), 'Accept-Encoding');
    equal(got.body, noise.toString('latin1'));
  });

  it('does nothing when no coding is available', async () => {
    const got = await get(HTML, PAGE, { with: { encodings: [] } });
    equal(got.body, PAGE.toString('latin1'));
    equal(got.header('vary'), null);
  });

  it('uses the configured level and refuses an unknown level', async () => {
    const lengthAt = async (level: number) =>
      (await get(HTML, TEXT, { with: { levels: { gzip: level } } })).body.length;
    ok((await lengthAt(9)) < (await lengthAt(1)));
    for (const levels of [{ gzip: 10 }, { br: 12 }, { gzip: 0 }, { br: 1.5 }]) {
      throws(() => compression({ levels }), /Cannot compress with (gzip|br) at level/);
    }
  });

  for (const [vary, merged] of [
    ['Cookie', 'Cookie, Accept-Encoding'],
    ['*', '*'],
    ['accept-encoding, Cookie', 'accept-encoding, Cookie'],
    ['X-Accept-Encoding', 'X-Accept-Encoding, Accept-Encoding'],
  ] as const) {
    it(`changes Vary "${vary}" to "${merged}", compressed or not`, async () => {
      for (const headers of [GZIP, []]) {
        const got = await get([...HTML, 'Vary', vary], PAGE, { headers });
        deepEqual(
          got.headers.filter(([name]) => name === 'vary').map(([, value]) => value),
          [merged],
        );
      }
    });
  }

  it('joins several Vary lines', async () => {
    const got = await get([...HTML, 'Vary', 'Cookie', 'Vary', 'Accept-Language'], PAGE);
    deepEqual(
      got.headers.filter(([name]) => name === 'vary'),
      [['vary', 'Cookie, Accept-Language, Accept-Encoding']],
    );
  });

  it('weakens a strong tag, keeps a weak tag, and removes Accept-Ranges', async () => {
    const got = await get([...HTML, 'ETag', '"a"', 'Accept-Ranges', 'bytes'], PAGE);
    equal(got.header('etag'), 'W/"a"');
    equal(got.header('accept-ranges'), null);
    equal((await get([...HTML, 'ETag', 'W/"a"'], PAGE)).header('etag'), 'W/"a"');
  });

  it('sends the tag of the compressed response in a 304 to a client that sent it', async () => {
    const ask304 = (tags: string) =>
      get(['ETag', '"a"', 'Vary', 'Cookie'], null, {
        status: 304,
        headers: [...GZIP, ['If-None-Match', tags]],
      });
    const weak = await ask304('"x", W/"a"');
    equal(weak.header('etag'), 'W/"a"');
    equal(weak.header('vary'), 'Cookie, Accept-Encoding');
    const strong = await ask304('"a"');
    equal(strong.header('etag'), '"a"');
    equal(strong.header('vary'), 'Cookie');
  });

  describe('for HEAD', () => {
    it('has the fields of GET, without an unknown length', async () => {
      const headers = [...HTML, 'ETag', '"a"', 'Content-Length', '50000'];
      const got = await get(headers, null, { method: 'HEAD' });
      equal(got.whole, true);
      equal(got.header('content-encoding'), 'gzip');
      equal(got.header('vary'), 'Accept-Encoding');
      equal(got.header('etag'), 'W/"a"');
      equal(got.header('content-length'), null);
    });

    it('has the length of the compressed content if it is known', async () => {
      const [head, whole] = [await get(HTML, PAGE, { method: 'HEAD' }), await get(HTML, PAGE)];
      const fields = ({ headers }: HttpAnswer) => headers.filter(([name]) => name !== 'date').sort();
      deepEqual(fields(head), fields(whole));
    });

    it('has only Vary when the application sends nothing about its content', async () => {
      const got = await get(HTML, Buffer.alloc(0), { method: 'HEAD' });
      equal(got.header('vary'), 'Accept-Encoding');
      equal(got.header('content-encoding'), null);
    });

    it('keeps the length of uncompressed content', async () => {
      const got = await get([...HTML, 'Content-Length', '50000'], null, { method: 'HEAD', headers: [] });
      equal(got.header('content-length'), '50000');
      equal(got.header('vary'), 'Accept-Encoding');
      equal((await get([...HTML, 'Content-Length', '50'], null, { method: 'HEAD' })).header('content-length'), '50');
    });
  });

  it('does not change request bodies, and adds no fields to 204', async () => {
    const got = await get([], null, { status: 204 });
    equal(got.header('vary'), null);
    equal(got.header('content-encoding'), null);
  });

  it('passes on a body that contradicts its Content-Length, so that the connection reports it', async () => {
    const reports = server.errors.length;
    const got = await get([...HTML, 'Content-Length', `${PAGE.length + 1}`], PAGE);
    equal(got.whole, false);
    equal(server.errors.length, reports + 1);
  });
});
