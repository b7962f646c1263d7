import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Response } from '../../../src/http/response.ts';
import {
  DATA,
  END_STREAM,
  FRAME_SIZE_ERROR,
  type Frame,
  FrameClient,
  fields,
  frame,
  INITIAL_WINDOW_SIZE,
  PING,
  PRIORITY_UPDATE,
  PROTOCOL_ERROR,
  priorityUpdate,
  request,
  setting,
  windowUpdate,
} from '../../support/http2-frames.ts';
import { eachTestLifetime } from '../../support/lifetime.ts';
import { serveHandler } from '../../support/serve-handler.ts';
import { eventually } from '../../support/wait.ts';

const LARGE = 600_000;
/** The first window of a connection. Responses wait as soon as it is used up. */
const WINDOW = 65_535;

describe('the priority of responses over HTTP/2', () => {
  const eachTest = eachTestLifetime();

  /** A client whose window of the connection is used up by a response, which has ended. */
  async function openFull(): Promise<FrameClient> {
    const server = await serveHandler(
      eachTest,
      ({ path }) => {
        if (path === '/stream') return Response.fromHeaders(200, [], blocks(LARGE));
        const bytes = path.startsWith('/') ? Number(path.slice(1)) : 0;
        return Response.fromHeaders(200, [], Buffer.alloc(bytes, 'x'));
      },
      { protocol: 'HTTP/2' },
    );
    const client = await FrameClient.open(server.port, setting(INITIAL_WINDOW_SIZE, 0x7fffffff));
    client.send(get(1, WINDOW));
    await client.until('the end of the first response', isEnd(1));
    client.frames.length = 0;
    return client;
  }

  const isEnd =
    (streamId: number) =>
    ({ type, id, flags }: Frame): boolean =>
      type === DATA && id === streamId && (flags & END_STREAM) !== 0;

  function get(id: number, path: string | number, priority?: string): Buffer {
    const more = priority === undefined ? [] : ([['priority', priority]] as const);
    return request(id, fields({ ':path': `/${path}` }, more));
  }

  /** Lets all responses go, and returns the streams in the order of their last frames. */
  async function finish(client: FrameClient, ids: readonly number[]): Promise<readonly number[]> {
    client.send(windowUpdate(0, 100_000_000));
    await eventually('all responses have ended', () => ids.every((id) => client.frames.some(isEnd(id))));
    client.close();
    return client.frames
      .filter(({ id, type, flags }) => type === DATA && (flags & END_STREAM) !== 0 && ids.includes(id))
      .map(({ id }) => id);
  }

  /** The streams in the order of their frames, each once in a row. */
  const turns = (client: FrameClient): readonly number[] =>
    client.frames
      .filter(({ type, payload }) => type === DATA && payload.length > 0)
      .map(({ id }) => id)
      .filter((id, i, all) => id !== all[i - 1]);

  /** Waits until the server has all requests that were sent. */
  async function settle(client: FrameClient): Promise<void> {
    const pings = client.frames.filter(({ type }) => type === PING).length;
    client.send(frame(PING, 0, 0, 'settled.'));
    await eventually('the answer to PING', () => client.frames.filter(({ type }) => type === PING).length > pings);
  }

  it('decides the order: the most urgent first', async () => {
    const client = await openFull();
    client.send(
      get(3, LARGE, 'u=7'),
      get(5, LARGE, 'u=5, i'),
      get(7, LARGE),
      get(9, LARGE, 'u=0'),
      get(11, LARGE, 'u=1,i'),
    );
    await settle(client);
    assert.deepEqual(await finish(client, [3, 5, 7, 9, 11]), [9, 11, 7, 5, 3]);
    assert.deepEqual(turns(client), [9, 11, 7, 5, 3], 'nothing comes between');
  });

  for (const path of [LARGE, 'stream'] as const) {
    it(`sends responses that are not incremental one after the other, in the order of their streams: /${path}`, async () => {
      const client = await openFull();
      client.send(get(3, path, 'u=2'), get(5, path, 'u=2'), get(7, path, 'u=2'));
      await settle(client);
      await finish(client, [3, 5, 7]);
      assert.deepEqual(turns(client), [3, 5, 7]);
    });
  }

  it('lets incremental responses share, frame by frame', async () => {
    for (const priority of ['u=2, i', undefined]) {
      const client = await openFull();
      client.send(get(3, LARGE, priority), get(5, LARGE, priority), get(7, LARGE, priority));
      await settle(client);
      await finish(client, [3, 5, 7]);
      const order = client.frames
        .filter(({ type, payload }) => type === DATA && payload.length > 0)
        .map(({ id }) => id);
      for (const id of [3, 5, 7]) {
        const longest = order.join(',').match(new RegExp(`(?:${id}(?:,|$)){3,}`))?.[0] ?? '';
        // At the end, one of them is alone.
        assert.ok(longest === '' || order.join(',').endsWith(longest), `${priority}: ${order.join(',')}`);
      }
    }
  });

  it('lets an incremental response share with those that are not', async () => {
    const client = await openFull();
    client.send(get(3, 10 * LARGE, 'u=3'), get(5, 10 * LARGE, 'u=3'), get(7, 50_000));
    await settle(client);
    assert.deepEqual(await finish(client, [3, 5, 7]), [7, 3, 5]);
  });

  it('does not let a download starve small responses', async () => {
    const client = await openFull();
    client.send(get(3, 100_000_000));
    for (let id = 5; id < 45; id += 2) {
      client.send(get(id, 20_000));
      await settle(client);
      client.send(windowUpdate(0, 5 * 16_384));
      await client.until('a small response', isEnd(id));
      await eventually('the download goes on', () => client.received(3) > (id - 3) * 16_384);
    }
    client.close();
  });

  it('changes with PRIORITY_UPDATE', async () => {
    const client = await openFull();
    client.send(get(3, LARGE), get(5, LARGE), get(7, LARGE, 'u=0'));
    await settle(client);
    client.send(priorityUpdate(5, 'u=0'), priorityUpdate(7, 'u=7'));
    assert.deepEqual(await finish(client, [3, 5, 7]), [5, 3, 7]);
    assert.deepEqual(turns(client), [5, 3, 7]);
  });

  it('takes the last PRIORITY_UPDATE that came before the stream started, instead of the field (RFC 9218 7.1)', async () => {
    const client = await openFull();
    client.send(
      priorityUpdate(5, 'u=6'),
      priorityUpdate(5, 'u=1'),
      priorityUpdate(7, 'u=0'),
      priorityUpdate(11, 'u=0'),
    );
    client.send(get(3, LARGE), get(5, LARGE, 'u=7'), get(7, LARGE), get(9, LARGE));
    await settle(client);
    assert.deepEqual(await finish(client, [3, 5, 7, 9]).then((order) => order.slice(0, 2)), [7, 5]);
  });

  it('remembers priorities for no more streams than may be open', async () => {
    const client = await openFull();
    for (let i = 0; i < 128; i += 1) client.send(priorityUpdate(2 * i + 3, 'u=1'), priorityUpdate(2 * i + 3, 'u=2'));
    await settle(client);
    assert.equal(client.goaway, -1);
    client.send(priorityUpdate(2 * 128 + 3, 'u=1'));
    assert.equal(await client.untilClosed(), PROTOCOL_ERROR);
  });

  it('forgets the priorities of streams that were skipped', async () => {
    const client = await openFull();
    for (let round = 0; round < 5; round += 1) {
      const first = 3 + 200 * round;
      for (let id = first; id < first + 180; id += 2) client.send(priorityUpdate(id, 'u=1'));
      client.send(get(first + 198, 0));
    }
    await client.until('the last answer', ({ id }) => id === 1001);
    assert.equal(client.goaway, -1);
    client.close();
  });

  const wrong: readonly (readonly [string, Buffer, number])[] = [
    ['for no stream', priorityUpdate(0, 'u=1'), PROTOCOL_ERROR],
    ['for a stream of the server', priorityUpdate(2, 'u=1'), PROTOCOL_ERROR],
    ['on a stream', frame(PRIORITY_UPDATE, 0, 1, '\0\0\0\x01u=1'), PROTOCOL_ERROR],
    ['without a stream', frame(PRIORITY_UPDATE, 0, 0, '\0\0\0'), FRAME_SIZE_ERROR],
  ];
  for (const [what, frames, code] of wrong) {
    it(`cannot change with PRIORITY_UPDATE ${what}`, async () => {
      const client = await openFull();
      client.send(frames);
      assert.equal(await client.untilClosed(), code);
    });
  }

  it('may change after the response has ended', async () => {
    const client = await openFull();
    client.send(priorityUpdate(1, 'u=1'), get(3, 0));
    await client.until('an answer', ({ id }) => id === 3);
    assert.equal(client.goaway, -1);
    client.close();
  });
});

/** A source that pushes blocks of 10,000 bytes whenever it may. */
function blocks(bytes: number) {
  let left = bytes;
  let paused = false;
  let push = (): void => {};
  return {
    start(sink: { write(block: Uint8Array): void; end(): void }) {
      push = () => {
        while (!paused && left > 0) {
          left -= 10_000;
          sink.write(Buffer.alloc(10_000, 'x'));
        }
        if (!paused && left === 0) {
          left = -1;
          sink.end();
        }
      };
      push();
    },
    pause() {
      paused = true;
    },
    resume() {
      paused = false;
      push();
    },
    cancel() {
      left = -1;
    },
  };
}
