import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BesideStatus } from '../../../src/beside/beside.ts';
import { ageText, durationText, memoryText } from '../../../src/cli/control/amounts.ts';
import { findingsOf } from '../../../src/cli/control/findings.ts';
import type { ProcessorUse } from '../../../src/cli/control/processor-use.ts';
import { type FullStatus, statusText } from '../../../src/cli/control/status-text.ts';
import type { LastReload } from '../../../src/server/control/control-api.ts';
import type { ProcessStatus, ServerStatus } from '../../../src/server/status.ts';
import type { ApplicationStatus, WorkerStatus } from '../../../src/workers/application-status.ts';

/** What processes use of a processor, by their ids. */
function use(processes: Readonly<Record<number, number>> = {}, machine: number | null = null): ProcessorUse {
  return {
    processors: 2,
    machine,
    processes: new Map(Object.entries(processes).map(([pid, used]) => [Number(pid), { used, waited: 0 }])),
  };
}

const NOW = Date.parse('2030-01-02T00:00:00Z');
const YESTERDAY = '2030-01-01T00:00:00.000Z';

function worker(number: number, runs: readonly (readonly [path: string, ms: number])[] = []): WorkerStatus {
  return {
    number,
    pid: 100 + number,
    release: 1,
    state: 'ready',
    started_at: YESTERDAY,
    threads: 1,
    threads_busy: runs.length,
    requests_done: 7,
    rss_bytes: 50 * 1024 ** 2,
    requests: runs.map(([path, running_ms], thread) => ({
      ...{ method: 'GET', path, client: '', thread, running_ms },
      waits_for_client: false,
    })),
  };
}

function application(workers: readonly WorkerStatus[], waiting = 0, oldest_ms = 0): ApplicationStatus {
  const queue = {
    ...{ waiting, waiting_max: 100, oldest_ms, expected_wait_ms: 2 * oldest_ms, entered: waiting, left: 0 },
    waiting_by_priority: { high: 0, normal: waiting, low: 0 },
    refused: { queue_max: 0, queue_delay: 0, client_queue_delay: 0, queue_wait_max: 0, deadline: 0 },
  };
  const release = { number: 1, started_at: YESTERDAY, workers: workers.length };
  return { name: 'main', release, trial: null, queue, workers };
}

function processOf(change: Partial<ProcessStatus> = {}): ProcessStatus {
  const ready = { ready: true, reasons: [] };
  return {
    pid: 1,
    state: 'serving',
    ...ready,
    connections: 3,
    rss_bytes: null,
    applications: [],
    ...change,
  };
}

type Status = ServerStatus & BesideStatus;

function status(change: Partial<Status> = {}): Status {
  const beside = { sidecars: [], schedules: [] };
  return { urls: ['http://a'], certificates: [], processes: [processOf()], backends: [], ...beside, ...change };
}

const withApplication = (one: ApplicationStatus) => status({ processes: [processOf({ applications: [one] })] });
const findings = (one: Status, reload: LastReload | null = null) => findingsOf({ ...one, reload }, NOW, use());

describe('the findings of a status', () => {
  it('are an empty list when all is well', () => {
    assert.deepEqual(findings(withApplication(application([worker(1, [['/', 20]]), worker(2)]))), []);
  });

  it('name the queue, its age and the longest request when all threads are busy', () => {
    const workers = [worker(1, [['/a', 300]]), worker(2, [['/report', 31_250]])];
    assert.deepEqual(findings(withApplication(application(workers, 1, 2400))), [
      'All 2 threads of main are busy: 1 request waiting, the oldest for 2.4 s. The longest has run for 31.3 s: GET /report in worker 2.',
    ]);
  });

  it('name a request that runs for long although nothing waits', () => {
    assert.deepEqual(findings(withApplication(application([worker(1, [['/export', 600_000]]), worker(2)]))), [
      'A request runs for long. The longest has run for 10 min: GET /export in worker 1.',
    ]);
  });

  it('name what is down: workers, backends, a process, readiness', () => {
    assert.deepEqual(findings(withApplication(application([]))), ['No worker of main is ready: requests wait.']);
    const backend = { weight: 1, backup: false, active: 0 };
    const states = [
      { ...backend, name: 'http://a', state: 'up' },
      { ...backend, name: 'http://b', state: 'down' },
    ] as const;
    const silent = processOf({ pid: 9, state: 'silent', ready: false, reasons: ['x'] });
    const drained = processOf({ state: 'drained', ready: false, reasons: ['the server is drained'] });
    const all = status({ processes: [silent, drained], backends: [{ route: 'shop', waiting: 2, backends: states }] });
    assert.deepEqual(findings(all), [
      'Server process 9 does not answer: its event loop is blocked, or it is stopped.',
      'Server process 2: Load balancers send it no requests (/-/ready): the server is drained. viaduct drain off ends this.',
      'Backends of shop get no new requests: http://b (down).',
      'All backends of shop are busy: 2 requests waiting.',
    ]);
  });

  it('name a server process that needs a whole processor', () => {
    assert.deepEqual(findingsOf({ ...status(), reload: null }, NOW, use({ 1: 0.97 })), [
      'Server process 1 uses 97 % of a processor, and a process cannot use more than one: all requests wait for it. Start more with processes.',
    ]);
    assert.deepEqual(findingsOf({ ...status(), reload: null }, NOW, use({ 1: 0.6 })), []);
  });

  it('name sidecars that do not stay up, and schedules whose last run failed', () => {
    const started = { pid: 7, restarts: 0, started_at: YESTERDAY, last_end: null };
    const sidecar = { ...started, name: 'celery', state: 'running' } as const;
    const bad = { ...sidecar, name: 'bad', state: 'waiting', pid: null, last_end: 'of SIGKILL' } as const;
    const soon = { ...sidecar, name: 'soon', restarts: 9, started_at: new Date(NOW - 2000).toISOString() };
    const unsteady = { ...soon, last_end: 'with exit code 1' };
    const steady = { ...sidecar, name: 'steady', restarts: 9 };
    const waiting = { state: 'waiting', when: '@daily', next_at: null, pid: null, runs: 1, skipped: 0 } as const;
    const run = { started_at: YESTERDAY, duration_ms: 1000, result: 'success', end: 'with exit code 0' } as const;
    const schedules = [
      { ...waiting, name: 'good', last_run: run },
      { ...waiting, name: 'none', last_run: null },
      { ...waiting, name: 'late', last_run: { ...run, result: 'timeout', end: 'of SIGTERM' } as const },
    ];
    assert.deepEqual(findings(status({ sidecars: [sidecar, bad, unsteady, steady], schedules })), [
      'The sidecar bad does not stay up: it ended of SIGKILL.',
      'The sidecar soon does not stay up: it ended with exit code 1.',
      'The last run of the schedule late failed: it ended of SIGTERM.',
    ]);
  });

  it('name certificates that expire within two weeks, or have', () => {
    const expiring = (days: number) => ({
      file: '/a.pem',
      names: [`${days}.example`],
      expires_at: new Date(NOW + days * 86_400_000).toISOString(),
    });
    assert.deepEqual(findings(status({ certificates: [expiring(-1), expiring(5), expiring(80)] })), [
      'The certificate for -1.example has expired.',
      'The certificate for 5.example expires in 5 days.',
    ]);
  });
});

describe('the findings after a reload', () => {
  const reload = { ended_at: YESTERDAY, traceback: null, duration_ms: 7 };

  it('say why it failed', () => {
    assert.deepEqual(findings(status(), { ...reload, error: 'Cannot use it' }), [
      'The last reload failed 24 h ago, the old configuration stays: Cannot use it.',
    ]);
  });

  it('are an empty list when it did not', () => {
    assert.deepEqual(findings(status(), { ...reload, error: null }), []);
  });
});

describe('the text of a status', () => {
  const server = {
    version: '1',
    name: 'shop',
    pid: 1,
    pid_namespace: null,
    started_at: YESTERDAY,
    directories: [],
    settings_file: null,
  };
  const plain = (text: string): string => text;
  const options = {
    colours: { dim: plain, bold: plain, red: plain, yellow: plain },
    nowMs: NOW,
    use: use({ 1: 0.034, 101: 0.97 }, 0.5),
  };
  const textOf = (one: Status, width = 200) =>
    statusText({ server, reload: null, ...one } as FullStatus, { ...options, width });

  it('shows a release on trial', () => {
    const figures = { requests: 120, failures: 3, crashes: 1, p50_ms: 8, p95_ms: 41 };
    const trial = { number: 2, started_at: YESTERDAY, workers: 1, ...figures };
    const text = textOf(withApplication({ ...application([worker(1)]), trial }));
    assert.match(text, / on trial +release 2, for 24 h: 120 requests, 3 failed, p95 41 ms, 1 worker died\n/);
  });

  it('has a line for each worker, and fits the terminal', () => {
    const path = `/${'long'.repeat(50)}`;
    const one = withApplication(application([worker(1, [[path, 1500]]), worker(2)]));
    const text = textOf(one, 70);
    assert.match(text, /^shop on http:\/\/a, Viaduct 1, process 1, for 24 h\n/);
    assert.match(
      text,
      /\n {2}WORKER {2}PID +STATE +BUSY +CPU +DONE +RSS +UP +RUNS\n {2}1 +101 +ready +1\/1 +97 % +7 +50 MiB +24 h +1\.5 s GET \/long/,
    );
    assert.match(text, /\n {2}2 +102 +ready +0\/1 +\? +7 /);
    assert.match(text, / {2}processor +3 % \(the server process\); the machine: 50 % of 2\n/);
    assert.match(text, / {2}workers +1 of 2 busy\n/);
    for (const line of text.split('\n').slice(1)) assert.ok(line.length <= 70, line);
  });

  it('tells who waits by priority, and what became of those that waited', () => {
    const one = application([worker(1, [['/', 10]])], 5, 1000);
    assert.doesNotMatch(textOf(withApplication(one)), /normal|since start/);
    const waiting_by_priority = { high: 1, normal: 4, low: 0 };
    const refused = { ...one.queue.refused, queue_delay: 7, deadline: 2 };
    const queue = { ...one.queue, waiting_by_priority, refused, entered: 100, left: 3 };
    const text = textOf(withApplication({ ...one, queue }));
    assert.match(text, /5 requests waiting \(1 high, 4 normal\), the oldest for 1\.0 s/);
    assert.match(
      text,
      / since start +100 requests waited, 9 refused \(7 queue_delay, 2 deadline\), 3 left by their clients\n/,
    );
  });

  it('shows nothing of a client that could change the terminal', () => {
    const text = textOf(withApplication(application([worker(1, [['/\x1b[2J\u202e', 1500]])])));
    assert.ok(text.includes('/\\x1B[2J\\u{202E}'), text);
  });

  it('has each server process when there are several', () => {
    const text = textOf(status({ processes: [processOf(), processOf({ pid: 2 })] }));
    assert.match(text, /server process 1\n[\s\S]*server process 2\n/);
  });
});

describe('amounts', () => {
  it('are short', () => {
    const durations = [0, 999, 1000, 59_900, 60_000, 7_199_999, 7_200_000, 172_799_999, 172_800_000].map(durationText);
    assert.deepEqual(durations, ['0 ms', '999 ms', '1.0 s', '59.9 s', '1 min', '119 min', '2 h', '47 h', '2 days']);
    assert.deepEqual([memoryText(null), memoryText(1024 ** 3)], ['?', '1024 MiB']);
    assert.equal(ageText(new Date(NOW + 5000).toISOString(), NOW), '0 ms', 'a clock may be behind another');
  });
});
