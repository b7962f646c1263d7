import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FrameBlocks } from '../../../src/http/http2/frame-blocks.ts';
import { Response } from '../../../src/http/response.ts';
import { FrameClient, INITIAL_WINDOW_SIZE, request, settings, windowUpdate } from '../../support/http2-frames.ts';
import { eachTestLifetime } from '../../support/lifetime.ts';
import { serveHandler } from '../../support/serve-handler.ts';
import { eventually, untilStable } from '../../support/wait.ts';

const CLIENTS = 100;

describe('the memory that the sockets of HTTP/2 have', () => {
  const eachTest = eachTestLifetime();

  it('is free again when clients have read everything, and when they break off', async () => {
    const content = Buffer.alloc(20_000_000);
    const server = await serveHandler(eachTest, () => Response.fromHeaders(200, [], content), { protocol: 'HTTP/2' });
    const clients: FrameClient[] = [];
    for (let i = 0; i < CLIENTS; i += 1) {
      const client = await FrameClient.open(server.port, settings([INITIAL_WINDOW_SIZE, 0x7fffffff]));
      client.socket.pause();
      client.send(windowUpdate(0, 0x7fff0000), request(1));
      clients.push(client);
    }
    await eventually('all have requests at work', () => server.requests.length === CLIENTS);
    const lent = await untilStable(() => FrameBlocks.lent);
    assert.ok(lent > 0 && lent <= 64, `${lent} blocks are lent, although ${CLIENTS} clients wait`);
    const [reader, ...others] = clients as [FrameClient, ...FrameClient[]];
    for (const client of others) client.socket.destroy();
    reader.socket.resume();
    await eventually('one has read everything', () => reader.frames.at(-1)?.flags === 1);
    await eventually('nothing is lent', () => FrameBlocks.lent === 0);
    reader.close();
  });
});
