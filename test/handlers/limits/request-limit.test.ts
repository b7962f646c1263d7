import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type RequestLimitOptions, requestLimit } from '../../../src/handlers/limits/request-limit.ts';
import type { HandlerResult } from '../../../src/http/handler.ts';
import type { BodySink, BodySource, Request } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import { responseField } from '../../../src/http/response-fields.ts';
import { discardBody } from '../../../src/http/semantics/response-content.ts';
import { UpgradeResponse } from '../../../src/http/upgrade-response.ts';
import { requestOf } from '../../support/handler.ts';

/** A limit whose requests run until the test answers them. */
function limiter(options: Partial<RequestLimitOptions> | readonly RequestLimitOptions[]) {
  const handler = requestLimit(Array.isArray(options) ? options : { per: 'address', ...options });
  const running: ((answer: Response | Error) => void)[] = [];
  const ask = (remoteAddress = '192.0.2.1') => {
    const result = handler(requestOf({ peer: { remoteAddress } }), () => ({
      // biome-ignore lint/suspicious/noThenProperty: imitates a pool's job
      then: (onValue, onError) =>
        void running.push((answer) => (answer instanceof Error ? onError(answer) : onValue(answer))),
    }));
    const seen: { response: Response | null; error: unknown } = { response: null, error: null };
    if (result instanceof Response) seen.response = result;
    else {
      result.then(
        (response) => {
          seen.response = response;
        },
        (error) => {
          seen.error = error;
        },
      );
    }
    return seen;
  };
  return { ask, running, refuses: () => ask().response?.status ?? 0 };
}

class Source implements BodySource {
  sink: BodySink | null = null;
  cancelled = 0;
  start(sink: BodySink): void {
    this.sink = sink;
  }
  pause(): void {}
  resume(): void {}
  cancel(): void {
    this.cancelled += 1;
  }
}

const nobody: BodySink = { write() {}, end() {}, fail() {} };

describe('requestLimit', () => {
  it('lets a request pass several limits, and counts it for none if one refuses it', () => {
    const { ask, running } = limiter([
      { per: 'address', max: 2 },
      { per: 'route', max: 3, status: 429 },
    ]);
    const [first] = [ask('192.0.2.1'), ask('192.0.2.1')];
    assert.equal(ask('192.0.2.1').response?.status, 503);
    ask('192.0.2.2');
    assert.equal(ask('192.0.2.2').response?.status, 429);
    running[0]?.(Response.text(200, 'done'));
    assert.equal(first?.response?.status, 200);
    ask('192.0.2.2');
    assert.equal(running.length, 4, 'the refused request does not count for its address');
    assert.equal(ask('192.0.2.2').response?.status, 503);
  });

  it('refuses too many requests of one key and lets others pass', () => {
    const { ask, running } = limiter({ max: 2 });
    ask();
    ask();
    const third = ask();
    assert.equal(third.response?.status, 503);
    assert.equal(responseField(third.response as Response, 'retry-after'), '1');
    assert.equal(ask('192.0.2.2').response, null);
    assert.equal(running.length, 3);
  });

  it('refuses too many requests of all keys', () => {
    const { ask } = limiter({ totalMax: 2, status: 429, retryAfter: 7 });
    ask('192.0.2.1');
    ask('192.0.2.2');
    const third = ask('192.0.2.3');
    assert.equal(third.response?.status, 429);
    assert.equal(responseField(third.response as Response, 'retry-after'), '7');
  });

  it('does not count refused requests', () => {
    const { ask, running, refuses } = limiter({ max: 1 });
    ask();
    assert.equal(refuses(), 503);
    running[0]?.(Response.text(200, 'done'));
    assert.equal(refuses(), 0);
  });

  for (const [name, answer] of [
    ['a response in memory', Response.text(200, 'done')],
    ['a response without content', Response.fromHeaders(204, [], null)],
    ['a failure', new Error('broken')],
  ] as const) {
    it(`counts until there is ${name}`, () => {
      const { ask, running, refuses } = limiter({ max: 1 });
      const first = ask();
      assert.equal(refuses(), 503);
      running[0]?.(answer);
      assert.equal(first.response ?? first.error, answer);
      assert.equal(refuses(), 0);
    });
  }

  it('does not count when the next handler throws', () => {
    const handler = requestLimit({ per: 'route', max: 1 });
    const broken = (): HandlerResult => {
      throw new Error('broken');
    };
    assert.throws(() => handler(requestOf(), broken), /broken/);
    assert.equal((handler(requestOf(), () => Response.text(200, 'done')) as Response).status, 200);
  });

  for (const [how, finish] of [
    ['ends', (source: Source) => source.sink?.end()],
    ['fails', (source: Source) => source.sink?.fail(new Error('broken'))],
    ['is cancelled because the client left', (_: Source, body: BodySource) => body.cancel()],
  ] as const) {
    it(`counts a stream until it ${how}`, () => {
      const { ask, running, refuses } = limiter({ max: 1 });
      const source = new Source();
      const first = ask();
      running[0]?.(Response.fromHeaders(200, ['X-Kept', 'yes'], source));
      assert.equal(refuses(), 503);
      const body = first.response?.body as BodySource;
      body.start(nobody);
      source.sink?.write(Buffer.from('block'));
      assert.equal(refuses(), 503);
      finish(source, body);
      assert.equal(refuses(), 0);
      assert.equal(refuses(), 503, 'it was released twice');
      assert.equal(responseField(first.response as Response, 'x-kept'), 'yes');
    });
  }

  it('counts a stream that is not started until it is discarded', () => {
    const { ask, running, refuses } = limiter({ max: 1 });
    const source = new Source();
    const first = ask();
    running[0]?.(Response.fromHeaders(200, [], source));
    discardBody(first.response?.body ?? null);
    assert.equal(source.cancelled, 1);
    assert.equal(refuses(), 0);
  });

  it('counts a file until it is released', () => {
    const { ask, running, refuses } = limiter({ max: 1 });
    const released: string[] = [];
    const first = ask();
    running[0]?.(Response.fromHeaders(200, [], { fd: 0, start: 0, end: 9, release: () => released.push('file') }));
    assert.equal(refuses(), 503);
    discardBody((first.response as Response).body);
    assert.deepEqual(released, ['file']);
    assert.equal(refuses(), 0);
  });

  it('counts an upgraded connection until it is closed', async () => {
    const { EventEmitter } = await import('node:events');
    const { ask, running, refuses } = limiter({ max: 1 });
    const taken: unknown[] = [];
    const first = ask();
    running[0]?.(new UpgradeResponse('echo', ['X-Kept', 'yes'], (socket) => taken.push(socket)));
    const upgrade = first.response as UpgradeResponse;
    assert.equal(upgrade.lines, 'Connection: Upgrade\r\nUpgrade: echo\r\nX-Kept: yes\r\n');
    const socket = Object.assign(new EventEmitter(), { destroyed: false });
    upgrade.onSocket(socket as never, Buffer.alloc(0));
    assert.deepEqual(taken, [socket]);
    assert.equal(refuses(), 503);
    socket.emit('close');
    assert.equal(refuses(), 0);
  });
});

describe('requestLimit per field', () => {
  it('counts each value', () => {
    const handler = requestLimit({ per: { header: 'x-tenant' }, max: 1 });
    const pending: HandlerResult = new Promise<Response>(() => {});
    const status = (request: Request) => {
      const result = handler(request, () => pending);
      return result instanceof Response ? result.status : 0;
    };
    assert.equal(status(requestOf({ headers: ['X-Tenant', 'a'] })), 0);
    assert.equal(status(requestOf({ headers: ['X-Tenant', 'a'] })), 503);
    assert.equal(status(requestOf({ headers: ['X-Tenant', 'b'] })), 0);
  });
});
