import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Response } from '../../../src/http/response.ts';
import { ClusterTraces } from '../../../src/server/cluster/cluster-traces.ts';
import type { Question } from '../../../src/server/cluster/messages.ts';
import { parseMessage } from '../../../src/server/cluster/parse-message.ts';
import type { ServerProcess } from '../../../src/server/cluster/server-process.ts';
import { LocalTraces } from '../../../src/server/trace/local-traces.ts';
import { answerTraceQuestion } from '../../../src/server/trace/trace-questions.ts';
import { USUAL_DETAILS } from '../../../src/trace/trace.ts';
import { MemoryTraces, recordedOf } from '../../support/memory-traces.ts';
import { documentOf } from '../../support/trace-document.ts';

interface Process {
  readonly traces: MemoryTraces;
  /** Requests that were sent again. */
  replays: number;
  isSilent: boolean;
}

/** The traces of two server processes. Questions and answers go through the form of messages. */
function clusterOf(): { readonly all: ClusterTraces; readonly first: Process; readonly second: Process } {
  const processes = [1, 2].map((pid) => {
    const state: Process = { traces: new MemoryTraces(), replays: 0, isSilent: false };
    const local = new LocalTraces(
      state.traces,
      {
        receive: (request) => request,
        handle: () => {
          state.replays += 1;
          return Response.text(200, '');
        },
        onAnswered: () => {},
      },
      pid,
    );
    const ask = async (question: Question): Promise<unknown> => {
      if (question.about !== 'traces' || state.isSilent) return null;
      const asked = JSON.parse(JSON.stringify(question.question));
      const answer = { kind: 'answer', id: 1, about: 'traces', answer: await answerTraceQuestion(local, asked) };
      const parsed = parseMessage(answer);
      return parsed?.kind === 'answer' ? parsed.answer : null;
    };
    return { state, serverProcess: { pid, ask } as unknown as ServerProcess };
  });
  const [first, second] = processes.map(({ state }) => state) as [Process, Process];
  return { all: new ClusterTraces(() => processes.map(({ serverProcess }) => serverProcess)), first, second };
}

describe('the traces of several server processes', () => {
  it('are listed together by their times, and found wherever they are', async () => {
    const { all, first, second } = clusterOf();
    first.traces.keep(documentOf({ id: 'a', startedAt: '2026-03-01T12:00:00.000Z' }));
    second.traces.keep(documentOf({ id: 'b', startedAt: '2026-03-01T12:00:01.000Z' }));
    first.traces.keep(documentOf({ id: 'c', startedAt: '2026-03-01T12:00:02.000Z' }));
    const ids = async (limit: number) => (await all.list({ limit })).map(({ id }) => id);
    assert.deepEqual(await ids(10), ['c', 'b', 'a']);
    assert.deepEqual(await ids(2), ['c', 'b']);
    assert.deepEqual([(await all.find('b'))?.id, await all.find('none')], ['b', null]);
    assert.equal((await all.lastGood('c'))?.id, 'a');
    assert.equal((await all.usage()).traces, 3);
    second.isSilent = true;
    assert.deepEqual(await ids(10), ['c', 'a']);
  });

  it('tell each reader what is new since then, of each process', async () => {
    const { all, first, second } = clusterOf();
    first.traces.keep(documentOf({ id: 'a' }));
    first.traces.keep(documentOf({ id: 'b' }));
    let { traces, cursor } = await all.since(null, 10);
    assert.deepEqual(traces, []);
    second.traces.keep(documentOf({ id: 'c' }));
    ({ traces, cursor } = await all.since(cursor, 10));
    assert.deepEqual(
      traces.map(({ id }) => id),
      ['c'],
    );
    second.isSilent = true;
    ({ traces, cursor } = await all.since(cursor, 10));
    second.isSilent = false;
    first.traces.keep(documentOf({ id: 'd' }));
    ({ traces, cursor } = await all.since(cursor, 10));
    assert.deepEqual(
      traces.map(({ id }) => id),
      ['d'],
      'nothing comes twice',
    );
  });

  it('have their errors merged by cause', async () => {
    const { all, first, second } = clusterOf();
    const group = { cause: 'KeyError', error: 'KeyError: 1', request: 'GET /', routes: ['shop'], traceback: '' };
    first.traces.groups = [{ ...group, count: 2, firstAt: '2026-01-01', lastAt: '2026-01-03', traces: ['a'] }];
    second.traces.groups = [
      {
        ...group,
        error: 'KeyError: 2',
        count: 1,
        firstAt: '2026-01-02',
        lastAt: '2026-01-04',
        traces: ['b'],
        routes: ['api'],
        traceback: 'T',
      },
      { ...group, cause: 'other', count: 1, firstAt: '2026-01-05', lastAt: '2026-01-05', traces: ['c'] },
    ];
    assert.deepEqual(await all.errors(), [
      { ...group, cause: 'other', count: 1, firstAt: '2026-01-05', lastAt: '2026-01-05', traces: ['c'] },
      {
        cause: 'KeyError',
        error: 'KeyError: 2',
        request: 'GET /',
        count: 3,
        firstAt: '2026-01-01',
        lastAt: '2026-01-04',
        routes: ['api', 'shop'],
        traces: ['b', 'a'],
        traceback: 'T',
      },
    ]);
  });

  it('are sent again by the process that has them, and by no other', async () => {
    const { all, first, second } = clusterOf();
    second.traces.keep(documentOf({ id: 'b' }), recordedOf());
    assert.equal((await all.replay('b', false)).kind, 'answered');
    assert.deepEqual([first.replays, second.replays], [0, 1]);
    assert.deepEqual(await all.replay('none', false), { kind: 'unknown' });
  });

  it('accept a token in all processes, because any of them may get the request', async () => {
    const { all, first, second } = clusterOf();
    await all.acceptToken('once.abc', USUAL_DETAILS);
    assert.deepEqual([first.traces.tokens, second.traces.tokens], [['once.abc'], ['once.abc']]);
  });
});
