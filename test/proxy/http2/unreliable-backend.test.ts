import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { type FrameConnection, responseHead, startFrameBackend } from '../../support/frame-backend.ts';
import { ask } from '../../support/http-client.ts';
import { DATA, END_STREAM, type Frame, frame, GOAWAY, HEADERS, RST_STREAM } from '../../support/http2-frames.ts';
import { chooseSeed, createRandom } from '../../support/random.ts';
import { serveProxy } from '../../support/serve-proxy.ts';
import { eventually } from '../../support/wait.ts';

const REQUESTS = 1500;
const AT_ONCE = 24;
const OK = [':status', '200'] as const;

/** Answers with the request's target, whole or not, at once or later, and ends streams and connections in all ways. */
function answerSomehow(random: () => number) {
  return (connection: FrameConnection, { type, flags, id }: Frame): void => {
    if ((type !== HEADERS && type !== DATA) || (flags & END_STREAM) === 0) return;
    const target = connection.sections.get(id)?.[0]?.[':path'] ?? '';
    const head = responseHead(id, [OK], false);
    const whole = [head, frame(DATA, END_STREAM, id, target)];
    const later = (frames: readonly Buffer[]): void => void setImmediate(() => connection.send(...frames));
    const number = (value: number) => Buffer.from([0, 0, value >> 8, value & 255]);
    const ways: (() => void)[] = [
      () => connection.send(...whole),
      () => later(whole),
      () => {
        connection.send(head);
        later([frame(DATA, 0, id, target), frame(DATA, END_STREAM, id)]);
      },
      () => connection.send(responseHead(id, [OK, ['content-length', `${target.length}`]], false), ...whole.slice(1)),
      () => connection.send(head, frame(DATA, 0, id, target), responseHead(id, [['x-sum', '1']])),
      () => connection.send(frame(RST_STREAM, 0, id, number(Math.floor(random() * 12)))),
      () => connection.send(head, frame(DATA, 0, id, target.slice(0, 5)), frame(RST_STREAM, 0, id, number(2))),
      () => connection.send(head, frame(DATA, END_STREAM, id, target), frame(RST_STREAM, 0, id, number(0))),
    ];
    const ends: (() => void)[] = [
      () => connection.send(frame(GOAWAY, 0, 0, Buffer.concat([number(id), number(0)])), ...whole),
      () => {
        connection.send(...whole, frame(GOAWAY, 0, 0, Buffer.concat([number(id), number(0)])));
        connection.close();
      },
      () => connection.close(random() < 0.5),
      () => connection.send(frame(DATA, 0, 0, 'bad')),
    ];
    const chosen = random() < 0.95 ? ways : ends;
    (chosen[Math.floor(random() * chosen.length)] as () => void)();
  };
}

describe('an unreliable HTTP/2 backend', () => {
  it('never sends a client the response to another request', async (t: TestContext) => {
    const seed = chooseSeed();
    t.diagnostic(`VIADUCT_TEST_SEED=${seed}`);
    const random = createRandom(seed);
    const backend = await startFrameBackend(t, { onFrame: answerSomehow(random) });
    const proxy = await serveProxy(t, [backend.backend], { responseTimeoutMs: 2000 });
    const counts = { whole: 0, broken: 0, refused: 0 };
    let next = 0;
    const client = async (): Promise<void> => {
      while (next < REQUESTS) {
        next += 1;
        const target = `/request-${next}-`;
        const request = random() < 0.5 ? {} : { method: 'POST', body: target };
        const { status, body, whole } = await ask(proxy.port, target, request);
        if (status === 502) counts.refused += 1;
        else if (!whole || status === 0) {
          counts.broken += 1;
          assert.ok(target.startsWith(body.replace(/^[0-9a-f]+\r\n/, '').slice(0, 5)), `${target} got ${body}`);
        } else {
          counts.whole += 1;
          assert.deepEqual([status, body], [200, target]);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, client));
    t.diagnostic(JSON.stringify(counts));
    for (const count of Object.values(counts)) assert.ok(count > 0);
    await eventually('the backend is free', () => proxy.proxy.status()[0]?.active === 0);
  });
});
