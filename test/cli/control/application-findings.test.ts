import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { applicationFindings } from '../../../src/cli/control/application-findings.ts';
import type { ProcessorUse } from '../../../src/cli/control/processor-use.ts';
import type { ApplicationStatus, WorkerStatus } from '../../../src/workers/application-status.ts';

type Use = readonly [used: number, waited: number];

const START = '2030-01-01T00:00:00.000Z';

/** A worker whose threads are all busy; of the first `held` ones, clients take long responses slowly. */
function worker(number: number, threads = 2, held = 0): WorkerStatus {
  const requests = Array.from({ length: threads }, (_, thread) => ({
    ...{ method: 'GET', path: '/a', client: '', thread, running_ms: 500 },
    waits_for_client: thread < held,
  }));
  const counts = { threads, threads_busy: threads, requests_done: 0, rss_bytes: null };
  return { number, pid: number, release: 1, state: 'ready', started_at: START, ...counts, requests };
}

function findings(workers: readonly WorkerStatus[], waiting: number, uses: readonly Use[], machine: number | null) {
  const queue = {
    ...{ waiting, waiting_max: 100, oldest_ms: waiting * 1000, expected_wait_ms: 0, entered: waiting, left: 0 },
    waiting_by_priority: { high: 0, normal: waiting, low: 0 },
    refused: { queue_max: 0, queue_delay: 0, client_queue_delay: 0, queue_wait_max: 0, deadline: 0 },
  };
  const release = { number: 1, started_at: START, workers: workers.length };
  const application: ApplicationStatus = { name: 'main', release, trial: null, queue, workers };
  const processes = new Map(uses.map(([used, waited], index) => [index + 1, { used, waited }]));
  const use: ProcessorUse = { processors: 4, machine, processes };
  return applicationFindings(application, use).join('\n');
}

const FULL = 'All 4 threads of main are busy: 1 request waiting, the oldest for 1.0 s.';
const LONGEST = 'The longest has run for 500 ms: GET /a in worker 1.';
const IDLE: Use = [0, 0];
const HALF: Use = [0.5, 0];
const TWO = [worker(1), worker(2)];

describe('the reason why requests wait', () => {
  it('is what the views wait for, when the workers need no processor', () => {
    const waits = 'The views wait for something else, such as a database: each worker uses 3 % of a processor.';
    const help = 'viaduct stack shows for what; with more threads, more requests can wait at a time.';
    const uses: readonly Use[] = [
      [0.02, 0.01],
      [0.04, 0],
    ];
    for (const machine of [0.1, 1, null])
      assert.equal(findings(TWO, 1, uses, machine), `${FULL} ${waits} ${help} ${LONGEST}`);
  });

  it('is that views compute, and more workers help while processors are free', () => {
    const free = 'Processors of the machine are free for more workers.';
    const none = 'The machine has no free processor: only faster views help.';
    const reason = (used: number, waited: number, machine: number | null) => {
      const one = [used, waited] as const;
      const text = findings(TWO, 1, [one, one], machine);
      return text.slice(FULL.length + 1, -LONGEST.length - 1);
    };
    assert.equal(reason(0.95, 0.02, 0.5), `The views compute: each worker uses 95 % of a processor. ${free}`);
    assert.equal(reason(0.95, 0.02, 0.99), `The views compute: each worker uses 95 % of a processor. ${none}`);
    assert.equal(reason(0.2, 0.7, null), `The views compute: each worker uses 20 % of a processor. ${none}`);
  });

  it('is the clients, when they hold most of the threads', () => {
    const help = 'read long responses slowly: a larger response_buffer_bytes_max frees the threads.';
    const all = [worker(1, 2, 2), worker(2, 2, 2)];
    assert.equal(findings(all, 1, [IDLE, IDLE], 0), `${FULL} All wait for clients that ${help} ${LONGEST}`);
    const most = [worker(1, 2, 2), worker(2, 2, 1)];
    assert.equal(findings(most, 1, [IDLE, IDLE], 0), `${FULL} 3 of 4 wait for clients that ${help} ${LONGEST}`);
  });

  it('is left out when the use of processors is not known, or says nothing', () => {
    assert.equal(findings(TWO, 1, [], null), `${FULL} ${LONGEST}`);
    assert.equal(findings(TWO, 1, [IDLE], 0.1), `${FULL} ${LONGEST}`);
    assert.equal(findings(TWO, 1, [HALF, HALF], 0.4), `${FULL} ${LONGEST}`);
  });
});

describe('the findings when no request waits', () => {
  it('name a worker whose requests share one processor', () => {
    assert.equal(
      findings(TWO, 0, [[0.6, 0.35], IDLE], 0.5),
      'The 2 requests of worker 1 compute in turns on one processor, because of the interpreter lock: more workers with fewer threads are faster.',
    );
  });

  it('do not name a request that has the processor of its worker alone', () => {
    assert.equal(findings([worker(1, 1)], 0, [[1, 0]], 0.5), '');
  });
});

describe('a request that runs for long', () => {
  it('is named with what its worker uses', () => {
    const [first] = worker(1, 1).requests;
    const requests = first === undefined ? [] : [{ ...first, running_ms: 12_000 }];
    const runs = 'A request runs for long. The longest has run for 12.0 s: GET /a in worker 1.';
    const one = { ...worker(1, 1), requests };
    assert.equal(findings([one], 0, [[0.98, 0]], 0.5), `${runs} The worker uses 98 % of a processor.`);
    assert.equal(findings([one], 0, [], null), runs);
  });
});
