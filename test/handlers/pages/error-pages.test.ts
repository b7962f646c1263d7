import { deepEqual, equal, throws } from 'node:assert/strict';
import { rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { compression } from '../../../src/handlers/compression/compression.ts';
import { errorPages } from '../../../src/handlers/pages/error-pages.ts';
import type { HeaderList, ResponseBody } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import { BlockSource } from '../../support/block-source.ts';
import { decode } from '../../support/codings.ts';
import { ask } from '../../support/http-client.ts';
import type { HttpAnswer } from '../../support/http-message.ts';
import { suiteLifetime } from '../../support/lifetime.ts';
import { serveHandler, type TestServer } from '../../support/serve-handler.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const PAGES = {
  '404': { html: '<h1>{status} {reason}</h1>' },
  '4xx': { html: '<h1>Class {status} {reason}, {other}</h1>' },
  '5XX': { html: '<h1>Sorry: {status}</h1><p>{status} {reason}</p>' },
};
const JSON_ERROR = Buffer.from('{"error": "nothing here"}');

describe('error pages', () => {
  const suite = suiteLifetime();
  let answer: () => Response;
  let polite: TestServer;
  let strict: TestServer;

  before(async () => {
    polite = await serveHandler(suite, [errorPages({ pages: PAGES, intercept: false }), () => answer()]);
    strict = await serveHandler(suite, [errorPages({ pages: PAGES, intercept: true }), () => answer()]);
  });

  function get(server: TestServer, method = 'GET'): Promise<HttpAnswer> {
    return ask(server.port, '/', { method });
  }
  function serve(status: number, headers: HeaderList, body: ResponseBody, reason = ''): void {
    answer = () => Response.fromHeaders(status, headers, body, reason);
  }

  for (const [status, text, page] of [
    [404, 'Not Found\n', '<h1>404 Not Found</h1>'],
    [403, 'Forbidden\n', '<h1>Class 403 Forbidden, {other}</h1>'],
    [500, 'Internal Server Error\n', '<h1>Sorry: 500</h1><p>500 Internal Server Error</p>'],
    [502, 'Bad Gateway: the worker that ran this request died\n', '<h1>Sorry: 502</h1><p>502 Bad Gateway</p>'],
    [503, 'Service Unavailable: too many requests are waiting\n', '<h1>Sorry: 503</h1><p>503 Service Unavailable</p>'],
  ] as const) {
    it(`replaces the server's own ${status} by a page, with the same fields for HEAD`, async () => {
      answer = () => Response.text(status, text);
      const got = await get(polite);
      equal(got.status, status);
      equal(got.body, page);
      equal(got.whole, true);
      equal(got.header('content-type'), 'text/html; charset=utf-8');
      const head = await get(polite, 'HEAD');
      equal(head.whole, true);
      const fields = ({ headers }: HttpAnswer) => headers.filter(([name]) => name !== 'date');
      deepEqual(fields(head), fields(got));
    });
  }

  it('adds a page to errors without content', async () => {
    for (const body of [null, Buffer.alloc(0)]) {
      serve(404, ['Content-Type', 'text/html', 'Content-Length', '0'], body);
      equal((await get(polite)).body, '<h1>404 Not Found</h1>');
      equal((await get(polite, 'HEAD')).header('content-length'), '22');
    }
  });

  it("does not change an application's own error, also for HEAD", async () => {
    serve(404, ['Content-Type', 'application/json', 'ETag', '"a"'], JSON_ERROR);
    const got = await get(polite);
    equal(got.body, JSON_ERROR.toString());
    equal(got.header('etag'), '"a"');
    for (const length of [[], ['Content-Length', '25']]) {
      serve(404, ['Content-Type', 'application/json', ...length], null);
      const head = await get(polite, 'HEAD');
      equal(head.header('content-type'), 'application/json');
      equal(head.header('content-length'), length[1] ?? null);
    }
    serve(404, ['Content-Type', 'text/plain; charset=utf-8'], Buffer.from('Not Found: but we searched\nwell\n'));
    equal((await get(polite)).body, 'Not Found: but we searched\nwell\n');
  });

  it("replaces an application's error and its content fields with intercept", async () => {
    serve(
      404,
      [
        'Content-Type',
        'application/json',
        'Content-Length',
        '25',
        'ETag',
        '"a"',
        'Last-Modified',
        'x',
        'Vary',
        'Cookie',
      ],
      JSON_ERROR,
    );
    const got = await get(strict);
    equal(got.status, 404);
    equal(got.body, '<h1>404 Not Found</h1>');
    equal(got.header('content-length'), '22');
    equal(got.header('etag'), null);
    equal(got.header('last-modified'), null);
    equal(got.header('vary'), 'Cookie');
    serve(500, ['Content-Encoding', 'gzip', 'Content-Type', 'text/html'], Buffer.from('not really'));
    equal((await get(strict)).header('content-encoding'), null);
  });

  it('keeps the fields that a client needs', async () => {
    for (const [status, name, value] of [
      [401, 'WWW-Authenticate', 'Basic realm="a"'],
      [405, 'Allow', 'GET'],
      [416, 'Content-Range', 'bytes */5'],
      [429, 'Retry-After', '7'],
      [503, 'Retry-After', '7'],
      [503, 'Set-Cookie', 'a=b'],
      [503, 'Cache-Control', 'no-store'],
    ] as const) {
      serve(status, [name, value], null);
      const got = await get(strict);
      equal(got.status, status);
      equal(got.header(name.toLowerCase()), value);
      equal(got.header('content-type'), 'text/html; charset=utf-8');
    }
  });

  it('frees the stream that a page replaces', async () => {
    const source = new BlockSource();
    serve(500, ['Content-Type', 'text/html'], source);
    equal((await get(strict)).body, '<h1>Sorry: 500</h1><p>500 Internal Server Error</p>');
    equal(source.cancelled, 1);
  });

  it('does not change other statuses, and errors without a page', async () => {
    for (const status of [200, 302, 304, 399]) {
      serve(status, ['X-A', 'b'], null);
      equal((await get(strict)).header('content-type'), null);
    }
    const few = await serveHandler(suite, [
      errorPages({ pages: { '404': PAGES['404'] }, intercept: true }),
      () => answer(),
    ]);
    serve(403, [], Buffer.from('own'));
    equal((await get(few)).body, 'own');
  });

  it('refuses keys that are not the status of an error', () => {
    for (const key of ['200', '3xx', 'xx', '4x', '40', '4040', 'not found', '6xx']) {
      throws(
        () => errorPages({ pages: { [key]: PAGES['404'] }, intercept: false }),
        /Cannot use an error page for/,
        key,
      );
    }
  });

  it('can be compressed', async () => {
    const page = { html: `${'long '.repeat(1000)}{status}` };
    const server = await serveHandler(suite, [
      compression(),
      errorPages({ pages: { '4xx': page }, intercept: true }),
      () => Response.text(404, 'Not Found\n'),
    ]);
    const got = await ask(server.port, '/', { headers: [['Accept-Encoding', 'gzip']] });
    equal(got.status, 404);
    equal(decode('gzip', got.body).toString(), `${'long '.repeat(1000)}404`);
  });

  describe('from files', () => {
    const temporary = temporaryDirectory(suite);
    const file = join(temporary, 'error.html');

    async function withPage<T>(revalidateMs: number, work: (server: TestServer) => Promise<T>): Promise<T> {
      const handler = errorPages({ pages: { '404': { file } }, intercept: false, revalidateMs });
      return work(await serveHandler(suite, [handler, () => Response.text(404, 'Not Found\n')]));
    }

    it('change when the file changes in any way', () =>
      withPage(0, async (server) => {
        writeFileSync(file, 'one {status} \xff', 'latin1');
        equal((await get(server)).body, 'one 404 \xff');
        writeFileSync(file, 'two {status}');
        equal((await get(server)).body, 'two 404');
        utimesSync(file, 1, 1);
        writeFileSync(file, 'six {reason}');
        equal((await get(server)).body, 'six Not Found');
        equal((await get(server)).body, 'six Not Found');
        rmSync(file);
        equal((await get(server)).body, 'Not Found\n');
        writeFileSync(file, 'back');
        equal((await get(server)).body, 'back');
      }));

    it('are not checked again too early', () =>
      withPage(3_600_000, async (server) => {
        writeFileSync(file, 'one');
        equal((await get(server)).body, 'one');
        writeFileSync(file, 'two');
        equal((await get(server)).body, 'one');
      }));

    it('answer many requests at once', () =>
      withPage(0, async (server) => {
        writeFileSync(file, 'all {status}');
        const answers = await Promise.all(Array.from({ length: 20 }, () => get(server)));
        deepEqual([...new Set(answers.map(({ body }) => body))], ['all 404']);
      }));

    it('that are directories or too long count as missing', async () => {
      writeFileSync(file, 'x'.repeat(1_048_577));
      await withPage(0, async (server) => equal((await get(server)).body, 'Not Found\n'));
      const handler = errorPages({ pages: { '404': { file: temporary } }, intercept: false });
      const server = await serveHandler(suite, [handler, () => Response.text(404, 'Not Found\n')]);
      equal((await get(server)).body, 'Not Found\n');
    });
  });
});
