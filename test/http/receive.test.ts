import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deriveRequest } from '../../src/http/derived-request.ts';
import type { Peer, Request } from '../../src/http/message.ts';
import { Response } from '../../src/http/response.ts';
import { ask } from '../support/http-client.ts';
import { eachTestLifetime } from '../support/lifetime.ts';
import { serveHandler } from '../support/serve-handler.ts';
import { SocketClient } from '../support/socket-client.ts';

describe('the request that `receive` returns', () => {
  const eachTest = eachTestLifetime();

  const receive = (request: Request): Request =>
    request.path === '/plain'
      ? request
      : deriveRequest(request, { peer: { ...request.peer, remoteAddress: '203.0.113.7' } });
  const address = ({ peer }: { readonly peer: Peer }) => peer.remoteAddress;

  it('goes to the handler and the log', async () => {
    const answered: string[] = [];
    const server = await serveHandler(eachTest, (request) => Response.text(200, address(request)), {
      receive,
      onAnswered: (request) => answered.push(address(request)),
    });
    assert.equal((await ask(server.port, '/')).body, '203.0.113.7');
    assert.equal((await ask(server.port, '/plain')).body, '127.0.0.1');
    assert.deepEqual(answered, ['203.0.113.7', '127.0.0.1']);
  });

  it('goes to the log of errors and refusals', async () => {
    const reported: unknown[] = [];
    const handle = (request: Request) => {
      if (request.body === null) throw new Error('broken');
      return new Promise<Response>((_, reject) => request.body?.start({ write() {}, end() {}, fail: reject }));
    };
    const server = await serveHandler(eachTest, handle, {
      receive,
      onError: (_, request) => reported.push(request === null ? null : address(request)),
      onRefused: ({ status }, peer, read) => reported.push([status, address({ peer }), read?.path]),
    });
    assert.equal((await ask(server.port, '/')).status, 500);
    const broken = { method: 'POST', headers: [['Transfer-Encoding', 'chunked']], body: 'no chunk' } as const;
    assert.equal((await ask(server.port, '/', broken)).status, 400);
    assert.equal((await ask(server.port, '/', { method: 'TRACE' })).status, 405);
    assert.deepEqual(reported, ['203.0.113.7', [400, '203.0.113.7', '/'], [405, '127.0.0.1', undefined]]);
  });

  it('does not affect the next request of the connection', async () => {
    const refused: string[] = [];
    const server = await serveHandler(eachTest, (request) => Response.text(200, `${address(request)}\n`), {
      receive,
      onRefused: (_, peer) => refused.push(address({ peer })),
    });
    const client = await SocketClient.open(server.port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /plain HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until(/203\.0\.113\.7\n[\s\S]*127\.0\.0\.1\n$/);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\nnonsense\r\n\r\n');
    await client.untilClosed();
    assert.deepEqual(refused, ['127.0.0.1']);
  });

  it('is replaced by a 500 when `receive` fails', async () => {
    const failing = () => {
      throw new Error('broken');
    };
    const server = await serveHandler(eachTest, () => Response.text(200, ''), { receive: failing });
    assert.equal((await ask(server.port, '/')).status, 500);
    assert.match(server.errors[0] ?? '', /broken/);
  });
});
