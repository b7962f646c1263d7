import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { Spool } from '../../src/http/buffering/spool.ts';
import type { BodySink, BodySource } from '../../src/http/message.ts';
import { ask, encode } from '../support/http-client.ts';
import { ProxyFront } from '../support/proxy-front.ts';
import { createRandom, noise } from '../support/random.ts';
import { RawBackend, type RawConnection } from '../support/raw-backend.ts';
import { eventually, SocketClient } from '../support/socket-client.ts';

/** A proxy with these options before a backend that calls `onData` for what comes. */
async function before(
  t: TestContext,
  options: Parameters<typeof ProxyFront.start>[1],
  onData: (connection: RawConnection) => void,
): Promise<{ front: ProxyFront; backend: RawBackend }> {
  const backend = await RawBackend.start(onData);
  const front = await ProxyFront.start([backend.backend], options);
  t.after(() => {
    front.stop();
    backend.stop();
  });
  return { front, backend };
}

const CONTENT = noise(createRandom(5), 3_000_000).toString('latin1');
const DONE = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone';

describe('a request that is buffered', { concurrency: 4 }, () => {
  for (const [what, content, headers] of [
    ['small', 'hello', []],
    ['large', CONTENT, []],
    [
      'in chunks',
      `5\r\nhello\r\n${CONTENT.length.toString(16)}\r\n${CONTENT}\r\n0\r\n\r\n`,
      [['Transfer-Encoding', 'chunked']],
    ],
  ] as const) {
    it(`reaches its backend whole, with its length, when its content is ${what}`, async (t) => {
      const { front, backend } = await before(t, { bufferRequest: true }, (connection) => {
        const [, length] = /Content-Length: (\d+)\r\n/.exec(connection.received) ?? [];
        const start = connection.received.indexOf('\r\n\r\n') + 4;
        if (length !== undefined && connection.received.length - start === Number(length))
          connection.socket.write(DONE);
      });
      const { status } = await ask(front.port, '/', { method: 'POST', body: content, headers });
      assert.equal(status, 200);
      const received = backend.connections[0]?.received ?? '';
      const expected = what === 'in chunks' ? `hello${CONTENT}` : content;
      assert.ok(received.endsWith(`Content-Length: ${expected.length}\r\n\r\n${expected}`));
      assert.doesNotMatch(received.slice(0, 1000), /Transfer-Encoding/);
    });
  }

  it('takes no connection before it is there, and none when its client leaves', async (t) => {
    const { front, backend } = await before(t, { bufferRequest: true }, ({ socket }) => socket.write(DONE));
    const octets = encode('/', { method: 'POST', body: CONTENT });
    const leaving = await SocketClient.open(front.port);
    leaving.send(octets.subarray(0, 1_000_000));
    const staying = await SocketClient.open(front.port);
    staying.send(octets.subarray(0, 1_000_000));
    await eventually('both have begun', () => front.connections.size === 2);
    leaving.close();
    await eventually('one has left', () => front.connections.size === 1);
    assert.equal(backend.connections.length, 0);
    staying.send(octets.subarray(1_000_000));
    await staying.until(/done/);
    assert.equal(backend.connections.length, 1);
  });

  it('is repeated to no other backend once it was sent', async (t) => {
    const { front, backend } = await before(t, { bufferRequest: true, retries: 3 }, ({ socket }) => socket.destroy());
    assert.equal((await ask(front.port, '/', { method: 'PUT', body: 'x' })).status, 502);
    assert.equal(backend.connections.length, 1);
  });
});

describe('a response that is buffered', { concurrency: 4 }, () => {
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${CONTENT.length}\r\n\r\n`;

  it('leaves its backend at once, however slow its client is', async (t) => {
    let taken = false;
    const { front } = await before(t, { bufferResponse: true, bufferMemoryBytesMax: 100_000 }, ({ socket }) => {
      socket.write(Buffer.from(head + CONTENT, 'latin1'), () => {
        taken = true;
      });
    });
    const client = connect({ port: front.port, host: '127.0.0.1' });
    client.pause();
    client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await eventually('the backend is free', () => taken);
    let received = '';
    client.on('data', (block: Buffer) => {
      received += block.toString('latin1');
    });
    client.resume();
    await eventually('all of it has come', () => received.length > CONTENT.length && client.destroyed);
    assert.ok(received.endsWith(CONTENT));
  });

  it('waits for its client when its file is full', async (t) => {
    let taken = false;
    const { front } = await before(
      t,
      { bufferResponse: true, bufferMemoryBytesMax: 1000, bufferFileBytesMax: 200_000 },
      ({ socket }) => {
        socket.write(
          Buffer.from(head.replace(`${CONTENT.length}`, `${10 * CONTENT.length}`) + CONTENT.repeat(10), 'latin1'),
          () => {
            taken = true;
          },
        );
      },
    );
    const client = connect({ port: front.port, host: '127.0.0.1' });
    client.pause();
    client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    // As much as fits into the file and the sockets goes, and then nothing more.
    let before_ = -1;
    await eventually('nothing moves', () => {
      const now = process.resourceUsage().fsWrite;
      const still = now === before_;
      before_ = now;
      return still;
    });
    assert.equal(taken, false);
    let length = 0;
    client.on('data', (block: Buffer) => {
      length += block.length;
    });
    client.resume();
    await eventually('all of it has come', () => length > 10 * CONTENT.length);
  });

  it('is broken off when it does not come whole', async (t) => {
    const { front } = await before(t, { bufferResponse: true }, ({ socket }) =>
      socket.end(Buffer.from(head + CONTENT.slice(0, 500_000), 'latin1')),
    );
    const answer = await ask(front.port, '/').catch(() => null);
    assert.notEqual(answer?.whole, true);
  });
});

describe('a spool', () => {
  it('gives what it took, in order, whoever is faster', async () => {
    const random = createRandom(11);
    for (let run = 0; run < 60; run += 1) {
      const memoryBytesMax = Math.floor(random() * 3000);
      const fileBytesMax = 1 + Math.floor(random() * 20_000);
      const blocks = Array.from({ length: 60 }, () => noise(random, 1 + Math.floor(random() * 2000)));
      const source = pausable(blocks, random);
      const spool = new Spool(source, { memoryBytesMax, fileBytesMax });
      spool.begin();
      const taken: Buffer[] = [];
      await new Promise<void>((resolve, reject) => {
        const sink: BodySink = {
          write(block) {
            taken.push(Buffer.from(block));
            if (random() < 0.5) return;
            spool.pause();
            setImmediate(() => spool.resume());
          },
          end: resolve,
          fail: reject,
        };
        setImmediate(() => spool.start(sink));
      });
      assert.deepEqual(Buffer.concat(taken), Buffer.concat(blocks), `run ${run}`);
    }
  });
});

/** A source that gives blocks at moments of its own, and waits when it is told to. */
function pausable(blocks: readonly Buffer[], random: () => number): BodySource {
  let next = 0;
  let paused = false;
  let sink: BodySink | null = null;
  const give = (): void => {
    if (paused || sink === null) return;
    const block = blocks[next];
    next += 1;
    if (block === undefined) {
      sink.end();
      return;
    }
    sink.write(block);
    if (random() < 0.5) give();
    else setImmediate(give);
  };
  return {
    start(given) {
      sink = given;
      give();
    },
    pause() {
      paused = true;
    },
    resume() {
      if (!paused) return;
      paused = false;
      setImmediate(give);
    },
    cancel() {
      sink = null;
    },
  };
}
