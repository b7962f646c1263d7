import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type FrameConnection, responseHead, startFrameBackend } from '../../support/frame-backend.ts';
import { ask, openRequest, PROTOCOLS } from '../../support/http-client.ts';
import {
  ACK,
  CONTINUATION,
  DATA,
  END_HEADERS,
  END_STREAM,
  type Frame,
  frame,
  GOAWAY,
  HEADERS,
  PING,
  RST_STREAM,
  SETTINGS,
  setting,
  WINDOW_UPDATE,
  windowUpdate,
} from '../../support/http2-frames.ts';
import { serveProxy } from '../../support/serve-proxy.ts';
import { eventually } from '../../support/wait.ts';

const OK = [':status', '200'] as const;
const MAX_CONCURRENT_STREAMS = 3;
const INITIAL_WINDOW_SIZE = 4;
const MAX_HEADER_LIST_SIZE = 6;
const word = (value: number) => Buffer.from([0, 0, value >> 8, value & 255]);
const goaway = (lastId: number, code = 0) => frame(GOAWAY, 0, 0, Buffer.concat([word(lastId), word(code)]));
const refuse = (id: number) => frame(RST_STREAM, 0, id, word(7));

const isEnd = ({ type, flags }: Frame): boolean => (type === HEADERS || type === DATA) && (flags & END_STREAM) !== 0;
const pathOf = (connection: FrameConnection, id: number) => connection.sections.get(id)?.[0]?.[':path'];

/** Answers a complete request with its path. */
function echo(connection: FrameConnection, received: Frame): void {
  const { id } = received;
  if (isEnd(received))
    connection.send(responseHead(id, [OK], false), frame(DATA, END_STREAM, id, pathOf(connection, id)));
}

const contentOf = (connection: FrameConnection | undefined, id: number): string =>
  (connection?.frames ?? [])
    .filter((one) => one.type === DATA && one.id === id)
    .map(({ payload }) => payload.toString('latin1'))
    .join('');

describe('connections to an HTTP/2 backend', () => {
  it('are shared by requests at the same time', async (t) => {
    const backend = await startFrameBackend(t, {
      onFrame(connection, received) {
        if (connection.sections.size === 20 && isEnd(received)) {
          for (const id of connection.sections.keys()) echo(connection, { ...received, id });
        }
      },
    });
    const proxy = await serveProxy(t, [backend.backend]);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => ask(proxy.port, `/${i}`)));
    assert.deepEqual(
      answers.map(({ body }) => body),
      answers.map((_, i) => `/${i}`),
    );
    assert.equal(backend.connections.length, 1);
    assert.equal(proxy.proxy.status()[0]?.active, 0);
  });

  it('are as many as MAX_CONCURRENT_STREAMS needs', async (t) => {
    const waiting: (() => void)[] = [];
    const backend = await startFrameBackend(t, {
      settings: setting(MAX_CONCURRENT_STREAMS, 3),
      onFrame: (connection, received) => void (isEnd(received) && waiting.push(() => echo(connection, received))),
    });
    const proxy = await serveProxy(t, [backend.backend]);
    const answers = Promise.all(Array.from({ length: 8 }, (_, i) => ask(proxy.port, `/${i}`)));
    await eventually('all requests arrive', () => waiting.length === 8);
    assert.deepEqual(backend.connections.map(({ sections }) => sections.size).sort(), [2, 3, 3]);
    for (const answer of waiting.splice(0)) answer();
    assert.ok((await answers).every(({ status }) => status === 200));
  });

  it('are limited with connections_max, which counts requests', async (t) => {
    const waiting: (() => void)[] = [];
    const backend = await startFrameBackend(t, {
      onFrame: (connection, received) => void (isEnd(received) && waiting.push(() => echo(connection, received))),
    });
    const proxy = await serveProxy(t, [backend.backend], { connectionsMax: 2, queueMax: 10 });
    const answers = Promise.all(Array.from({ length: 5 }, (_, i) => ask(proxy.port, `/${i}`)));
    for (let answered = 0; answered < 5; answered += 1) {
      await eventually('a request arrives', () => waiting.length > 0);
      assert.ok((proxy.proxy.status()[0]?.active ?? 0) <= 2);
      waiting.shift()?.();
    }
    assert.ok((await answers).every(({ status }) => status === 200));
  });

  it('are kept as long as keep_alive_timeout says, and end with GOAWAY', async (t) => {
    const backend = await startFrameBackend(t, { onFrame: echo });
    const proxy = await serveProxy(t, [backend.backend], { keepAliveTimeoutMs: 200 });
    await ask(proxy.port, '/');
    await eventually('the connection ends', () => backend.connections[0]?.frames.at(-1)?.type === GOAWAY);
    await ask(proxy.port, '/');
    assert.equal(backend.connections.length, 2);
  });

  it('are not kept with keep_alive_max = 0', async (t) => {
    const backend = await startFrameBackend(t, { onFrame: echo });
    const proxy = await serveProxy(t, [backend.backend], { keepAliveMax: 0 });
    await ask(proxy.port, '/');
    await ask(proxy.port, '/');
    assert.equal(backend.connections.length, 2);
  });

  it('take no request that must not be repeated after a pause', async (t) => {
    const backend = await startFrameBackend(t, { onFrame: echo });
    const proxy = await serveProxy(t, [backend.backend], { keepAliveTimeoutMs: 60_000, idleTimeoutMs: 100 });
    await ask(proxy.port, '/');
    await ask(proxy.port, '/', { method: 'POST', body: 'soon' });
    assert.equal(backend.connections.length, 1);
    // Nothing reports that a connection is no longer fresh.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    await ask(proxy.port, '/', { method: 'POST', body: 'late' });
    assert.equal(backend.connections.length, 2);
  });

  it('carry no fields that are larger than the backend accepts', async (t) => {
    const backend = await startFrameBackend(t, { settings: setting(MAX_HEADER_LIST_SIZE, 1000), onFrame: echo });
    const proxy = await serveProxy(t, [backend.backend]);
    assert.equal((await ask(proxy.port, '/', { headers: [['X-Large', 'a'.repeat(1000)]] })).status, 431);
    assert.equal((await ask(proxy.port, '/')).status, 200);
    assert.equal(proxy.proxy.status()[0]?.active, 0);
  });

  it('carry fields that need several frames', async (t) => {
    const backend = await startFrameBackend(t, {
      onFrame(connection, { type, flags, id }) {
        if ((type === HEADERS || type === CONTINUATION) && (flags & END_HEADERS) !== 0)
          connection.send(responseHead(id, [OK]));
      },
    });
    const proxy = await serveProxy(t, [backend.backend]);
    // These characters have no short Huffman code.
    const headers = [['X-Large', '{}'.repeat(10_000)]] as const;
    assert.equal((await ask(proxy.port, '/', { headers })).status, 200);
    assert.deepEqual(
      backend.connections[0]?.frames.filter(({ id }) => id === 1).map(({ type }) => type),
      [HEADERS, CONTINUATION],
    );
  });

  it('answer PING and acknowledge SETTINGS', async (t) => {
    const backend = await startFrameBackend(t, { onFrame: echo });
    const proxy = await serveProxy(t, [backend.backend]);
    await ask(proxy.port, '/');
    const connection = backend.connections[0];
    const isAck = (type: number) => (one: Frame) => one.type === type && (one.flags & ACK) !== 0;
    connection?.send(frame(PING, 0, 0, 'abcdefgh'), setting(INITIAL_WINDOW_SIZE, 5));
    await eventually('PING is answered', () => connection?.frames.some(isAck(PING)) === true);
    await eventually('SETTINGS are acknowledged', () => connection?.frames.filter(isAck(SETTINGS)).length === 2);
    assert.equal(connection?.frames.find(isAck(PING))?.payload.toString(), 'abcdefgh');
    // ENABLE_PUSH is 0.
    assert.equal(connection?.frames[0]?.payload.subarray(0, 6).toString('hex'), '000200000000');
  });

  it('take no new requests after a time-out without any byte', async (t) => {
    let silent = false;
    const backend = await startFrameBackend(t, {
      onFrame: (connection, received) => void (silent || echo(connection, received)),
    });
    const proxy = await serveProxy(t, [backend.backend], { responseTimeoutMs: 200 });
    assert.equal((await ask(proxy.port, '/')).status, 200);
    silent = true;
    assert.equal((await ask(proxy.port, '/')).status, 504);
    assert.match(proxy.failures.join(), /response: no response in time/);
    silent = false;
    assert.equal((await ask(proxy.port, '/')).status, 200);
    assert.equal(backend.connections.length, 2);
    assert.deepEqual(
      backend.connections[0]?.frames.filter(({ type }) => type === RST_STREAM).map(({ payload }) => payload[3]),
      [8],
    );
  });
});

describe('a request that an HTTP/2 backend did not process', () => {
  for (const [description, body] of [
    ['GET', null],
    ['POST with short content', 'content'],
    ['POST with content up to the limit', 'x'.repeat(60_000)],
  ] as const) {
    const request = body === null ? {} : { method: 'POST', body };
    it(`goes to the same backend again after GOAWAY: ${description}`, async (t) => {
      const backend = await startFrameBackend(t, {
        onFrame(connection, received) {
          if (connection.number > 1) echo(connection, received);
          else if (isEnd(received)) {
            connection.send(goaway(0));
            connection.close();
          }
        },
      });
      const proxy = await serveProxy(t, [backend.backend]);
      assert.equal((await ask(proxy.port, '/', request)).status, 200);
      assert.deepEqual(proxy.failures, []);
      assert.equal(contentOf(backend.connections[1], 1), body ?? '');
    });

    it(`goes to the same backend again after REFUSED_STREAM, then to another one: ${description}`, async (t) => {
      const refusing = await startFrameBackend(t, {
        onFrame(connection, received) {
          if (received.type === DATA) connection.send(windowUpdate(0, received.payload.length));
          if (isEnd(received)) connection.send(refuse(received.id));
        },
      });
      const good = await startFrameBackend(t, { onFrame: echo });
      const proxy = await serveProxy(t, [refusing.backend, good.backend]);
      const { status } = await ask(proxy.port, '/', request);
      assert.deepEqual([status, refusing.connections[0]?.sections.size], [200, 2]);
      assert.match(proxy.failures.join(), /response: the backend refused the stream$/);
      assert.equal(contentOf(good.connections[0], 1), body ?? '');
      assert.equal(
        proxy.proxy.status().every(({ active }) => active === 0),
        true,
      );
    });
  }

  it('is 502 when its content is too long to be sent again', async (t) => {
    const refusing = await startFrameBackend(t, {
      onFrame(connection, { type, id }) {
        if (type === DATA && contentOf(connection, id).length === 65_535) connection.send(refuse(id));
      },
    });
    const good = await startFrameBackend(t, { onFrame: echo });
    const proxy = await serveProxy(t, [refusing.backend, good.backend]);
    assert.equal((await ask(proxy.port, '/', { method: 'POST', body: 'x'.repeat(200_000) })).status, 502);
    assert.equal(good.connections.length, 0);
  });

  it('and is refused while its content still comes goes elsewhere with all of it', async (t) => {
    const refusing = await startFrameBackend(t, {
      onFrame: (connection, { type, id }) => void (type === HEADERS && connection.send(refuse(id))),
    });
    const good = await startFrameBackend(t, { onFrame: echo });
    const proxy = await serveProxy(t, [refusing.backend, good.backend]);
    const request = openRequest('HTTP/1.1', proxy.port, 'POST', '/');
    request.upload.write('first');
    await eventually('another backend gets it', () => contentOf(good.connections[0], 1) === 'first');
    request.upload.end('second');
    assert.equal((await request.answer()).status, 200);
    assert.equal(contentOf(good.connections[0], 1), 'firstsecond');
  });

  it('leaves streams below the last id of GOAWAY as they are', async (t) => {
    const backend = await startFrameBackend(t, {
      onFrame: (connection, received) => void (connection.number > 1 && echo(connection, received)),
    });
    const proxy = await serveProxy(t, [backend.backend]);
    const first = ask(proxy.port, '/first');
    await eventually('the first arrives', () => backend.connections[0]?.sections.size === 1);
    const second = ask(proxy.port, '/second');
    await eventually('the second arrives', () => backend.connections[0]?.sections.size === 2);
    const connection = backend.connections[0] as FrameConnection;
    connection.send(goaway(1));
    assert.equal((await second).body, '/second');
    assert.equal((await ask(proxy.port, '/third')).body, '/third');
    echo(connection, { type: HEADERS, flags: END_STREAM, id: 1, payload: Buffer.alloc(0) });
    assert.equal((await first).body, '/first');
    assert.equal(backend.connections.length, 2);
    await eventually('the connection ends', () => connection.frames.at(-1)?.type === GOAWAY);
    assert.deepEqual(proxy.failures, []);
  });

  it('may have been processed when the connection just ends, so only a safe one is sent again', async (t) => {
    const backend = await startFrameBackend(t, {
      onFrame(connection, received) {
        if (connection.sections.size === 1 || connection.number > 2) echo(connection, received);
        else if (isEnd(received)) connection.close();
      },
    });
    const proxy = await serveProxy(t, [backend.backend]);
    await ask(proxy.port, '/');
    assert.equal((await ask(proxy.port, '/')).status, 200);
    assert.equal((await ask(proxy.port, '/', { method: 'POST', body: 'x' })).status, 502);
    assert.match(proxy.failures.join(), /response: the connection closed before the response/);
  });
});

describe('flow control of an HTTP/2 backend', () => {
  it('makes the client wait when the windows are closed, of the stream and of the connection', async (t) => {
    const backend = await startFrameBackend(t, { settings: setting(INITIAL_WINDOW_SIZE, 1000), onFrame: echo });
    const proxy = await serveProxy(t, [backend.backend]);
    const answer = ask(proxy.port, '/', { method: 'POST', body: 'x'.repeat(300_000) });
    const received = () => contentOf(backend.connections[0], 1).length;
    await eventually('the first window is used up', () => received() === 1000);
    backend.connections[0]?.send(windowUpdate(1, 70_000));
    await eventually('the window of the connection is used up', () => received() === 65_535);
    backend.connections[0]?.send(windowUpdate(0, 1_000_000));
    await eventually('the window of the stream is used up', () => received() === 71_000);
    backend.connections[0]?.send(setting(INITIAL_WINDOW_SIZE, 500_000));
    assert.equal((await answer).status, 200);
    assert.equal(received(), 300_000);
  });

  it('is 504 when the backend takes no content in time', async (t) => {
    const backend = await startFrameBackend(t, {});
    const proxy = await serveProxy(t, [backend.backend], { idleTimeoutMs: 200 });
    assert.equal((await ask(proxy.port, '/', { method: 'POST', body: 'x'.repeat(300_000) })).status, 504);
    assert.match(proxy.failures.join(), /send: the backend accepted no content in time/);
    assert.equal(contentOf(backend.connections[0], 1).length, 65_535);
  });

  it('holds back a response that its client does not take, and no other one', async (t) => {
    const sent = new Map<number, number>();
    const windows = new Map<number, number>();
    const pump = (connection: FrameConnection, id: number) => {
      const before = sent.get(id) ?? 0;
      const bytes = Math.min((windows.get(id) ?? 0) + 65_535 - before, windows.get(0) ?? 0);
      for (let left = bytes; left > 0; left -= 16_384)
        connection.send(frame(DATA, 0, id, Buffer.alloc(Math.min(left, 16_384))));
      sent.set(id, before + Math.max(bytes, 0));
      windows.set(0, (windows.get(0) ?? 0) - Math.max(bytes, 0));
    };
    const backend = await startFrameBackend(t, {
      onFrame(connection, { type, id, payload }) {
        if (type === WINDOW_UPDATE) {
          windows.set(id, (windows.get(id) ?? (id === 0 ? 65_535 : 0)) + payload.readUInt32BE());
          for (const one of sent.keys()) pump(connection, one);
        } else if (type === HEADERS && pathOf(connection, id) === '/endless') {
          connection.send(responseHead(id, [OK], false));
          pump(connection, id);
        } else if (type === HEADERS) connection.send(responseHead(id, [OK]));
      },
    });
    const proxy = await serveProxy(t, [backend.backend]);
    const stalled = await Promise.all(
      Array.from({ length: 12 }, async () => {
        const request = openRequest('HTTP/1.1', proxy.port, 'GET', '/endless');
        request.upload.end();
        return request.answer();
      }),
    );
    let before = -1;
    const total = () => [...sent.values()].reduce((sum, one) => sum + one, 0);
    await eventually('the backend has to wait', async () => {
      const isStable = total() === before;
      before = total();
      await new Promise((resolve) => setTimeout(resolve, 100));
      return isStable && before > 0;
    });
    assert.equal((await ask(proxy.port, '/other')).status, 200);
    for (const { abandon } of stalled) abandon();
    await eventually('the streams are cancelled', () => {
      const resets = backend.connections[0]?.frames.filter(
        ({ type, payload }) => type === RST_STREAM && payload[3] === 8,
      );
      return resets?.length === 12;
    });
    assert.equal(backend.connections.length, 1);
  });
});

describe('a client that leaves', () => {
  for (const protocol of PROTOCOLS) {
    it(`within its content never lets the backend take that for the whole: ${protocol}`, async (t) => {
      const backend = await startFrameBackend(t, {});
      const proxy = await serveProxy(t, [backend.backend], { protocol });
      const request = openRequest(protocol, proxy.port, 'POST', '/');
      request.upload.write('a part');
      const connection = () => backend.connections[0];
      await eventually('the content arrives', () => contentOf(connection(), 1) === 'a part');
      request.abandon();
      await eventually('the stream is cancelled', () => connection()?.frames.at(-1)?.type === RST_STREAM);
      assert.equal(connection()?.frames.some(isEnd), false);
      assert.equal(connection()?.frames.at(-1)?.payload.readUInt32BE(), 8);
      assert.equal(proxy.proxy.status()[0]?.active, 0);
    });
  }

  for (const [description, answer] of [
    ['before the response', false],
    ['within the content', true],
  ] as const) {
    it(`cancels its stream only: ${description}`, async (t) => {
      const backend = await startFrameBackend(t, {
        onFrame(connection, { type, id }) {
          if (type === HEADERS && answer) connection.send(responseHead(id, [OK], false), frame(DATA, 0, id, 'a'));
        },
      });
      const proxy = await serveProxy(t, [backend.backend], { protocol: 'HTTP/2' });
      const request = openRequest('HTTP/2', proxy.port, 'GET', '/');
      request.upload.end();
      if (answer) await request.answer();
      else await eventually('the request arrives', () => backend.connections[0]?.sections.size === 1);
      request.abandon();
      const connection = backend.connections[0];
      await eventually('the stream is cancelled', () => connection?.frames.at(-1)?.type === RST_STREAM);
      assert.equal(connection?.frames.at(-1)?.payload.readUInt32BE(), 8);
      assert.equal(proxy.proxy.status()[0]?.active, 0);
    });
  }
});
