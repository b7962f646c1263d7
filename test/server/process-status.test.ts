import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { OpenRequest } from '../../src/http/transport/protocol-server.ts';
import type { ReverseProxy } from '../../src/proxy/reverse-proxy.ts';
import type { CurrentSite } from '../../src/server/current-site.ts';
import { ProcessStatus } from '../../src/server/process-status.ts';
import type { ProtocolServers } from '../../src/server/protocol-servers.ts';
import type { ServerState } from '../../src/server/readiness.ts';
import type { Applications } from '../../src/site/applications.ts';
import type { Listeners } from '../../src/site/listeners.ts';
import { requestOf } from '../support/handler.ts';

const CERTIFICATE = { file: '/a.pem', names: ['a.example'], expires_at: null };

/** The status of a process whose parts are what the test says. */
function open() {
  const load = { workers: 1, waiting: 0, waitingMax: 10 };
  const backend = { name: 'http://b', state: 'up', weight: 1, backup: false, active: 0 };
  const threads = [{ name: 'MainThread', lane: null, stack: 'File …' }];
  const worker = { number: 3, pid: 4711, state: 'ready', lanes: [], stacks: { ask: async () => threads } };
  const lines: string[] = [];
  const requests: OpenRequest[] = [];
  let isBound = false;
  const bound = <T>(part: T): T => {
    assert.ok(isBound, 'nobody has asked for it yet');
    return part;
  };
  const status = new ProcessStatus({
    applications: {
      serving: () => [
        ['shop', { load, workers: [worker], status: (name: string) => ({ name }), waitingRequests: () => [] }],
      ],
    } as unknown as Applications,
    site: {
      get proxies() {
        const proxy = { waiting: 2, status: () => [backend], eachRequest() {} } as unknown as ReverseProxy;
        return new Map([['api', proxy]]);
      },
    } as unknown as CurrentSite,
    protocols: () =>
      bound({ size: 7, sizes: [['HTTP/1.1', 7]], requests: () => requests } as unknown as ProtocolServers),
    listeners: () => bound({ certificates: [CERTIFICATE] } as unknown as Listeners),
    warn: (text) => void lines.push(text),
  });
  isBound = true;
  return { status, load, backend, lines, requests };
}

describe('a server process', () => {
  it('is ready while it serves, and otherwise says why not', () => {
    const { status } = open();
    const reasons: [ServerState | null, string[]][] = [
      [null, ['the server is starting']],
      ['broken', ['the application cannot be imported']],
      ['serving', []],
      ['broken', ['the application cannot be imported']],
      ['serving', []],
      ['stopping', ['the server is stopping']],
    ];
    for (const [state, expected] of reasons) {
      if (state !== null) status.enter(state);
      assert.deepEqual(status.unready(), expected);
      const { process: report } = status.report();
      assert.deepEqual([report.state, report.ready], [state ?? 'starting', expected.length === 0]);
      assert.deepEqual(report.reasons, expected);
    }
  });

  it('does nothing else any more when it stops', () => {
    const { status } = open();
    status.enter('stopping');
    for (const state of ['serving', 'broken', 'starting'] as const) {
      status.enter(state);
      assert.equal(status.report().process.state, 'stopping');
    }
  });

  it('is not ready while it is drained, whatever it does', () => {
    const { status } = open();
    status.drain(true);
    assert.deepEqual(status.unready(), ['the server is starting', 'the server is drained']);
    assert.equal(status.report().process.state, 'starting');
    status.enter('serving');
    assert.deepEqual(status.unready(), ['the server is drained']);
    assert.equal(status.report().process.state, 'drained');
    status.drain(false);
    assert.deepEqual([status.unready(), status.report().process.state], [[], 'serving']);
    status.drain(true);
    status.enter('stopping');
    assert.deepEqual(status.unready(), ['the server is stopping', 'the server is drained']);
    assert.equal(status.report().process.state, 'stopping');
  });

  it('is not ready without a worker, with a full queue, and without a backend, at that moment', () => {
    const { status, load, backend } = open();
    status.enter('serving');
    load.workers = 0;
    assert.deepEqual(status.unready(), ['an application has no worker']);
    Object.assign(load, { workers: 1, waiting: 10 });
    assert.deepEqual(status.unready(), ['a queue is full']);
    load.waiting = 0;
    backend.state = 'down';
    assert.deepEqual(status.unready(), ['a route has no backend that is up']);
    backend.state = 'up';
    assert.deepEqual(status.unready(), []);
  });

  it('reports what it has', () => {
    const { status, backend } = open();
    const { process: own, certificates, backends } = status.report();
    assert.equal(own.pid, process.pid);
    assert.deepEqual([own.connections, own.applications], [7, [{ name: 'shop' }]]);
    assert.ok((own.rss_bytes ?? 0) > 1_000_000);
    assert.deepEqual(certificates, [CERTIFICATE]);
    assert.deepEqual(backends, [{ route: 'api', waiting: 2, backends: [backend] }]);
    assert.deepEqual(status.connectionsByProtocol(), [['HTTP/1.1', 7]]);
  });

  it('lists its requests, the oldest first', () => {
    const { status, requests } = open();
    const now = performance.now();
    for (const [path, ageMs] of [['/young', 1000] as const, ['/old', 60_000] as const])
      requests.push({ request: requestOf({ path }), isResponding: path === '/old', startedAtMs: now - ageMs });
    assert.deepEqual(
      status.requests().map(({ path, where }) => [path, where]),
      [
        ['/old', 'sending'],
        ['/young', 'server'],
      ],
    );
    assert.deepEqual([...status.openRequests()], requests);
  });

  it('knows where the threads of a worker are', async () => {
    const { status } = open();
    for (const one of [3, 4711, null]) {
      const [stacks] = await status.stacks(one);
      assert.deepEqual([stacks?.application, stacks?.worker, stacks?.threads?.[0]?.stack], ['shop', 3, 'File …']);
    }
    assert.deepEqual(await status.stacks(4), []);
  });

  it('passes on what metrics warn of', () => {
    const { status, lines } = open();
    status.warn('a file cannot be read');
    assert.deepEqual(lines, ['a file cannot be read']);
  });
});
