import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { afterEach, describe, it } from 'node:test';
import { bodyLimit } from '../../src/handlers/limits/body-limit.ts';
import { requestLimit } from '../../src/handlers/limits/request-limit.ts';
import { after, type Handler } from '../../src/http/handler.ts';
import { compose } from '../../src/routing/chain.ts';
import { Pool } from '../../src/workers/pool.ts';
import { serve, type TestServer } from '../support/serve.ts';
import { eventually, SocketClient } from '../support/socket-client.ts';

const HEAD = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n';
const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`;

describe('a request whose content does not arrive', () => {
  let server: TestServer | null = null;
  let running = 0;
  afterEach(() => server?.close());

  /** Counts the requests that the pool has not settled. */
  const counting: Handler = (request, next) => {
    running += 1;
    return after(next(request), (response) => {
      running -= 1;
      return response;
    });
  };

  async function start(...handlers: readonly Handler[]): Promise<number> {
    running = 0;
    const pool = new Pool({
      queueMax: 10,
      laneDepthMax: 1,
      retryIdempotent: false,
      bodyMemoryBytesMax: 1_000_000,
      directory: tmpdir(),
      onError: (message) => assert.fail(message),
    });
    server = await serve({ handle: compose(handlers, pool.handle), limits: { bodyTimeoutMs: 100 } });
    return server.port;
  }

  const failures: [string, string, number][] = [
    ['broken', `${CHUNKED}nonsense\r\n`, 400],
    ['too slow', `${HEAD}Content-Length: 9\r\n\r\nslow`, 408],
    ['too large for its route', `${CHUNKED}b\r\n01234567890\r\n`, 413],
  ];
  for (const [how, octets, status] of failures) {
    it(`is over when that was ${how}, and makes room for the next`, async () => {
      const limit = requestLimit({ per: 'route', max: 1 });
      for (const handlers of [
        [bodyLimit({ bodyBytesMax: 10 }), limit],
        [limit, bodyLimit({ bodyBytesMax: 10 })],
      ]) {
        const port = await start(...handlers);
        for (let i = 0; i < 3; i += 1) {
          const client = await SocketClient.open(port);
          client.send(octets);
          assert.equal(await client.untilClosed(), status);
        }
        assert.deepEqual(server?.errors, []);
        server?.close();
      }
    });
  }

  it('is over when the client has left', async () => {
    const port = await start(counting);
    const client = await SocketClient.open(port);
    client.send(`${HEAD}Content-Length: 9\r\n\r\nhalf`);
    await eventually('it came', () => running === 1);
    client.close();
    await eventually('it is over', () => running === 0);
  });
});
