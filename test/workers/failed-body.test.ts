import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bodyLimit } from '../../src/handlers/limits/body-limit.ts';
import { requestLimit } from '../../src/handlers/limits/request-limit.ts';
import { deriveRequest } from '../../src/http/derived-request.ts';
import { type Handler, mapResponse } from '../../src/http/handler.ts';
import type { RequestBody } from '../../src/http/message.ts';
import { Pool } from '../../src/workers/pool.ts';
import { ask } from '../support/http-client.ts';
import { eachTestLifetime } from '../support/lifetime.ts';
import { poolOptions } from '../support/pool.ts';
import { serveHandler, type TestServer } from '../support/serve-handler.ts';
import { SocketClient } from '../support/socket-client.ts';
import { eventually } from '../support/wait.ts';

const HEAD = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n';
const CHUNKED = `${HEAD}Transfer-Encoding: chunked\r\n\r\n`;

describe('a request whose content does not arrive', () => {
  const eachTest = eachTestLifetime();
  let running = 0;

  /** Counts the requests that the pool has not settled. */
  const counting: Handler = (request, next) => {
    running += 1;
    return mapResponse(next(request), (response) => {
      running -= 1;
      return response;
    });
  };

  function start(...handlers: readonly Handler[]): Promise<TestServer> {
    running = 0;
    const pool = new Pool(poolOptions({ laneDepthMax: 1 }));
    return serveHandler(eachTest, [...handlers, pool.handle], { limits: { bodyTimeoutMs: 100 } });
  }

  const failures: [string, string, number][] = [
    ['broken', `${CHUNKED}nonsense\r\n`, 400],
    ['too slow', `${HEAD}Content-Length: 9\r\n\r\nslow`, 408],
    ['too large for its route', `${CHUNKED}b\r\n01234567890\r\n`, 413],
  ];
  for (const [problem, octets, status] of failures) {
    it(`frees its slot for the next request when it is ${problem}`, async () => {
      const limit = requestLimit({ per: 'route', max: 1 });
      for (const handlers of [
        [bodyLimit({ bodyBytesMax: 10 }), limit],
        [limit, bodyLimit({ bodyBytesMax: 10 })],
      ]) {
        const server = await start(...handlers);
        for (let i = 0; i < 3; i += 1) {
          const client = await SocketClient.open(server.port);
          client.send(octets);
          assert.equal(await client.untilClosed(), status);
        }
        assert.deepEqual(server.errors, []);
        server.stop();
      }
    });
  }

  it("is the server's error when a handler cannot read it", async () => {
    const logged: string[] = [];
    const pool = new Pool(poolOptions({ laneDepthMax: 1, onError: (message) => logged.push(message) }));
    const body: RequestBody = {
      length: -1,
      trailers: [],
      start: (sink) => sink.fail(new Error('EIO: i/o error, read')),
      pause() {},
      resume() {},
      cancel() {},
    };
    const breaks: Handler = (request, next) => next(deriveRequest(request, { body }));
    const { port } = await serveHandler(eachTest, [breaks, pool.handle]);
    const answer = await ask(port, '/', { method: 'POST', body: 'x' });
    assert.equal(answer.status, 500);
    assert.doesNotMatch(answer.body, /EIO/);
    assert.match(logged.join(), /EIO/);
  });

  it('is finished when the client has left', async () => {
    const { port } = await start(counting);
    const client = await SocketClient.open(port);
    client.send(`${HEAD}Content-Length: 9\r\n\r\nhalf`);
    await eventually('the request is running', () => running === 1);
    client.close();
    await eventually('the request is finished', () => running === 0);
  });
});
