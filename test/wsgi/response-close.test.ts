import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Header, ResponseBody } from '../../src/wsgi/contract.ts';
import { type ApplicationServer, serveHere } from '../support/application-server.ts';
import { eventually, SocketClient } from '../support/socket-client.ts';

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

  /** `blocks` with a close that is noted, and then does what `closing` does. */
  closing(blocks: object, closing: () => unknown = () => undefined): ResponseBody {
    const close = (): unknown => {
      this.note('close');
      return closing();
    };
    return Object.assign(blocks, { close }) as ResponseBody;
  }

  /** Iterators whose `next` and `return` are noted. */
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

/** A client that goes at once: one that only says that it will send no more may still read. */
async function leave(server: ApplicationServer, until: RegExp): Promise<void> {
  const client = await SocketClient.open(server.port);
  client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await client.until(until);
  client.socket.resetAndDestroy();
}

function serveBody(t: TestContext, make: () => object, headers = TEXT, status = '200 OK'): Promise<ApplicationServer> {
  return serveHere(t, (_environ, startResponse) => {
    startResponse(status, headers);
    return make() as ResponseBody;
  });
}

describe('close of a body', { concurrency: 4 }, () => {
  for (const isAsync of [false, true]) {
    const kind = isAsync ? 'an async iterable' : 'an iterable';

    it(`is called once, and return is not, at the end of ${kind}`, async (t) => {
      const diary = new Diary();
      const { ask, told } = await serveBody(t, () => diary.closing(diary.counting(2, isAsync)));
      assert.equal((await ask()).body, 'blockblock');
      assert.deepEqual([diary.entries, told], [['next', 'next', 'next', 'close'], []]);
    });

    it(`comes behind return when Content-Length is reached before the end of ${kind}`, async (t) => {
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
      it(`comes after one block at most of ${kind} for ${what}`, async (t) => {
        const diary = new Diary();
        const { ask, told } = await serveBody(t, () => diary.closing(diary.counting(9, isAsync)), [], status);
        const answer = await ask('/', { method });
        assert.deepEqual([answer.body, answer.whole], ['', true]);
        assert.deepEqual([await diary.closed, told], [['next', 'return', 'close'], []]);
      });
    }

    it(`comes behind return when the client goes while ${kind} is sent`, async (t) => {
      const diary = new Diary();
      const server = await serveBody(t, () => diary.closing(diary.counting(Number.MAX_SAFE_INTEGER, isAsync)));
      await leave(server, /block/);
      const entries = await diary.closed;
      assert.deepEqual(entries.slice(-2), ['return', 'close']);
      assert.equal(entries.filter((entry) => entry !== 'next').length, 2);
    });

    it(`comes when ${kind} fails, before the first block and behind it`, async (t) => {
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
        assert.match(server.told.join(), /^failed on purpose$/);
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
      const { ask } = await serveHere(t, () => diary.closing(make()));
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
    it(`does no harm to the response when it ${what}`, async (t) => {
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
        await eventually('it is told', () => server.told.join() === 'closed on purpose');
      }
    });
  }

  it('does no harm to a complete response when it calls start_response, which throws there', async (t) => {
    for (const excInfo of [undefined, new Error('given on purpose')]) {
      const diary = new Diary();
      const server = await serveHere(t, (_environ, startResponse) => {
        startResponse('200 OK', TEXT);
        return diary.closing([block], () => startResponse('500 Internal Server Error', TEXT, excInfo));
      });
      const { status, body, whole } = await server.ask();
      assert.deepEqual([status, body, whole], [200, 'block', true]);
      assert.match(server.told.join(), excInfo === undefined ? /a second time/ : /^given on purpose$/);
    }
  });

  it('and return are called while a block is awaited and the client goes, also before the first one', async (t) => {
    for (const count of [0, 1]) {
      const diary = new Diary();
      const waiting = { resolve: () => {} };
      const asked = new Promise<void>((resolve) => {
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
      await asked;
      client.socket.resetAndDestroy();
      assert.deepEqual(await diary.closed, ['return', 'close']);
      assert.deepEqual(server.told, []);
    }
  });

  it('is called for a body that is returned when the client has gone', async (t) => {
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
      const server = await serveHere(t, async (environ, startResponse) => {
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
      assert.deepEqual(server.told, []);
    }
  });

  it('tells nothing of what the signal of a client that has gone aborts', async (t) => {
    const diary = new Diary();
    const server = await serveHere(t, (environ, startResponse) => {
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
    assert.equal((await server.ask('/', { method: 'HEAD' })).status, 200); // what the rejection does is done
    assert.deepEqual(server.told, []);
  });

  it('runs the finally of a generator when the client goes', async (t) => {
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

  it('tells of a return that fails, and still comes', async (t) => {
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
      await eventually('it is told', () => server.told.join() === 'returned on purpose');
    }
  });
});
