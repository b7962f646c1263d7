import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { Connections } from '../../../src/http/http1/http1-server.ts';
import { Response } from '../../../src/http/response.ts';
import { eventually, SocketClient } from '../../support/socket-client.ts';

const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** A server whose handler answers when it is told to. */
async function start(connectionsMax: number) {
  const waiting: ((response: Response) => void)[] = [];
  const connections = new Connections({
    handle: () => new Promise((resolve) => waiting.push(resolve)),
    limits: {},
    connectionsMax,
    onAnswered: null,
    onError() {},
  });
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) =>
    connections.accept(socket, 0),
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = () => {
    server.close();
    connections.destroy();
  };
  const answer = () => waiting.shift()?.(Response.text(200, 'done\n'));
  return { connections, waiting, answer, stop, port: (server.address() as AddressInfo).port };
}

describe('Connections', () => {
  const running: (() => void)[] = [];
  afterEach(() => {
    for (const stop of running.splice(0)) stop();
  });

  it('closes what comes past its limit, and accepts again when one has left', async () => {
    const { connections, answer, waiting, stop, port } = await start(2);
    running.push(stop);
    const [first, second] = [await SocketClient.open(port), await SocketClient.open(port)];
    await eventually('two are open', () => connections.size === 2);
    const third = await SocketClient.open(port);
    assert.equal(await third.untilClosed(), 0);
    first.close();
    await eventually('one has left', () => connections.size === 1);
    const fourth = await SocketClient.open(port);
    fourth.send(REQUEST);
    await eventually('its request arrives', () => waiting.length === 1);
    answer();
    await fourth.until(/done\n$/);
    second.close();
    fourth.close();
  });

  it('tells another one of answers when that changes, also of a connection that is there, but not of what had begun unseen', async () => {
    const { connections, answer, waiting, stop, port } = await start(10);
    running.push(stop);
    const told: string[] = [];
    const client = await SocketClient.open(port);
    const ask = async (path: string, meanwhile = () => {}) => {
      client.send(REQUEST.replace('/', path));
      await eventually('the request arrives', () => waiting.length === 1);
      meanwhile();
      answer();
      client.received = '';
      await client.until(/done\n$/);
    };
    const tell = (name: string) => () => {
      connections.reconfigure({ onAnswered: ({ path }) => told.push(`${name} ${path}`) });
    };
    await ask('/unseen', tell('first'));
    await ask('/one');
    tell('second')();
    await ask('/two');
    connections.reconfigure({ onAnswered: null });
    await ask('/nobody');
    assert.deepEqual(told, ['first /one', 'second /two']);
    client.close();
  });

  it('drains: idle connections close at once, busy ones after their response', async () => {
    const { connections, answer, waiting, stop, port } = await start(10);
    running.push(stop);
    const [idle, busy] = [await SocketClient.open(port), await SocketClient.open(port)];
    busy.send(REQUEST);
    await eventually('the request arrives', () => waiting.length === 1 && connections.size === 2);
    const drained = connections.drain();
    assert.equal(await idle.untilClosed(), 0);
    await eventually('the idle one is forgotten', () => connections.size === 1);
    answer();
    assert.equal(await busy.untilClosed(), 200);
    assert.match(busy.received, /\r\nConnection: close\r\n/);
    await drained;
  });
});
