import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Response } from '../../../src/http/response.ts';
import { serveHandler } from '../../support/serve-handler.ts';
import { SocketClient } from '../../support/socket-client.ts';
import { eventually } from '../../support/wait.ts';

const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** Starts a server whose handler answers when `answer` is called. */
async function start(t: TestContext, connectionsMax: number) {
  const waiting: ((response: Response) => void)[] = [];
  const handle = () => new Promise<Response>((resolve) => waiting.push(resolve));
  const { connections, port } = await serveHandler(t, handle, { connectionsMax, onAnswered: null });
  const answer = () => waiting.shift()?.(Response.text(200, 'done\n'));
  return { connections, waiting, answer, port };
}

describe('Http1Server', () => {
  it('closes connections beyond its limit, and accepts again when one has closed', async (t) => {
    const { connections, answer, waiting, port } = await start(t, 2);
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

  it('uses a changed onAnswered for open connections too, but not for requests that started without one', async (t) => {
    const { connections, answer, waiting, port } = await start(t, 10);
    const answered: string[] = [];
    const client = await SocketClient.open(port);
    const ask = async (path: string, meanwhile = () => {}) => {
      client.send(REQUEST.replace('/', path));
      await eventually('the request arrives', () => waiting.length === 1);
      meanwhile();
      answer();
      client.received = '';
      await client.until(/done\n$/);
    };
    const setOnAnswered = (name: string) => () => {
      connections.reconfigure({ onAnswered: ({ path }) => answered.push(`${name} ${path}`) });
    };
    await ask('/unseen', setOnAnswered('first'));
    await ask('/one');
    setOnAnswered('second')();
    await ask('/two');
    connections.reconfigure({ onAnswered: null });
    await ask('/nobody');
    assert.deepEqual(answered, ['first /one', 'second /two']);
    client.close();
  });

  it('closes idle connections at once and busy ones after their response when it drains', async (t) => {
    const { connections, answer, waiting, port } = await start(t, 10);
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
