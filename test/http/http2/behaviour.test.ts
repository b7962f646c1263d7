import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { HandlerResult } from '../../../src/http/handler.ts';
import type { BodySink, BodySource, Request } from '../../../src/http/message.ts';
import { PreparedResponse } from '../../../src/http/prepared-response.ts';
import { Response } from '../../../src/http/response.ts';
import { UpgradeResponse } from '../../../src/http/upgrade-response.ts';
import { fetchWhole, openRequest, PROTOCOLS } from '../../support/http-client.ts';
import { suiteLifetime } from '../../support/lifetime.ts';
import { serveHandler, type TestServer } from '../../support/serve-handler.ts';
import { eventually, PATIENCE_MS, within } from '../../support/wait.ts';

const BODY_BYTES_MAX = 3_000_000;
const LARGE = 20_000_000;

/** Pushes blocks until it is paused. */
class Blocks implements BodySource {
  pushed = 0;
  paused = false;
  cancelled = false;
  pauses = 0;
  #sink: BodySink | null = null;
  readonly #count: number;
  readonly #block: Buffer;
  readonly #failsAt: number;

  constructor(count: number, block: Buffer, failsAt = -1) {
    this.#count = count;
    this.#block = block;
    this.#failsAt = failsAt;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    this.#go();
  }

  #go(): void {
    const sink = this.#sink;
    if (sink === null || this.paused || this.cancelled) return;
    if (this.pushed === this.#failsAt) {
      this.#sink = null;
      sink.fail(new Error('the application broke'));
    } else if (this.pushed === this.#count) {
      this.#sink = null;
      sink.end();
    } else {
      this.pushed += 1;
      sink.write(this.#block);
      process.nextTick(() => this.#go());
    }
  }

  pause(): void {
    this.paused = true;
    this.pauses += 1;
  }

  resume(): void {
    this.paused = false;
    this.#go();
  }

  cancel(): void {
    this.cancelled = true;
  }
}

for (const protocol of PROTOCOLS) {
  describe(`a client of ${protocol}`, () => {
    const directory = mkdtempSync(join(tmpdir(), 'viaduct-test-'));
    const path = join(directory, 'large');
    const suite = suiteLifetime();
    let server: TestServer;
    let released = 0;
    let source: Blocks;
    let request: Request | null = null;
    let gone = 0;
    let uploaded = 0;
    let takeUpload: () => void = () => {};

    const file = (end: number, headers: string[] = []): Response => {
      const fd = openSync(path, 'r');
      const release = () => {
        released += 1;
        closeSync(fd);
      };
      return Response.fromHeaders(200, headers, { fd, start: 10, end, release });
    };
    const upload = (incoming: Request): HandlerResult =>
      new Promise((resolve, reject) => {
        uploaded = 0;
        const sink: BodySink = {
          write(block) {
            uploaded += block.length;
            incoming.body?.pause();
          },
          end: () => resolve(Response.text(200, `got ${uploaded}`)),
          fail: reject,
        };
        incoming.body?.start(sink);
        incoming.body?.pause();
        takeUpload = () => incoming.body?.resume();
      });
    const eager = (incoming: Request): HandlerResult =>
      new Promise((resolve, reject) => {
        let bytes = 0;
        incoming.body?.start({
          write(block) {
            bytes += block.length;
          },
          end: () => resolve(Response.text(200, `got ${bytes}`)),
          fail: reject,
        });
      });
    const handlers: Record<string, (incoming: Request) => HandlerResult> = {
      '/hello': () =>
        Response.fromHeaders(200, ['Content-Type', 'text/plain', 'X-Mixed-Case', 'Va\xe9'], Buffer.from('hello')),
      '/prepared': () => new PreparedResponse(200, ['Content-Length', '8'], Buffer.from('prepared')),
      '/empty': () => Response.fromHeaders(200, [], null),
      '/no-content': () => Response.fromHeaders(204, ['Content-Length', '4'], Buffer.from('gone')),
      '/not-modified': () => Response.fromHeaders(304, ['Etag', '"x"'], Buffer.from('gone')),
      '/twice': () => Response.fromHeaders(200, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2'], null),
      '/repeated': () => Response.fromHeaders(200, ['Location', '/a', 'Location', '/b'], null),
      '/own-date': () => Response.fromHeaders(200, ['Date', 'Mon, 01 Jan 2024 00:00:00 GMT', 'Server', 'own'], null),
      '/stream': () => Response.fromHeaders(200, [], new Blocks(3, Buffer.from('block '))),
      '/large': () => Response.fromHeaders(200, [], Buffer.alloc(LARGE, 'x')),
      '/file': () => file(LARGE),
      '/file-head': () => file(LARGE, ['Content-Length', `${LARGE - 10}`]),
      '/file-short': () => file(LARGE + 1000, ['Content-Length', `${LARGE + 990}`]),
      '/endless': () => {
        source = new Blocks(1_000_000, Buffer.alloc(16_384, 'y'));
        return Response.fromHeaders(200, [], source);
      },
      '/breaks': () => Response.fromHeaders(200, [], new Blocks(9, Buffer.from('part '), 2)),
      '/breaks-first': () => Response.fromHeaders(200, [], new Blocks(9, Buffer.from('part '), 0)),
      '/too-short': () => Response.fromHeaders(200, ['Content-Length', '100'], Buffer.from('only this')),
      '/too-long': () => Response.fromHeaders(200, ['Content-Length', '4'], Buffer.from('only this')),
      '/stream-short': () => Response.fromHeaders(200, ['Content-Length', '100'], new Blocks(2, Buffer.from('ab'))),
      '/stream-long': () => Response.fromHeaders(200, ['Content-Length', '3'], new Blocks(2, Buffer.from('ab'))),
      '/throws': () => {
        throw new Error('the handler broke');
      },
      '/rejects': () => Promise.reject(new Error('the handler broke later')),
      '/upgrade': () => new UpgradeResponse('echo', [], () => {}),
      '/upload': upload,
      '/eager': eager,
      '/never': () => new Promise(() => {}),
    };

    before(async () => {
      writeFileSync(path, Buffer.alloc(LARGE, 'f'));
      server = await serveHandler(
        suite,
        (incoming) => {
          request = incoming;
          incoming.onGone = () => {
            gone += 1;
          };
          const handler = handlers[incoming.path];
          return handler === undefined ? Response.text(404, 'nothing there') : handler(incoming);
        },
        { protocol, limits: { bodyBytesMax: BODY_BYTES_MAX } },
      );
    });
    after(() => rmSync(directory, { recursive: true }));
    const ask = (method: string, target: string, headers: Record<string, string> = {}) =>
      fetchWhole(protocol, server.port, method, target, headers);
    const logged = async (what: string, matches: (last: { status: number; bodyBytes: number }) => boolean) =>
      eventually(`the log has ${what}`, () => {
        const last = server.answered.at(-1);
        return last !== undefined && matches(last);
      });

    it('gets a response with its fields, and those that the server adds', async () => {
      const answer = await ask('GET', '/hello');
      assert.equal(answer.status, 200);
      assert.equal(answer.text, 'hello');
      assert.equal(answer.headers['content-length'], '5');
      assert.equal(answer.headers['x-mixed-case'], 'Va\xe9');
      assert.equal(answer.headers.server, 'viaduct');
      assert.match(`${answer.headers.date}`, /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/);
      await logged('the response', ({ status, bodyBytes }) => status === 200 && bodyBytes === 5);
    });

    it('gets a prepared response', async () => {
      assert.equal((await ask('GET', '/prepared')).text, 'prepared');
    });

    it('gets an empty response with its length', async () => {
      const answer = await ask('GET', '/empty');
      assert.equal(answer.headers['content-length'], '0');
      assert.equal(answer.text, '');
    });

    it("gets the application's own Date and Server", async () => {
      const answer = await ask('GET', '/own-date');
      assert.equal(answer.headers.date, 'Mon, 01 Jan 2024 00:00:00 GMT');
      assert.equal(answer.headers.server, 'own');
    });

    it('gets each of several cookies', async () => {
      assert.deepEqual((await ask('GET', '/twice')).headers['set-cookie'], ['a=1', 'b=2']);
    });

    it('gets the first value of a field that may appear only once when it appears twice', async () => {
      assert.equal((await ask('GET', '/repeated')).headers.location, '/a');
    });

    it('gets the length, but no content, with HEAD', async () => {
      const answer = await ask('HEAD', '/hello');
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['content-length'], '5');
      assert.equal(answer.text, '');
    });

    it('gets no content of a file with HEAD, and the file is freed', async () => {
      const before = released;
      const answer = await ask('HEAD', '/file-head');
      assert.equal(answer.headers['content-length'], `${LARGE - 10}`);
      assert.equal(answer.text, '');
      assert.equal(released, before + 1);
    });

    it('gets 204 without content and length', async () => {
      const answer = await ask('GET', '/no-content');
      assert.equal(answer.status, 204);
      assert.equal(answer.headers['content-length'], undefined);
      assert.equal(answer.text, '');
    });

    it('gets 304 without content', async () => {
      const answer = await ask('GET', '/not-modified');
      assert.equal(answer.status, 304);
      assert.equal(answer.headers.etag, '"x"');
      assert.equal(answer.text, '');
    });

    it('gets a streamed response', async () => {
      const answer = await ask('GET', '/stream');
      assert.equal(answer.text, 'block block block ');
      assert.ok(answer.whole);
    });

    it('gets a large response from memory', async () => {
      const answer = await ask('GET', '/large');
      assert.equal(answer.text.length, LARGE);
      await logged('its size', ({ bodyBytes }) => bodyBytes === LARGE);
    });

    it('gets a part of a file, which is freed once', async () => {
      const before = released;
      const answer = await ask('GET', '/file');
      assert.equal(answer.text.length, LARGE - 10);
      assert.match(answer.text.slice(0, 100), /^f+$/);
      await eventually('the file is freed', () => released === before + 1);
    });

    it('makes a source pause when it reads slowly, and gets more when it reads again', async () => {
      const channel = openRequest(protocol, server.port, 'GET', '/endless');
      channel.upload.end();
      const answer = await channel.answer();
      await eventually('the source pauses', () => source.paused);
      const pushed = source.pushed;
      assert.ok(pushed * 16_384 < 16_000_000, `${pushed} blocks were pushed to a client that does not read`);
      answer.body.resume();
      await eventually('more was pushed', () => source.pushed > pushed + 100);
      assert.ok(source.pauses >= 1);
      answer.abandon();
      await eventually('the source is cancelled', () => source.cancelled);
      channel.abandon();
    });

    it('frees a file when it leaves in the middle of it', async () => {
      const [before, goneBefore] = [released, gone];
      const channel = openRequest(protocol, server.port, 'GET', '/file');
      channel.upload.end();
      const answer = await channel.answer();
      answer.abandon();
      await eventually('the file is freed', () => released === before + 1);
      await eventually('the request is gone', () => request?.gone === true && gone === goneBefore + 1);
      channel.abandon();
    });

    it('makes its request gone, once, when it leaves before the response', async () => {
      const goneBefore = gone;
      const channel = openRequest(protocol, server.port, 'GET', '/never');
      channel.upload.end();
      await eventually('the handler has it', () => request?.path === '/never' && request.gone === false);
      channel.abandon();
      await eventually('the request is gone', () => request?.gone === true);
      assert.equal(gone, goneBefore + 1);
    });

    // Over HTTP/1.1 the server does not read, so it cannot see that the client leaves before the application reads.
    if (protocol === 'HTTP/2')
      it('fails content that the application starts to read after the client has left', async () => {
        const channel = openRequest(protocol, server.port, 'POST', '/never');
        channel.upload.write('some');
        await eventually('the handler has it', () => request?.path === '/never' && request.gone === false);
        const left = request as Request | null;
        channel.abandon();
        await eventually('the request is gone', () => left?.gone === true);
        const error = await new Promise<Error>((resolve, reject) => {
          left?.body?.start({ write() {}, end: () => reject(new Error('complete')), fail: resolve });
        });
        assert.match(error.message, /the client has left/);
      });

    for (const target of ['/breaks', '/too-short', '/stream-short', '/file-short']) {
      it(`sees that a response is incomplete: ${target}`, async () => {
        const errors = server.errors.length;
        const answer = await ask('GET', target);
        assert.equal(answer.status, 200);
        assert.equal(answer.whole, false);
        assert.ok(server.errors.length > errors);
      });
    }

    for (const [target, text] of [
      ['/too-long', 'only'],
      ['/stream-long', 'aba'],
    ] as const) {
      it(`gets only as many bytes as Content-Length says: ${target}`, async () => {
        const errors = server.errors.length;
        const answer = await ask('GET', target);
        assert.equal(answer.text, text);
        assert.ok(answer.whole);
        assert.equal(server.errors.length, errors + 1);
      });
    }

    for (const target of ['/throws', '/rejects', '/breaks-first', '/upgrade']) {
      it(`gets 500 when the handler has no response: ${target}`, async () => {
        const errors = server.errors.length;
        const answer = await ask('GET', target);
        assert.equal(answer.status, 500);
        assert.equal(answer.text, 'Internal Server Error\n');
        assert.equal(server.errors.length, errors + 1);
      });
    }

    it('sends an upload no faster than the application takes it', async () => {
      const channel = openRequest(protocol, server.port, 'POST', '/upload', { 'content-length': `${BODY_BYTES_MAX}` });
      channel.upload.write(Buffer.alloc(BODY_BYTES_MAX / 2));
      await eventually('the handler has it', () => request?.path === '/upload' && request.gone === false);
      assert.equal(request?.body?.length, BODY_BYTES_MAX);
      assert.ok(uploaded <= 65_536, `${uploaded} bytes arrived although the handler had paused`);
      channel.upload.end(Buffer.alloc(BODY_BYTES_MAX / 2));
      let answer: { readonly status: number } | null = null;
      void channel.answer().then((received) => {
        answer = received;
      });
      let most = 0;
      await within(PATIENCE_MS, 'the upload', async () => {
        while (answer === null) {
          const before = uploaded;
          takeUpload();
          await setImmediate();
          most = Math.max(most, uploaded - before);
        }
      });
      assert.equal(uploaded, BODY_BYTES_MAX);
      assert.ok(most < BODY_BYTES_MAX / 2, `${most} bytes arrived at once`);
      channel.abandon();
    });

    it('may send content without announcing its length', async () => {
      const channel = openRequest(protocol, server.port, 'POST', '/eager');
      channel.upload.write('some ');
      channel.upload.end('content');
      const answer = await channel.answer();
      assert.equal((await answer.body.toArray()).join(''), 'got 12');
      assert.equal(request?.body?.length, -1);
      channel.abandon();
    });

    it('gets 413 before it sends the content when the announced length is too large', async () => {
      const headers = { 'content-length': `${BODY_BYTES_MAX + 1}` };
      const channel = openRequest(protocol, server.port, 'POST', '/eager', headers);
      channel.upload.write('x');
      assert.equal((await channel.answer()).status, 413);
      channel.abandon();
    });

    it('gets 413 when content without an announced length grows too large', async () => {
      const channel = openRequest(protocol, server.port, 'POST', '/eager');
      channel.upload.write(Buffer.alloc(BODY_BYTES_MAX + 1));
      assert.equal((await channel.answer()).status, 413);
      channel.abandon();
    });

    it('gets 431 for too many fields, and for a field that is too long', async () => {
      const many = Object.fromEntries(Array.from({ length: 110 }, (_, i) => [`x-${i}`, 'v']));
      assert.equal((await ask('GET', '/hello', many)).status, 431);
      assert.equal((await ask('GET', '/hello', { 'x-long': 'v'.repeat(40_000) })).status, 431);
    });

    it('gets 414 for a target that is too long', async () => {
      assert.equal((await ask('GET', `/${'x'.repeat(9000)}`)).status, 414);
    });

    for (const target of ['/%zz', '/a%00b', '/a\\b', '/a"%0']) {
      it(`gets 400 for the target ${target}`, async () => {
        assert.equal((await ask('GET', target)).status, 400);
      });
    }

    it('gets 405 with the allowed methods for TRACE', async () => {
      const answer = await ask('TRACE', '/hello');
      assert.equal(answer.status, 405);
      assert.match(`${answer.headers.allow}`, /GET/);
    });

    it('gets 417 for an unknown expectation', async () => {
      assert.equal((await ask('GET', '/hello', { expect: 'the-unexpected' })).status, 417);
    });
  });
}
