import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, beforeEach, describe, it } from 'node:test';
import { accelRedirect } from '../../../src/handlers/files/accel-redirect.ts';
import { staticFiles } from '../../../src/handlers/files/static.ts';
import type { HandlerResult } from '../../../src/http/handler.ts';
import type { HeaderList, Request, ResponseBody } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import { ask } from '../../support/http-client.ts';
import type { HttpRequest } from '../../support/http-message.ts';
import { suiteLifetime } from '../../support/lifetime.ts';
import { serveHandler, type TestServer } from '../../support/serve-handler.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const SECRET = 'this is a secret';
const DIGITS = '0123456789';

describe('an application that lets the server send a file', () => {
  const suite = suiteLifetime();
  const top = temporaryDirectory(suite);
  const root = join(top, 'protected');
  let server: TestServer;
  let seen: { request: Request; path: string }[] = [];
  let reports: string[] = [];
  /** The response of the application. */
  let application: (request: Request) => HandlerResult;
  let internal: (request: Request, path: string) => HandlerResult;
  const files = staticFiles({
    mounts: [{ urlPrefix: '/protected/', directories: [root] }],
    cacheBytesMax: 1_000_000,
    revalidateMs: 0,
  });
  const fromFiles = (request: Request) => files(request, () => Response.text(404, 'no route\n'));

  before(async () => {
    mkdirSync(join(root, 'sub'), { recursive: true });
    mkdirSync(join(top, 'outside'));
    writeFileSync(join(root, 'a.txt'), DIGITS);
    writeFileSync(join(root, 'sub/b c%20.txt'), 'odd');
    writeFileSync(join(root, 'größe.txt'), 'unicode');
    writeFileSync(join(root, 'large.bin'), 'x'.repeat(2_000_000));
    writeFileSync(join(top, 'outside/secret.txt'), SECRET);
    symlinkSync('../outside', join(root, 'link'));
    symlinkSync('a.txt', join(root, 'inside.txt'));
    const handler = accelRedirect({
      internal: (request, path) => {
        seen.push({ request, path });
        return internal(request, path);
      },
      directories: [root],
      report: (message) => reports.push(message),
    });
    server = await serveHandler(suite, [handler, (request) => application(request)]);
  });
  beforeEach(() => {
    seen = [];
    reports = [];
    internal = fromFiles;
  });

  /** The response that the client gets when the application answers with `headers`. */
  function get(
    headers: HeaderList,
    request: HttpRequest = {},
    status = 200,
    body: ResponseBody = Buffer.from('dropped'),
  ) {
    application = () => Response.fromHeaders(status, headers, body);
    return ask(server.port, '/download?id=1', request);
  }
  const redirected = (target: string, request?: HttpRequest) => get(['X-Accel-Redirect', target], request);
  const sent = (path: string, request?: HttpRequest) => get(['X-Sendfile', path], request);

  for (const [field, value] of [
    ['X-Accel-Redirect', '/protected/a.txt'],
    ['x-sendfile', join(root, 'a.txt')],
  ] as const) {
    describe(`by ${field}`, () => {
      it('sends the file instead of its content, and hides the field from the client', async () => {
        const answer = await get([field, value, 'X-Accel-Buffering', 'no', 'X-Accel-Limit-Rate', '9', 'ETag', '"app"']);
        equal(answer.status, 200);
        equal(answer.body, DIGITS);
        equal(answer.header('content-length'), '10');
        ok(!answer.headers.some(([name]) => name.startsWith('x-accel') || name === 'x-sendfile'));
        ok(answer.header('etag') !== '"app"');
        deepEqual(reports, []);
      });

      it("keeps only the application's type, disposition, lifetime and cookies", async () => {
        const own = [
          ...['Content-Type', 'application/x-own', 'Content-Disposition', 'attachment; filename="b"'],
          ...['Cache-Control', 'private', 'Expires', 'Thu, 01 Jan 2099 00:00:00 GMT'],
          ...[
            'Set-Cookie',
            'a=1',
            'Set-Cookie',
            'b=2',
            'Content-Length',
            '7',
            'X-Other',
            'x',
            'Content-Encoding',
            'gzip',
          ],
        ];
        const answer = await get([field, value, ...own]);
        equal(answer.body, DIGITS);
        const all = (name: string) => answer.headers.filter(([other]) => other === name).map(([, value]) => value);
        deepEqual(all('content-type'), ['application/x-own']);
        deepEqual(all('content-disposition'), ['attachment; filename="b"']);
        deepEqual(all('cache-control'), ['private']);
        deepEqual(all('expires'), ['Thu, 01 Jan 2099 00:00:00 GMT']);
        deepEqual(all('set-cookie'), ['a=1', 'b=2']);
        deepEqual(all('content-length'), ['10']);
        deepEqual([...all('x-other'), ...all('content-encoding')], []);
      });

      it("answers the client's conditions and ranges", async () => {
        const own = [field, value, 'Content-Type', 'video/mp4', 'Set-Cookie', 'a=1'];
        const etag = (await get(own)).header('etag') ?? '';
        const same = await get(own, { headers: [['If-None-Match', etag]] });
        equal(same.status, 304);
        equal(same.header('content-type'), null);
        equal(same.header('set-cookie'), 'a=1');
        const part = await get(own, { headers: [['Range', 'bytes=2-4']] });
        equal(part.status, 206);
        equal(part.body, '234');
        equal(part.header('content-range'), 'bytes 2-4/10');
        equal(part.header('content-type'), 'video/mp4');
        const several = await get(own, { headers: [['Range', 'bytes=0-0,5-5']] });
        match(several.header('content-type') ?? '', /^multipart\/byteranges; boundary=/);
        equal((await get(own, { headers: [['Range', 'bytes=10-']] })).status, 416);
        equal((await get(own, { headers: [['If-Match', '"x"']] })).status, 412);
        const none = await get([...own, 'Accept-Ranges', 'none'], { headers: [['Range', 'bytes=2-4']] });
        equal(none.status, 200);
        equal(none.header('accept-ranges'), 'none');
      });

      it('keeps a status other than 200, with the whole file', async () => {
        const request: HttpRequest = {
          headers: [
            ['Range', 'bytes=2-4'],
            ['If-None-Match', '*'],
          ],
        };
        const answer = await get([field, value], request, 403);
        equal(answer.status, 403);
        equal(answer.reason, 'Forbidden');
        equal(answer.body, DIGITS);
      });

      it('sends only the head for HEAD, and the file for POST', async () => {
        const head = await get([field, value], { method: 'HEAD' });
        equal(head.status, 200);
        equal(head.header('content-length'), '10');
        equal(head.body, '');
        equal((await get([field, value], { method: 'POST', body: 'x=1' })).body, DIGITS);
      });

      it('frees the content of the application', async () => {
        let released = 0;
        let cancelled = 0;
        const file = { fd: 0, start: 0, end: 5, release: () => (released += 1) };
        const source = { start() {}, pause() {}, resume() {}, cancel: () => (cancelled += 1) };
        equal((await get([field, value], {}, 200, file as ResponseBody)).body, DIGITS);
        equal((await get([field, value], {}, 200, source as ResponseBody)).body, DIGITS);
        deepEqual([released, cancelled], [1, 1]);
      });

      it('cannot be caused by the client', async () => {
        application = () => Response.text(200, 'hello');
        const answer = await ask(server.port, '/', {
          headers: [
            [field, value],
            ['X-Forwarded-For', `\t${field}: ${value}`],
          ],
        });
        equal(answer.body, 'hello');
        deepEqual(seen, []);
        application = () => Response.text(200, 'hello', ['X-Echo', `${field}: ${value}`]);
        equal((await ask(server.port, '/')).body, 'hello');
      });
    });
  }

  describe('by X-Accel-Redirect', () => {
    it('requests the path of the value, decoded once, with its query and without content', async () => {
      equal((await redirected('/protected/sub/b%20c%2520.txt?x=%20&y')).body, 'odd');
      equal(seen[0]?.path, '/protected/sub/b c%20.txt');
      equal(seen[0]?.request.path, '/protected/sub/b%20c%2520.txt');
      equal(seen[0]?.request.query, 'x=%20&y');
      equal((await redirected('/protected/sub/b c%2520.txt')).body, 'odd');
      equal((await redirected('/protected/sub%2Fb%20c%2520.txt')).body, 'odd', 'an encoded slash is a slash');
      equal((await redirected(encodeURI('/protected/größe.txt'))).body, 'unicode');
      equal((await redirected(Buffer.from('/protected/größe.txt').toString('latin1'))).body, 'unicode');
      seen = [];
      await redirected('/protected/a.txt', { method: 'POST', body: 'x=1', headers: [['X-Own', '1']] });
      const [{ method, body, headers, headerCacheId: recurring }] = seen.map(({ request }) => request) as [Request];
      deepEqual([method, body, recurring], ['GET', null, 0]);
      ok(headers.includes('X-Own') && !headers.includes('Content-Length'));
    });

    it('answers 404 to a path with ".." or an invalid path, without an inner request', async () => {
      for (const value of [
        '/protected/../outside/secret.txt',
        '/protected/%2e%2e/outside/secret.txt',
        '/protected/..%2foutside/secret.txt',
        '/protected/%2e%2e%2foutside%2fsecret.txt',
        '/protected/sub/..',
        '/protected/%2e.',
        '/protected/..%5coutside',
        '/protected/a.txt%00',
        '/protected/%zz',
        'protected/a.txt',
        '@named',
        'http://127.0.0.1/',
        '?x',
        '',
      ]) {
        const answer = await redirected(value);
        equal(answer.status, 404, value);
        ok(!answer.body.includes(SECRET));
      }
      deepEqual(seen, []);
      match(reports[0] ?? '', /^Cannot follow X-Accel-Redirect "\/protected\/\.\.\/outside\/secret\.txt": /);
      equal(reports.length, 14);
    });

    it('does not bypass a refusal of the internal route', async () => {
      for (const value of [
        '/protected/link/secret.txt',
        '/protected/%252e%252e/outside/secret.txt',
        '/protected//a.txt',
        '/other',
      ]) {
        const answer = await redirected(value);
        equal(answer.status, 404, value);
        equal(answer.header('content-disposition'), null);
      }
      const answer = await get([
        'X-Accel-Redirect',
        '/protected/nothing',
        'Content-Type',
        'video/mp4',
        'Set-Cookie',
        'a=1',
      ]);
      equal(answer.status, 404);
      equal(answer.header('content-type'), 'text/plain; charset=utf-8');
      equal(answer.header('set-cookie'), 'a=1');
    });

    it('follows redirects of the internal route, but only 10', async () => {
      internal = (request, path) =>
        path === '/one' ? Response.text(200, '', ['X-Accel-Redirect', '/protected/a.txt']) : fromFiles(request);
      equal((await redirected('/one')).body, DIGITS);
      internal = () => Response.text(200, '', ['X-Accel-Redirect', '/again']);
      seen = [];
      const answer = await redirected('/again');
      equal(answer.status, 500);
      equal(answer.header('x-accel-redirect'), null);
      equal(seen.length, 10);
      equal(reports.length, 1);
    });

    it('wins over X-Sendfile, and answers 500 when the internal route fails', async () => {
      const both = await get(['X-Sendfile', join(root, 'large.bin'), 'X-Accel-Redirect', '/protected/a.txt']);
      equal(both.body, DIGITS);
      internal = () => Promise.reject(new Error('broken'));
      equal((await redirected('/protected/a.txt')).status, 500);
    });
  });

  describe('by X-Sendfile', () => {
    it('sends files of all sizes and names, plain or percent-encoded', async () => {
      equal((await sent(join(root, 'large.bin'))).body.length, 2_000_000);
      equal((await sent(join(root, 'sub/b c%20.txt'))).body, 'odd');
      equal((await sent(join(root, 'sub/b%20c%2520.txt'))).body, 'odd');
      equal((await sent(Buffer.from(join(root, 'größe.txt')).toString('latin1'))).body, 'unicode');
      equal((await sent(encodeURI(join(root, 'größe.txt')))).body, 'unicode');
      equal((await sent(join(root, 'inside.txt'))).body, DIGITS);
      equal((await sent(join(root, 'a.txt'))).header('cache-control'), 'private, no-cache');
    });

    it('answers 404 and reports a path outside of the allowed directories', async () => {
      const paths = [
        join(top, 'outside/secret.txt'),
        `${root}/../outside/secret.txt`,
        `${root}/%2e%2e/outside/secret.txt`,
        `${root}/..%2foutside/secret.txt`,
        `${root}/link/secret.txt`,
        `${root}-sibling/secret.txt`,
        `${root}/nothing`,
        root,
        `${root}/a.txt%00`,
        '/etc/passwd',
        '/dev/zero',
        'a.txt',
        '',
      ];
      for (const path of paths) {
        const answer = await sent(path);
        equal(answer.status, 404, path);
        ok(!answer.body.includes(SECRET));
      }
      equal(reports.length, paths.length);
      match(reports[0] ?? '', /^Cannot send ".*secret\.txt" for X-Sendfile: /);
    });
  });

  it('is not changed without these fields, except that X-Accel fields are removed', async () => {
    application = () => Response.text(200, 'hello', ['X-Accel-Buffering', 'no', 'X-Other', 'x']);
    const answer = await ask(server.port, '/');
    equal(answer.body, 'hello');
    equal(answer.header('x-accel-buffering'), null);
    equal(answer.header('x-other'), 'x');
  });
});
