import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HandlerResult } from '../../../src/http/handler.ts';
import type { Request } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import { replayRequest } from '../../../src/server/trace/replay.ts';
import type { RecordedRequest } from '../../../src/trace/store.ts';
import { valuesOf } from '../../support/handler.ts';
import { MemoryTraces, recordedOf } from '../../support/memory-traces.ts';
import { documentOf } from '../../support/trace-document.ts';

interface Replayed {
  readonly outcome: Awaited<ReturnType<typeof replayRequest>>;
  readonly requests: readonly Request[];
  readonly contents: readonly string[];
  readonly answered: readonly (readonly [status: number, bytes: number])[];
  readonly traces: MemoryTraces;
}

async function replay(
  recorded: RecordedRequest | null,
  confirmed = false,
  handle: (request: Request) => HandlerResult = () => Response.text(201, 'again'),
): Promise<Replayed> {
  const traces = new MemoryTraces();
  traces.keep(documentOf(), recorded);
  const requests: Request[] = [];
  const contents: string[] = [];
  const answered: [number, number][] = [];
  const outcome = await replayRequest(traces, 'a1b2c3-1', confirmed, {
    receive: (request) => request,
    handle(request) {
      requests.push(request);
      let content = '';
      request.body?.start({
        write: (block) => (content += Buffer.from(block).toString()),
        end: () => contents.push(content),
        fail: () => {},
      });
      return handle(request);
    },
    onAnswered: (_, status, bytes) => answered.push([status, bytes]),
  });
  return { outcome, requests, contents, answered, traces };
}

describe('a replay', () => {
  it('sends the request as the client sent it, marked, and with a token for its own trace', async () => {
    const { outcome, requests, answered, traces } = await replay(recordedOf());
    const [request] = requests as [Request];
    assert.deepEqual([request.method, request.path, request.query], ['GET', '/shop/', 'page=2']);
    assert.deepEqual(valuesOf(request.headers, 'Cookie'), ['sessionid=secret']);
    assert.deepEqual(valuesOf(request.headers, 'X-Request-ID'), [], 'it is another request');
    assert.deepEqual(valuesOf(request.headers, 'Viaduct-Replay'), ['a1b2c3-1']);
    assert.deepEqual(valuesOf(request.headers, 'Viaduct-Trace'), traces.tokens);
    assert.equal(request.peer.remoteAddress, '127.0.0.1');
    assert.ok(outcome.kind === 'answered' && outcome.status === 201 && outcome.id !== 'a1b2c3-1');
    assert.deepEqual(answered, [[201, 5]]);
  });

  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'get', 'BREW'])
    it(`sends ${method} only after a confirmation`, async () => {
      const recorded = recordedOf({ method, headers: ['Transfer-Encoding', 'chunked'], body: Buffer.from('a=1') });
      const { outcome, requests } = await replay(recorded);
      assert.deepEqual(
        [outcome.kind, outcome.kind === 'refused' && outcome.needsConfirmation, requests.length],
        ['refused', true, 0],
      );
      const second = await replay(recorded, true);
      assert.equal(second.outcome.kind, 'answered');
      assert.deepEqual(second.contents, ['a=1']);
      const headers = second.requests[0]?.headers ?? [];
      assert.deepEqual([valuesOf(headers, 'Content-Length'), valuesOf(headers, 'Transfer-Encoding')], [['3'], []]);
    });

  it('says why a request cannot be sent again', async () => {
    const lost = await replay(recordedOf({ method: 'POST', body: 'lost' }), true);
    assert.match(lost.outcome.kind === 'refused' ? lost.outcome.reason : '', /content of the request was not kept/);
    const stages = await replay(null);
    assert.match(stages.outcome.kind === 'refused' ? stages.outcome.reason : '', /Only the stages .* were kept/);
    assert.deepEqual([lost.requests, stages.requests], [[], []]);
    const unknown = await replayRequest(new MemoryTraces(), 'nothing', true, {
      receive: (request) => request,
      handle: () => assert.fail('nothing is sent'),
      onAnswered: () => {},
    });
    assert.deepEqual(unknown, { kind: 'unknown' });
  });

  it('reports a handler that fails, and counts the bytes of a stream to its end', async () => {
    const failed = await replay(recordedOf(), false, () => {
      throw new Error('on purpose');
    });
    assert.match(failed.outcome.kind === 'refused' ? failed.outcome.reason : '', /failed: on purpose/);
    assert.deepEqual(failed.answered, [[500, 0]]);
    const stream = await replay(recordedOf(), false, () =>
      Response.fromHeaders(200, [], {
        start(sink) {
          sink.write(Buffer.alloc(1000));
          setImmediate(() => {
            sink.write(Buffer.alloc(24));
            sink.end();
          });
        },
        pause() {},
        resume() {},
        cancel() {},
      }),
    );
    assert.deepEqual(stream.answered, [[200, 1024]]);
  });
});
