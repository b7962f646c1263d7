import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { type BackendConnection, startBackend } from '../support/backend.ts';
import { ask } from '../support/http-client.ts';
import type { HttpAnswer } from '../support/http-message.ts';
import { chooseSeed, createRandom } from '../support/random.ts';
import { serveProxy } from '../support/serve-proxy.ts';

const REQUESTS = 1500;
const AT_ONCE = 24;

/** Answers with the request's target, with all kinds of framing and failures. */
function answerSomehow(random: () => number) {
  return (request: string, { socket }: BackendConnection): string => {
    const target = request.split(' ')[1] ?? '';
    const head = 'HTTP/1.1 200 OK\r\n';
    const whole = `${head}Content-Length: ${target.length}\r\n\r\n${target}`;
    const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n${target.length.toString(16)}\r\n${target}\r\n0\r\n\r\n`;
    const long = target.repeat(4000);
    const ways: (() => string)[] = [
      () => whole,
      () => chunked,
      () => `${head}Content-Length: ${long.length}\r\n\r\n${long}`,
      () => inPieces(socket, random() < 0.5 ? whole : chunked, random),
      () => whole + whole,
      () => ending(socket, whole.slice(0, Math.floor(random() * whole.length))),
      () => ending(socket, `HTTP/1.0 200 OK\r\n\r\n${target}`),
      () => ending(socket, whole),
      () => {
        socket.resetAndDestroy();
        return '';
      },
    ];
    return (ways[Math.floor(random() * ways.length)] as () => string)();
  };
}

function inPieces(socket: BackendConnection['socket'], octets: string, random: () => number): string {
  const cut = Math.floor(random() * octets.length);
  socket.write(octets.slice(0, cut), 'latin1');
  setImmediate(() => socket.write(octets.slice(cut), 'latin1'));
  return '';
}

function ending(socket: BackendConnection['socket'], octets: string): string {
  socket.end(octets, 'latin1');
  return '';
}

describe('an unreliable backend', () => {
  it('never sends a client the response to another request', async (t: TestContext) => {
    const seed = chooseSeed();
    t.diagnostic(`VIADUCT_TEST_SEED=${seed}`);
    const random = createRandom(seed);
    const backend = await startBackend(t, answerSomehow(random));
    const proxy = await serveProxy(t, [backend.backend]);
    t.after(() => {
      proxy.stop();
      backend.stop();
    });
    let next = 0;
    const counts = { whole: 0, broken: 0, refused: 0 };
    const check = (target: string, { status, body, whole }: HttpAnswer): void => {
      if (status === 502) counts.refused += 1;
      else if (!whole || status === 0) {
        counts.broken += 1;
        const content = body.replace(/^[0-9a-f]+\r\n/, '');
        assert.ok(target.repeat(4000).startsWith(content.slice(0, 60)), `${target} got a part of ${body.slice(0, 60)}`);
      } else {
        counts.whole += 1;
        assert.ok(body === target || body === target.repeat(4000), `${target} got ${body.slice(0, 60)}`);
      }
    };
    const client = async (): Promise<void> => {
      while (next < REQUESTS) {
        next += 1;
        const target = `/request-${next}-`;
        check(target, await ask(proxy.port, target, { method: random() < 0.5 ? 'GET' : 'POST' }));
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, client));
    assert.equal(counts.whole + counts.broken + counts.refused, REQUESTS);
    assert.ok(counts.whole > REQUESTS / 2 && counts.refused > 0, JSON.stringify(counts));
  });
});
