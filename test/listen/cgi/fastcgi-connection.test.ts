import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import type { CgiRequestSocket } from '../../../src/listen/cgi/cgi-request-socket.ts';
import { FastCgiConnection } from '../../../src/listen/cgi/fastcgi-connection.ts';
import { encodeRequest, record, variablesOf } from '../../support/cgi-frames.ts';
import { eventually } from '../../support/wait.ts';

const LIMITS = { bytesMax: 100_000, countMax: 1000 };

/** A connection whose peer takes bytes only when the test says so. */
function open(): { peer: Peer; requests: CgiRequestSocket[]; refused: string[] } {
  const peer = new Peer();
  const requests: CgiRequestSocket[] = [];
  const refused: string[] = [];
  new FastCgiConnection(peer as unknown as Socket, {
    limits: LIMITS,
    headerTimeoutMs: 1e6,
    keepAliveTimeoutMs: 1e6,
    draining: false,
    begin: (request) => requests.push(request),
    refused: (reason) => refused.push(reason),
    closed() {},
  });
  return { peer, requests, refused };
}

class Peer extends Duplex {
  taken = 0;
  #take: (() => void) | null = null;

  send(octets: string): void {
    this.push(Buffer.from(octets, 'latin1'));
  }

  drain(): void {
    for (let take = this.#take; take !== null; take = this.#take) {
      this.#take = null;
      take();
    }
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.taken += chunk.length;
    this.#take = done;
  }
}

describe('a FastCGI connection', () => {
  for (const [what, before, flood] of [
    ['unknown management records', '', record(77, '', 0)],
    [
      'further requests beside the present one',
      encodeRequest('fastcgi', variablesOf()),
      record(1, '\0\x01\0\0\0\0\0\0', 2),
    ],
  ] as const) {
    it(`takes no more while its peer takes no answers: ${what}`, async () => {
      const { peer } = open();
      const count = 10_000;
      const paused = once(peer, 'pause');
      peer.send(before + flood.repeat(count));
      await paused;
      peer.send(flood.repeat(count));
      const waiting = peer.writableLength;
      assert.ok(waiting < 2 * count * 16, `${waiting} octets wait`);
      const pausedAgain = once(peer, 'pause');
      peer.drain();
      await pausedAgain;
      peer.drain();
      assert.equal(peer.taken, 2 * count * 16);
      peer.destroy();
    });
  }

  it('goes on after a request that was aborted while it wanted no more content', async () => {
    const { peer, requests } = open();
    const content = 'x'.repeat(60_000);
    const whole = encodeRequest('fastcgi', variablesOf({ CONTENT_LENGTH: '1000000' }), content, true);
    peer.send(whole.slice(0, whole.lastIndexOf('\x01\x05')) + record(5, content) + record(2, ''));
    await eventually('the first request has begun', () => requests.length === 1);
    peer.send(encodeRequest('fastcgi', variablesOf(), '', true));
    await eventually('the second request has begun', () => requests.length === 2);
    peer.destroy();
  });

  it('joins variables that come in the smallest parts', async () => {
    const { peer, requests, refused } = open();
    const whole = encodeRequest('fastcgi', variablesOf({ HTTP_X_LONG: 'y'.repeat(5000) }));
    const start = record(1, '\0\x01\0\0\0\0\0\0');
    const content = whole.slice(
      start.length + 8,
      start.length + 8 + whole.charCodeAt(start.length + 4) * 256 + whole.charCodeAt(start.length + 5),
    );
    peer.send(start + [...content].map((octet) => record(4, octet)).join('') + record(4, '') + record(5, ''));
    await eventually('the request has begun', () => requests.length + refused.length > 0);
    assert.deepEqual([requests.length, refused], [1, []]);
    peer.destroy();
  });
});
