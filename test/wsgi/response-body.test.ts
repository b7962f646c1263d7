import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Application, Header, ResponseBody, StartResponse } from '../../src/wsgi/contract.ts';
import { serveWsgi } from '../support/serve-wsgi.ts';
import { SocketClient } from '../support/socket-client.ts';
import { PATIENCE_MS, within } from '../support/wait.ts';

const one = Buffer.from('one ');
const two = Buffer.from('two');
const nothing = Buffer.alloc(0);
const TEXT: readonly Header[] = [['Content-Type', 'text/plain']];

function* blocks(): Generator<Uint8Array> {
  yield one;
  yield nothing;
  yield two;
}

async function* later(): AsyncGenerator<Uint8Array> {
  yield* blocks();
}

/** An application that starts its response correctly and returns the body of `make`. */
function returning(make: (startResponse: StartResponse) => unknown): Application {
  return (_environ, startResponse) => {
    startResponse('200 OK', TEXT);
    return make(startResponse) as ResponseBody;
  };
}

/** A promise, and the function that fulfils it. */
function signal(): { readonly given: Promise<void>; give(): void } {
  let give = (): void => {};
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { given, give: () => give() };
}

describe('the body of a response', { concurrency: 4 }, () => {
  for (const [what, make, framing] of [
    ['an array', () => [one, nothing, two], 'length'],
    ['an array of one block', () => [Buffer.from('one two')], 'length'],
    ['an array with close', () => Object.assign([one, two], { close() {} }), 'length'],
    ['an array of plain Uint8Arrays', () => [new Uint8Array(one), new Uint8Array(two)], 'length'],
    ['a set', () => new Set([one, two]), 'chunked'],
    ['a generator', blocks, 'chunked'],
    ['an async generator', later, 'chunked'],
    ['an iterator', () => [one, two].values(), 'chunked'],
  ] as const) {
    it(`is sent whole when it is ${what}`, async (t) => {
      const { ask, errors } = await serveWsgi(t, returning(make));
      const answer = await ask();
      assert.deepEqual([answer.body, answer.whole, answer.framing], ['one two', true, framing]);
      const old = await ask('/', { version: '1.0' });
      assert.deepEqual([old.body, old.framing], ['one two', framing === 'length' ? 'length' : 'close']);
      assert.deepEqual(errors, []);
    });
  }

  for (const [what, make] of [
    ['an empty array', () => []],
    ['an array of empty blocks', () => [nothing, nothing]],
    ['a generator of nothing', () => [][Symbol.iterator]()],
    [
      'an async generator of empty blocks',
      async function* () {
        yield nothing;
      },
    ],
  ] as const) {
    it(`is empty, with a Content-Length, when it is ${what}`, async (t) => {
      const { ask, errors } = await serveWsgi(t, returning(make));
      const answer = await ask();
      assert.deepEqual([answer.status, answer.body, answer.header('content-length'), errors], [200, '', '0', []]);
    });
  }

  it('is sent as one block, with one notice, when it is bytes itself', async (t) => {
    const { ask, errors, notices } = await serveWsgi(t, returning((() => one) as never));
    for (let round = 0; round < 2; round += 1) {
      const answer = await ask();
      assert.deepEqual([answer.status, answer.body, answer.header('content-length')], [200, 'one ', '4']);
    }
    assert.deepEqual([errors, notices.length], [[], 1]);
    assert.match(notices[0] as string, /returned bytes, not an iterable of blocks/);
  });

  for (const [what, make] of [
    ['undefined', () => undefined],
    ['null', () => null],
    ['text', () => 'text'],
    ['a number', () => 7],
    ['an object', () => ({})],
    ['a function', () => () => [one]],
  ] as const) {
    it(`fails the request when it is ${what}`, async (t) => {
      const { ask, errors } = await serveWsgi(t, returning(make));
      const { status, body } = await ask();
      assert.deepEqual([status, body, errors.length], [500, 'failed', 1]);
      assert.match(errors[0] as string, /and not an iterable of blocks/);
    });
  }

  for (const [what, block] of [
    ['text', 'text'],
    ['null', null],
    ['undefined', undefined],
    ['a number', 7],
    ['an array', [1]],
    ['an ArrayBuffer', new ArrayBuffer(4)],
    ['a DataView', new DataView(new ArrayBuffer(4))],
    ['a promise', Promise.resolve(one)],
  ] as const) {
    it(`fails the request when a block is ${what}, and breaks off after other blocks were sent`, async (t) => {
      const { ask, errors } = await serveWsgi(t, (environ, startResponse) => {
        startResponse('200 OK', TEXT);
        const all = environ.PATH_INFO === '/second' ? [one, block] : [block];
        if (environ.QUERY_STRING === 'array') return all as Uint8Array[];
        return (function* () {
          yield* all;
        })() as Iterable<Uint8Array>;
      });
      for (const target of ['/first?array', '/first', '/second?array'])
        assert.equal((await ask(target)).body, 'failed');
      const cut = await ask('/second');
      assert.deepEqual([cut.status, cut.body, cut.whole], [200, 'one ', false]);
      assert.equal(errors.length, 4);
      for (const line of errors) assert.match(line, /a block must be a Uint8Array, not/);
    });
  }

  it('has the blocks of write first, and then those of the iteration', async (t) => {
    const { ask, errors } = await serveWsgi(t, async (environ, startResponse) => {
      const write = startResponse('200 OK', TEXT);
      await write(one);
      await write(nothing);
      if (environ.PATH_INFO === '/nothing') return [];
      if (environ.PATH_INFO === '/array') return [two];
      return environ.PATH_INFO === '/generator' ? blocks() : later();
    });
    const bodies = ['one ', 'one two', 'one one two', 'one one two'];
    for (const [i, target] of ['/nothing', '/array', '/generator', '/later'].entries()) {
      const { body, whole, framing } = await ask(target);
      assert.deepEqual([body, whole, framing], [bodies[i], true, 'chunked'], target);
    }
    assert.deepEqual(errors, []);
  });

  it('keeps the order when write is called during the iteration', async (t) => {
    const { ask, errors } = await serveWsgi(
      t,
      returning((startResponse) =>
        (async function* () {
          const write = startResponse('200 OK', TEXT, new Error('to get it again'));
          await write(one);
          yield two;
          await write(one);
          yield two;
        })(),
      ),
    );
    const { body, whole } = await ask();
    assert.deepEqual([body, whole, errors], ['one twoone two', true, []]);
  });

  it('fails the request when write gets a value that is not bytes', async (t) => {
    const { ask, errors } = await serveWsgi(t, (_environ, startResponse) => {
      void startResponse('200 OK', TEXT)('text' as unknown as Uint8Array);
      return [one];
    });
    assert.equal((await ask()).body, 'failed');
    assert.match(errors.join(), /a block must be a Uint8Array/);
  });

  it('is sent block by block: the next block is requested after the last one was sent', async (t) => {
    const { given, give } = signal();
    const server = await serveWsgi(
      t,
      returning(async function* () {
        yield one;
        await given;
        yield two;
      }),
    );
    const client = await SocketClient.open(server.port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until(/one /);
    assert.doesNotMatch(client.received, /two/);
    give();
    await client.until(/two\r\n0\r\n\r\n$/);
    client.close();
  });

  it('waits for a client that does not read, and continues when it reads', async (t) => {
    let produced = 0;
    const COUNT = 600;
    const server = await serveWsgi(t, (environ, startResponse) => {
      startResponse('200 OK', TEXT);
      if (environ.PATH_INFO !== '/much') return [];
      return (function* () {
        for (; produced < COUNT; produced += 1) yield Buffer.alloc(65536, 'x');
      })();
    });
    const client = await SocketClient.open(server.port);
    client.socket.pause();
    client.send('GET /much HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    let before = -1;
    await within(PATIENCE_MS, 'the generator to stand still', async () => {
      for (let still = 0; still < 20; ) {
        await server.ask(); // a turn of the server's event loop
        still = produced === before ? still + 1 : 0;
        before = produced;
      }
    });
    assert.ok(produced < COUNT, `${produced}`);
    client.socket.resume();
    await client.untilClosed();
    assert.equal(produced, COUNT);
    assert.match(client.received, /0\r\n\r\n$/);
  });
});
