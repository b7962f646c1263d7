import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Response } from '../../../src/http/response.ts';
import type {
  Application,
  Client,
  Environ,
  FileWrapper,
  Header,
  ResponseBody,
  StartResponse,
} from '../../../src/wsgi/contract.ts';
import { applicationOf } from '../../../src/wsgi/native-application.ts';
import type { HttpAnswer } from '../../support/http-message.ts';
import { serveWsgi } from '../../support/serve-wsgi.ts';
import { SocketClient } from '../../support/socket-client.ts';
import { recordViolations } from '../../support/violations.ts';

const a = Buffer.from('first ');
const b = Buffer.from('second');
const TEXT: Header = ['Content-Type', 'text/plain'];
const THIS = fileURLToPath(import.meta.url);

type Answer = (environ: Environ, startResponse: StartResponse) => ResponseBody | Promise<ResponseBody>;

const ok = (startResponse: StartResponse, ...headers: Header[]) => startResponse('200 OK', [TEXT, ...headers]);
const wrapperOf = (environ: Environ) => environ['wsgi.file_wrapper'] as FileWrapper;

/** Correct applications that answer `first second`. */
const CORRECT: Readonly<Record<string, Answer>> = {
  'an array': (_environ, start) => {
    ok(start);
    return [a, Buffer.alloc(0), b];
  },
  'an array with its length and a close': (_environ, start) => {
    ok(start, ['Content-Length', '12']);
    return Object.assign([a, b], { close() {} });
  },
  'a set': (_environ, start) => {
    ok(start);
    return new Set([a, b]);
  },
  'a generator that starts late': (_environ, start) =>
    (function* () {
      yield Buffer.alloc(0);
      ok(start);
      yield a;
      yield b;
    })(),
  'an async generator with a close': (_environ, start) => {
    ok(start);
    const blocks = (async function* () {
      yield a;
      yield b;
    })();
    return Object.assign(blocks, { async close() {} });
  },
  'a stream': (_environ, start) => {
    ok(start);
    return Readable.from([a, b]);
  },
  'a web stream': (_environ, start) => {
    ok(start);
    return new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(a);
        controller.enqueue(b);
        controller.close();
      },
    });
  },
  'write and an iterable': async (_environ, start) => {
    await ok(start)(a);
    return [b];
  },
  'a promise': async (_environ, start) => {
    await new Promise((resolve) => setImmediate(resolve));
    ok(start);
    return [a, b];
  },
  'an error that replaces the head': (_environ, start) => {
    start('500 Internal Server Error', [['X-Old', '1']]);
    start('200 OK', [TEXT], new Error('replaced'));
    return [a, b];
  },
  'a file wrapper of a stream': (environ, start) => {
    ok(start);
    return wrapperOf(environ)(Readable.from([a, b]));
  },
  'a file wrapper of a file': async (environ, start) => {
    ok(start);
    return wrapperOf(environ)(await open(THIS));
  },
  'the input, read in each way': async (environ, start) => {
    const input = environ['wsgi.input'];
    let text = '';
    text += await input.read(2);
    text += await input.readline();
    text += (await input.readlines(1)).join('');
    for await (const line of input) text += line;
    environ['wsgi.errors'].write(`read ${text.length}\n`);
    environ['wsgi.errors'].flush();
    ok(start);
    return [a, b];
  },
  'a body that repeats the request': (environ, start) => {
    ok(start);
    return environ.REQUEST_METHOD === 'POST' ? (environ['wsgi.input'].blocks() as ResponseBody) : [];
  },
};

function comparable({ status, headers, body, whole, framing }: HttpAnswer): object {
  return { status, headers: headers.filter(([name]) => name !== 'date'), body, whole, framing };
}

describe('validator around correct applications', { concurrency: 4 }, () => {
  for (const [name, answer] of Object.entries(CORRECT)) {
    it(`reports no violation, and changes nothing, with ${name}`, async (t) => {
      const { check, violations } = recordViolations();
      const plain = await serveWsgi(t, answer);
      const checked = await serveWsgi(t, check(check(answer)));
      const requests = [
        {},
        { method: 'HEAD' },
        { version: '1.0' },
        { method: 'POST', body: 'one\ntwo\n\nthree\nfour' },
      ] as const;
      for (const request of requests) {
        const expected = await plain.ask('/a%2Fb?x', request);
        const answered = await checked.ask('/a%2Fb?x', request);
        assert.deepEqual(comparable(answered), comparable(expected));
        assert.equal(answered.status, 200);
        assert.ok(answered.whole);
      }
      assert.deepEqual(violations, []);
      assert.deepEqual(checked.errors, []);
      assert.deepEqual(checked.lines, plain.lines);
    });
  }

  it('reports no violation when there is no content to send', async (t) => {
    const { check, violations } = recordViolations();
    const application: Application = (environ, startResponse) => {
      if (environ.PATH_INFO === '/204') startResponse('204 No Content', []);
      else startResponse('304 Not Modified', [['Content-Length', '7']]);
      return [];
    };
    const server = await serveWsgi(t, check(application));
    assert.equal((await server.ask('/204')).status, 204);
    assert.equal((await server.ask('/304')).status, 304);
    assert.deepEqual(violations, []);
  });

  it('reports no violation by the server when the client leaves, and when the application fails', async (t) => {
    const { check, violations } = recordViolations();
    let closed = (): void => {};
    const isClosed = new Promise<void>((resolve) => (closed = resolve));
    const server = await serveWsgi(
      t,
      check((environ, startResponse) => {
        if (environ.PATH_INFO === '/fails') throw new Error('on purpose');
        ok(startResponse);
        const endless = (function* () {
          if (environ.PATH_INFO === '/breaks') {
            yield a;
            throw new Error('midway');
          }
          for (;;) yield Buffer.alloc(65536);
        })();
        return Object.assign(endless, {
          close: () => environ.PATH_INFO === '/' && closed(),
        }) as unknown as ResponseBody;
      }),
    );
    assert.equal((await server.ask('/fails')).status, 500);
    assert.equal((await server.ask('/breaks')).whole, false);
    const client = await SocketClient.open(server.port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until(/\r\n\r\n/);
    client.close();
    await isClosed;
    assert.deepEqual(violations, []);
  });

  it('reports no violation by an application that stops before its Content-Length because the client has left', async (t) => {
    const { check, violations } = recordViolations();
    for (const isWriting of [false, true]) {
      let over = (): void => {};
      const isOver = new Promise<void>((resolve) => {
        over = resolve;
      });
      const application: Application = async (environ, startResponse) => {
        const write = ok(startResponse, ['Content-Length', '1000000000']);
        const client = environ['viaduct.client'] as Client;
        const isGone = new Promise((resolve) => client.signal.addEventListener('abort', resolve));
        if (isWriting) {
          await write(a);
          await isGone;
          setImmediate(over);
          return [];
        }
        return (async function* () {
          yield a;
          await isGone;
          setImmediate(over);
        })();
      };
      const server = await serveWsgi(t, check(application));
      const client = await SocketClient.open(server.port);
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await client.until(/first /);
      client.socket.resetAndDestroy();
      await isOver;
      assert.deepEqual([violations, server.errors], [[], []]);
    }
  });

  it('reports no violation by an application that takes requests, and passes them to it unchanged', async (t) => {
    const { check, violations } = recordViolations();
    const seen: unknown[] = [];
    const python = applicationOf((request) => {
      seen.push(request.method, request.path, request.body === null);
      return Response.text(200, 'answered');
    });
    const passing: Application = (environ, startResponse) => check(python)(environ, startResponse);
    const server = await serveWsgi(t, check(passing));
    assert.equal((await server.ask('/x')).body, 'answered');
    assert.equal((await server.ask('/y', { method: 'POST', body: 'content' })).body, 'answered');
    assert.deepEqual(seen, ['GET', '/x', true, 'POST', '/y', false]);
    assert.deepEqual(violations, []);
  });

  it('checks middleware on both sides', async (t) => {
    const { check, violations } = recordViolations();
    const broken: Application = (environ, startResponse) => {
      environ.PATH_INFO = 'x';
      return inside(environ, (status, headers) => startResponse(status, [...headers, ['Connection', 'close']]));
    };
    const inside = check((_environ, startResponse) => {
      ok(startResponse);
      return [a];
    });
    const server = await serveWsgi(t, check(broken));
    assert.equal((await server.ask()).status, 200);
    assert.deepEqual(
      violations.map(({ name, side }) => [name, side]),
      [
        ['environ-key-wrong-value', 'server'],
        ['header-hop-by-hop', 'application'],
      ],
    );
  });
});
