import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type LiveRequest, oldestFirst } from '../../src/server/live-requests.ts';
import { unreadyReasons } from '../../src/server/readiness.ts';
import { mergeStatus, type ProcessReport, silentReport } from '../../src/server/status.ts';

const CERTIFICATE = { file: '/a.pem', names: ['a.example'], expires_at: null };

function report(pid: number, active: number): ProcessReport {
  const state = { pid, state: 'serving', ready: true, reasons: [], connections: 1, rss_bytes: 1 } as const;
  const backend = { name: 'http://b', state: 'up', weight: 1, backup: false, active } as const;
  return {
    process: { ...state, applications: [] },
    certificates: [CERTIFICATE],
    backends: [{ route: 'shop', waiting: 1, backends: [backend] }],
  };
}

describe('the status of several server processes', () => {
  it('has each process, and certificates and backends once', () => {
    const { urls, certificates, processes, backends } = mergeStatus(
      [report(1, 2), silentReport(2), report(3, 5)],
      ['u'],
    );
    assert.deepEqual([urls, certificates], [['u'], [CERTIFICATE]]);
    assert.deepEqual(
      processes.map(({ pid, state, ready }) => [pid, state, ready]),
      [
        [1, 'serving', true],
        [2, 'silent', false],
        [3, 'serving', true],
      ],
    );
    assert.deepEqual([backends.length, backends[0]?.waiting, backends[0]?.backends[0]?.active], [1, 2, 7]);
  });
});

describe('a list of requests', () => {
  it('has the oldest first, and a limit', () => {
    const request = {
      method: 'GET',
      host: '',
      path: '/',
      client: '',
      priority: 'normal',
      where: 'server',
      worker: null,
      backend: null,
    } as const;
    const requests = Array.from({ length: 1500 }, (_, age): LiveRequest => ({ ...request, age_ms: age || null }));
    const listed = oldestFirst(requests);
    assert.deepEqual([listed.length, listed[0]?.age_ms, listed[999]?.age_ms], [1000, 1499, 500]);
  });
});

describe('unreadyReasons', () => {
  const ready = { state: 'serving', draining: false, loads: [], routes: [] } as const;
  const load = { workers: 1, waiting: 0, waitingMax: 10 };

  it('are an empty list for a server without applications and backends', () =>
    assert.deepEqual(unreadyReasons(ready), []));

  it('do not call a queue full in which nothing may wait', () =>
    assert.deepEqual(unreadyReasons({ ...ready, loads: [{ ...load, waitingMax: 0 }] }), []));

  it('name a full queue and a missing worker once, whatever number of applications has it', () => {
    const loads = [{ ...load, waiting: 10 }, load, { ...load, waiting: 12 }, { ...load, workers: 0 }];
    assert.deepEqual(unreadyReasons({ ...ready, loads }), ['an application has no worker', 'a queue is full']);
  });

  it('name a route that has no backend at all', () =>
    assert.deepEqual(unreadyReasons({ ...ready, routes: [{ route: 'a', waiting: 0, backends: [] }] }), [
      'a route has no backend that is up',
    ]));
});
