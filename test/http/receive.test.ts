import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { deriveRequest } from '../../src/http/derived-request.ts';
import type { Peer, Request } from '../../src/http/message.ts';
import { Response } from '../../src/http/response.ts';
import { ask } from '../support/http-client.ts';
import { serve, type TestServer } from '../support/serve.ts';
import { SocketClient } from '../support/socket-client.ts';

describe('what a server makes of a request when it receives it', () => {
  let server: TestServer | null = null;
  afterEach(() => server?.close());

  const receive = (request: Request): Request =>
    request.path === '/plain'
      ? request
      : deriveRequest(request, { peer: { ...request.peer, remoteAddress: '203.0.113.7' } });
  const show = ({ peer }: { readonly peer: Peer }) => peer.remoteAddress;

  it('is what the handler and the log get', async () => {
    const answered: string[] = [];
    server = await serve({
      receive,
      handle: (request) => Response.text(200, show(request)),
      onAnswered: (request) => answered.push(show(request)),
    });
    assert.equal((await ask(server.port, '/')).body, '203.0.113.7');
    assert.equal((await ask(server.port, '/plain')).body, '127.0.0.1');
    assert.deepEqual(answered, ['203.0.113.7', '127.0.0.1']);
  });

  it('is what the log of errors and refusals gets', async () => {
    const told: unknown[] = [];
    server = await serve({
      receive,
      handle: (request) => {
        if (request.body === null) throw new Error('broken');
        return new Promise((_, reject) => request.body?.start({ write() {}, end() {}, fail: reject }));
      },
      onError: (_, request) => told.push(request === null ? null : show(request)),
      onRefused: ({ status }, peer) => told.push([status, show({ peer })]),
    });
    assert.equal((await ask(server.port, '/')).status, 500);
    const broken = { method: 'POST', headers: [['Transfer-Encoding', 'chunked']], body: 'no chunk' } as const;
    assert.equal((await ask(server.port, '/', broken)).status, 400);
    assert.deepEqual(told, ['203.0.113.7', [400, '203.0.113.7']]);
  });

  it('does not stick to the next request of the connection', async () => {
    const refused: string[] = [];
    server = await serve({
      receive,
      handle: (request) => Response.text(200, `${show(request)}\n`),
      onRefused: (_, peer) => refused.push(show({ peer })),
    });
    const client = await SocketClient.open(server.port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /plain HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until(/203\.0\.113\.7\n[\s\S]*127\.0\.0\.1\n$/);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\nnonsense\r\n\r\n');
    await client.untilClosed();
    assert.deepEqual(refused, ['127.0.0.1']);
  });

  it('is answered with 500 when it fails', async () => {
    const failing = () => {
      throw new Error('broken');
    };
    server = await serve({ receive: failing, handle: () => Response.text(200, '') });
    assert.equal((await ask(server.port, '/')).status, 500);
    assert.match(String(server.errors[0]), /broken/);
  });
});
