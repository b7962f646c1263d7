import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Header, ResponseBody } from '../../src/wsgi/contract.ts';
import { type ApplicationServer, serveWsgi } from '../support/serve-wsgi.ts';
import { SocketClient } from '../support/socket-client.ts';
import { eventually } from '../support/wait.ts';

const block = Buffer.from('block');
const TEXT: readonly Header[] = [['Content-Type', 'text/plain']];

/** What happened to a body, in order. */
class Diary {
  readonly entries: string[] = [];
  /** Resolves with the entries when the body is closed. */
  readonly closed: Promise<string[]>;
  #close = (): void => {};

  constructor() {
    this.closed = new Promise((resolve) => {
      this.#close = () => resolve(this.entries);
    });
  }

  note(entry: string): void {
    this.entries.push(entry);
    if (entry === 'close') this.#close();
  }

  /** `blocks` with a `close` that is recorded and then calls `closing`. */
  closing(blocks: object, closing: () => unknown = () => undefined): ResponseBody {
    const close = (): unknown => {
      this.note('close');
      return closing();
    };
    return Object.assign(blocks, { close }) as ResponseBody;
  }

  /** Iterators whose `next` and `return` are recorded. */
  counting(count: number, isAsync: boolean): object {
    let left = count;
    const step = () => {
      this.note('next');
      left -= 1;
      return left < 0 ? { done: true, value: undefined } : { done: false, value: block };
    };
    const give = (): unknown => {
      this.note('return');
      return { done: true, value: undefined };
    };
    if (!isAsync) return { [Symbol.iterator]: () => ({ next: step, return: give }) };
    return { [Symbol.asyncIterator]: () => ({ next: async () => step(), return: async () => give() }) };
  }
}

/** A client that leaves at once. A client that only stops sending may still read. */
async function leave(server: ApplicationServer, until: RegExp): Promise<void> {
  const client = await SocketClient.open(server.port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.until(until);
  client.socket.resetAndDestroy();
}

function serveBody(t: TestContext, make: () => object, headers = TEXT, status = '200 OK'): Promise<ApplicationServer> {
  return serveWsgi(t, (_environ, startResponse) => {
    startResponse(status, headers);
    return make() as ResponseBody;
  });
}

describe('close of a body', { concurrency: 4 }, () => {
  for (const isAsync of [false, true]) {
    const kind = isAsync ? 'an async iterable' : 'an iterable';

    it(`is called once, and return is not, at the end of ${kind}`, async (t) => {
      const diary = new Diary();
      const { ask, errors } = await serveBody(t, () => diary.closing(diary.counting(2, isAsync)));
      assert.equal((await ask()).body, 'blockblock');
      assert.deepEqual([diary.entries, errors], [['next', 'next', 'next', 'close'], []]);
    });

    it(`is called after return when Content-Length is reached before the end of ${kind}`, async (t) => {
      const diary = new Diary();
      const { ask } = await serveBody(t, () => diary.closing(diary.counting(9, isAsync)), [['Content-Length', '10']]);
      const answer = await ask();
      assert.deepEqual([answer.body, answer.whole], ['blockblock', true]);
      assert.deepEqual(await diary.closed, ['next', 'next', 'return', 'close']);
    });

    for (const [what, method, status] of [
      ['HEAD', 'HEAD', '200 OK'],
      ['204', 'GET', '204 No Content'],
      ['304', 'GET', '304 Not Modified'],
    ] as const) {
      it(`is called after at most one block of ${kind} for ${what}`, async (t) => {
        const diary = new Diary();
        const { ask, errors } = await serveBody(t, () => diary.closing(diary.counting(9, isAsync)), [], status);
        const answer = await ask('/', { method });
        assert.deepEqual([answer.body, answer.whole], ['', true]);
        assert.deepEqual([await diary.closed, errors], [['next', 'return', 'close'], []]);
      });
    }

    it(`is called after return when the client leaves while ${kind} is sent`, async (t) => {
      const diary = new Diary();
      const server = await serveBody(t, () => diary.closing(diary.counting(Number.MAX_SAFE_INTEGER, isAsync)));
      await leave(server, /block/);
      const entries = await diary.closed;
      assert.deepEqual(entries.slice(-2), ['return', 'close']);
      assert.equal(entries.filter((entry) => entry !== 'next').length, 2);
    });

    it(`is called when ${kind} fails, before and after the first block`, async (t) => {
      for (const count of [0, 1]) {
        const diary = new Diary();
        const failing = function* () {
          if (count === 1) yield block;
          throw new Error('failed on purpose');
        };
        const failingLater = async function* () {
          yield* failing();
        };
        const server = await serveBody(t, () => diary.closing(isAsync ? failingLater() : failing()));
        const { status, whole } = await server.ask();
        assert.deepEqual([status, whole], count === 0 ? [500, true] : [200, false]);
        assert.deepEqual(await diary.closed, ['close']);
        assert.match(server.errors.join(), /^failed on purpose$/);
      }
    });
  }

  it('is called for an array, however the response ends', async (t) => {
    for (const [blocks, status] of [
      [[block], 200],
      [[], 200],
      [['text'], 500],
    ] as const) {
      const diary = new Diary();
      const { ask } = await serveBody(t, () => diary.closing([...blocks]));
      assert.equal((await ask()).status, status);
      assert.deepEqual(diary.entries, ['close']);
    }
  });

  it('is called when start_response was not', async (t) => {
    for (const make of [() => [block], () => [][Symbol.iterator](), () => [block].values()]) {
      const diary = new Diary();
      const { ask } = await serveWsgi(t, () => diary.closing(make()));
      assert.equal((await ask()).status, 500);
      assert.deepEqual(await diary.closed, ['close']);
    }
  });

  for (const [what, closing] of [
    [
      'throws',
      () => {
        throw new Error('closed on purpose');
      },
    ],
    ['rejects', () => Promise.reject(new Error('closed on purpose'))],
  ] as const) {
    it(`does not harm the response when it ${what}`, async (t) => {
      for (const make of [
        () => [block],
        () => [block].values(),
        async function* () {
          yield block;
        },
      ]) {
        const diary = new Diary();
        const server = await serveBody(t, () => diary.closing(make(), closing));
        const { body, whole } = await server.ask();
        assert.deepEqual([body, whole], ['block', true]);
        await diary.closed;
        await eventually('the error is reported', () => server.errors.join() === 'closed on purpose');
      }
    });
  }

  it('does not harm a complete response when it calls start_response, which then throws', async (t) => {
    for (const excInfo of [undefined, new Error('given on purpose')]) {
      const diary = new Diary();
      const server = await serveWsgi(t, (_environ, startResponse) => {
        startResponse('200 OK', TEXT);
        return diary.closing([block], () => startResponse('500 Internal Server Error', TEXT, excInfo));
      });
      const { status, body, whole } = await server.ask();
      assert.deepEqual([status, body, whole], [200, 'block', true]);
      assert.match(server.errors.join(), excInfo === undefined ? /a second time/ : /^given on purpose$/);
    }
  });

  it('and return are called when the client leaves while the server waits for a block, also for the first', async (t) => {
    for (const count of [0, 1]) {
      const diary = new Diary();
      const waiting = { resolve: () => {} };
      const requested = new Promise<void>((resolve) => {
        waiting.resolve = resolve;
      });
      const server = await serveBody(t, () => {
        let left = count;
        const next = () => {
          left -= 1;
          if (left >= 0) return Promise.resolve({ done: false, value: block });
          waiting.resolve();
          return new Promise<never>(() => {});
        };
        const iterator = { next, return: async () => diary.note('return') };
        return diary.closing({ [Symbol.asyncIterator]: () => iterator });
      });
      const client = await SocketClient.open(server.port);
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await requested;
      client.socket.resetAndDestroy();
      assert.deepEqual(await diary.closed, ['return', 'close']);
      assert.deepEqual(server.errors, []);
    }
  });

  it('is called for a body that is returned after the client has left', async (t) => {
    for (const make of [
      () => [block],
      () => [block].values(),
      () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) }),
    ]) {
      const diary = new Diary();
      let called = (): void => {};
      const isCalled = new Promise<void>((resolve) => {
        called = resolve;
      });
      const server = await serveWsgi(t, async (environ, startResponse) => {
        const client = environ['viaduct.client'];
        assert.ok(client !== undefined && !client.gone);
        called();
        await new Promise((resolve) => client.signal.addEventListener('abort', resolve));
        assert.ok(client.gone);
        startResponse('200 OK', TEXT);
        return diary.closing(make());
      });
      const client = await SocketClient.open(server.port);
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await isCalled;
      client.socket.resetAndDestroy();
      assert.deepEqual(await diary.closed, ['close']);
      assert.deepEqual(server.errors, []);
    }
  });

  for (const [what, blocks, request] of [
    ['its client leaves', block, 'GET'],
    ['its client leaves, and the blocks are empty', Buffer.alloc(0), 'GET'],
    ['the method is HEAD', block, 'HEAD'],
    ['its Content-Length is reached', block, 'POST'],
  ] as const) {
    it(`ends an application that awaits write in a loop when ${what}, and other clients get answers`, async (t) => {
      const diary = new Diary();
      const server = await serveWsgi(t, async ({ PATH_INFO, REQUEST_METHOD }, startResponse) => {
        const length: Header = ['Content-Length', '20'];
        const write = startResponse('200 OK', REQUEST_METHOD === 'POST' ? [length] : TEXT);
        if (PATH_INFO !== '/') return [block];
        diary.note('started');
        try {
          for (;;) await write(blocks);
        } finally {
          diary.note('close');
        }
      });
      const client = await SocketClient.open(server.port);
      client.send(`${request} / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n`);
      await eventually('the application has started', () => diary.entries.length > 0);
      assert.equal((await server.ask('/other')).body, 'block');
      if (request === 'GET') client.socket.resetAndDestroy();
      await diary.closed;
      assert.equal((await server.ask('/other')).body, 'block');
      assert.deepEqual(server.errors, []);
      client.close();
    });
  }

  it('harms nothing when an application does not await write, and its client leaves', async (t) => {
    const rejections: unknown[] = [];
    const onRejection = (reason: unknown): void => void rejections.push(reason);
    process.on('unhandledRejection', onRejection);
    t.after(() => process.off('unhandledRejection', onRejection));
    const diary = new Diary();
    const server = await serveWsgi(t, async ({ 'viaduct.client': client }, startResponse) => {
      const write = startResponse('200 OK', TEXT);
      void write(block);
      await new Promise((resolve) => client?.signal.addEventListener('abort', resolve));
      void write(block);
      await new Promise((resolve) => setTimeout(resolve, 5));
      return diary.closing([block]);
    });
    await leave(server, /block/);
    await diary.closed;
    assert.deepEqual([server.errors, rejections], [[], []]);
  });

  for (const isAsync of [false, true]) {
    it(`is called when the client leaves ${isAsync ? 'an async' : 'a'} generator of empty blocks, which starves no other client`, async (t) => {
      const diary = new Diary();
      const empty = Buffer.alloc(0);
      const server = await serveWsgi(t, ({ PATH_INFO }, startResponse) => {
        startResponse('200 OK', TEXT);
        if (PATH_INFO !== '/') return [block];
        diary.note('started');
        const blocks = isAsync
          ? (async function* () {
              for (;;) yield empty;
            })()
          : (function* () {
              for (;;) yield empty;
            })();
        return diary.closing(blocks);
      });
      const client = await SocketClient.open(server.port);
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await eventually('the generator has started', () => diary.entries.length > 0);
      assert.equal((await server.ask('/other')).body, 'block');
      client.socket.resetAndDestroy();
      await diary.closed;
      assert.deepEqual(server.errors, []);
    });
  }

  it('reports no error that the signal of a client that has left causes', async (t) => {
    const diary = new Diary();
    const server = await serveWsgi(t, (environ, startResponse) => {
      startResponse('200 OK', TEXT);
      const signal = environ['viaduct.client']?.signal as AbortSignal;
      const waiting = (async function* () {
        yield block;
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
        yield block;
      })();
      return diary.closing(waiting);
    });
    await leave(server, /block/);
    await diary.closed;
    assert.equal((await server.ask('/', { method: 'HEAD' })).status, 200); // the rejection was handled before this answer
    assert.deepEqual(server.errors, []);
  });

  it('runs the finally of a generator when the client leaves', async (t) => {
    const diary = new Diary();
    const server = await serveBody(t, async function* () {
      try {
        for (;;) yield block;
      } finally {
        diary.note('close');
      }
    });
    await leave(server, /block/);
    assert.deepEqual(await diary.closed, ['close']);
  });

  it('is called after a return that fails, which is reported', async (t) => {
    for (const returns of [
      () => {
        throw new Error('returned on purpose');
      },
      () => Promise.reject(new Error('returned on purpose')),
    ]) {
      const diary = new Diary();
      const iterator = { next: () => ({ done: false, value: block }), return: returns };
      const server = await serveBody(t, () => diary.closing({ [Symbol.iterator]: () => iterator }), [
        ['Content-Length', '5'],
      ]);
      assert.equal((await server.ask()).whole, true);
      assert.deepEqual(await diary.closed, ['close']);
      await eventually('the error is reported', () => server.errors.join() === 'returned on purpose');
    }
  });
});
