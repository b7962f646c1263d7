import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { suiteLifetime } from '../support/lifetime.ts';
import { SocketClient } from '../support/socket-client.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually, isRunning } from '../support/wait.ts';

/** One worker with one thread: a client that holds the thread delays all others. */
const APPLICATION = `
import os

BLOCK = b"x" * 65536

def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/large":
        start_response("200 OK", [("Content-Type", "application/octet-stream")])
        return (BLOCK for _ in range(1024))
    if path == "/echo":
        body = environ["wsgi.input"].read()
    elif path == "/pid":
        body = str(os.getpid()).encode()
    else:
        body = b"hello from " + path.encode("latin-1")
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
`;

const TIMEOUTS = {
  VIADUCT_HEADER_TIMEOUT_MS: '1000',
  VIADUCT_BODY_TIMEOUT_MS: '1000',
  VIADUCT_KEEP_ALIVE_TIMEOUT_MS: '2000',
  VIADUCT_WRITE_TIMEOUT_MS: '1000',
};

describe('hostile clients', () => {
  let directory: string;
  const suite = suiteLifetime();
  let viaduct: Viaduct;
  let worker: number;

  before(async () => {
    directory = temporaryDirectory(suite);
    writeFileSync(join(directory, 'app.py'), APPLICATION);
    viaduct = await startViaduct(
      suite,
      ['serve', directory, '--workers', '1', '--threads', '1', '--access-log', 'off'],
      { env: TIMEOUTS },
    );
    worker = Number(await (await fetch(`${viaduct.url}/pid`)).text());
  });

  it('cuts off a client that sends its header too slowly, and serves others meanwhile', async () => {
    const slow = await SocketClient.open(viaduct.port);
    const trickle = slow.trickle(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'y'.repeat(10_000)}`, 20);
    await assertServes();
    assert.ok([0, 408].includes(await slow.untilClosed()));
    await trickle;
    await assertServes();
  });

  it('cuts off a client that sends its content too slowly, and keeps the only worker free meanwhile', async () => {
    const slow = await SocketClient.open(viaduct.port);
    slow.send('POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n');
    slow.send('only this');
    await assertServes();
    assert.equal(await slow.untilClosed(), 408);
  });

  it('cuts off a client that sends its chunks too slowly', async () => {
    const slow = await SocketClient.open(viaduct.port);
    slow.send('POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel');
    await assertServes();
    assert.equal(await slow.untilClosed(), 408);
  });

  it('cuts off a client that does not read its answer, and frees the worker long before', async () => {
    const deaf = await SocketClient.open(viaduct.port);
    deaf.send('GET /large HTTP/1.1\r\nHost: a\r\n\r\n');
    await deaf.until(/^HTTP\/1\.1 200 /);
    deaf.socket.pause();
    await assertServes();
    // A paused socket does not report its end, but a write after the end fails.
    await eventually('the server has reset the connection', () => {
      if (!deaf.socket.destroyed) deaf.send('x');
      return deaf.socket.destroyed;
    });
    await assertServes();
  });

  it('answers an ordinary client while a thousand connections do nothing, and closes them in time', async () => {
    const idle = await Promise.all(Array.from({ length: 1000 }, () => SocketClient.open(viaduct.port)));
    for (let i = 0; i < 20; i++) await assertServes();
    await Promise.all(idle.map((client) => client.untilClosed()));
    await assertServes();
  });

  it('closes connections that have been idle since their last answer', async () => {
    const client = await SocketClient.open(viaduct.port);
    client.send('GET /once HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until(/hello from \/once$/);
    assert.equal(await client.untilClosed(), 200);
    assert.equal(client.received.match(/HTTP\/1\.1/g)?.length, 1, 'the connection closes without a second answer');
  });

  it('refuses garbage, and serves the next client', async () => {
    const random = generator(20_230_601);
    for (let round = 0; round < 10; round++) {
      const clients = await Promise.all(Array.from({ length: 20 }, () => SocketClient.open(viaduct.port)));
      for (const client of clients)
        client.send(Buffer.from(Array.from({ length: 1 + (random() % 3000) }, () => random() % 256)));
      for (const client of clients) {
        const status = await client.untilClosed();
        assert.ok(status === 0 || (status >= 400 && status <= 505 && status !== 500), `status ${status}`);
        assert.doesNotMatch(client.received, /Traceback|\.py|node:/);
      }
    }
    await assertServes();
  });

  it('refuses a TLS client on a plain port at once', async () => {
    const socket = connectTls({ port: viaduct.port, host: '127.0.0.1', rejectUnauthorized: false });
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', () => reject(new Error('TLS was spoken on a plain port')));
      socket.once('error', () => resolve());
      socket.once('close', () => resolve());
    });
    socket.destroy();
    await assertServes();
  });

  it('survives clients that leave in the middle of everything', async () => {
    const beginnings = [
      '',
      'GET / HT',
      'GET /large HTTP/1.1\r\nHost: a\r\n\r\n',
      'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc',
      'POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab',
      'POST /echo HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n',
    ];
    for (let round = 0; round < 30; round++) {
      const clients = await Promise.all(beginnings.map(() => SocketClient.open(viaduct.port)));
      for (const [index, client] of clients.entries()) {
        client.send(beginnings[index] as string);
        if (round % 2 === 0) client.socket.resetAndDestroy();
        else client.socket.end(() => client.close());
      }
    }
    await assertServes();
  });

  it('answers ten thousand pipelined requests in order', async () => {
    const client = await SocketClient.open(viaduct.port);
    const count = 10_000;
    for (let i = 0; i < count; i++) client.send(`GET /${i} HTTP/1.1\r\nHost: a\r\n\r\n`);
    await client.until(new RegExp(`hello from /${count - 1}$`));
    const paths = [...client.received.matchAll(/hello from \/(\d+)/g)].map((match) => Number(match[1]));
    assert.deepEqual(
      paths,
      Array.from({ length: count }, (_, index) => index),
    );
    client.close();
  });

  it('still has the same server process and worker at the end', async () => {
    assert.ok(isRunning(viaduct.pid));
    assert.equal(Number(await (await fetch(`${viaduct.url}/pid`)).text()), worker);
    assert.doesNotMatch(viaduct.output(), /Traceback|^ {4}at /m);
  });

  async function assertServes(): Promise<void> {
    const client = await SocketClient.open(viaduct.port);
    client.send('GET /ordinary HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    assert.equal(await client.untilClosed(), 200);
    assert.match(client.received, /hello from \/ordinary$/);
  }
});

/** Returns a generator of 16-bit numbers. They are the same in each run. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 16;
  };
}
