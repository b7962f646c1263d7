import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { ask } from '../support/http-client.ts';
import { freePort, missing, startPeer } from '../support/peer.ts';
import { makeProject } from '../support/project.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { NO_PACKAGES, startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually, isRunning } from '../support/wait.ts';

/** Serves `app.py` with the packages of the tests. */
async function serve(
  t: TestContext,
  app: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Viaduct> {
  const project = makeProject(t, { 'app.py': app }, { venv: '.venv' });
  return startViaduct(t, ['serve', project, '--threads', '1', '--access-log', 'off', ...args], { env });
}

async function reload(server: Viaduct): Promise<void> {
  const before = server.output().split('Reloaded in').length;
  process.kill(server.pid, 'SIGHUP');
  await eventually('it has reloaded', () => server.output().split('Reloaded in').length > before);
}

/** A collector of telemetry or of errors: it accepts everything. `received` is all content, unpacked. */
async function startCollector(t: TestContext): Promise<{ readonly port: number; received(): string }> {
  const contents: Buffer[] = [];
  const collector = createServer(async (request: IncomingMessage, response) => {
    const blocks: Buffer[] = [];
    for await (const block of request) blocks.push(block as Buffer);
    const content = Buffer.concat(blocks);
    contents.push(request.headers['content-encoding'] === 'gzip' ? gunzipSync(content) : content);
    response.writeHead(200, { 'Content-Type': request.headers['content-type'] ?? 'text/plain' }).end();
  });
  t.after(() => {
    collector.closeAllConnections();
    collector.close();
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  return {
    port: (collector.address() as AddressInfo).port,
    received: () => Buffer.concat(contents).toString('latin1'),
  };
}

const TRACED = `
import os
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import viaduct


@viaduct.postfork
def trace_requests():
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)


def application(environ, start_response):
    with trace.get_tracer('shop').start_as_current_span('span' + environ['PATH_INFO'].replace('/', '-') + '.'):
        start_response('200 OK', [])
        return [b'%d' % os.getpid()]
`;

describe('the recipes for hooks', { concurrency: 2, skip: NO_PACKAGES }, () => {
  it('send every span of OpenTelemetry, also those of workers that were recycled or replaced by a release', async (t) => {
    const collector = await startCollector(t);
    const endpoint = `http://127.0.0.1:${collector.port}`;
    // The processor itself sends after five seconds, and never before a worker of this test ends.
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_BSP_SCHEDULE_DELAY: '600000' };
    const server = await serve(t, TRACED, ['--workers', '2', '--max-requests', '15'], env);
    assert.doesNotMatch(server.output(), /cannot share/);
    for (let i = 0; i < 60; i += 1) {
      assert.equal((await ask(server.port, `/${i}`)).status, 200);
      if (i === 30) await reload(server);
    }
    await server.stop();
    const missing = Array.from({ length: 60 }, (_, i) => i).filter((i) => !collector.received().includes(`span-${i}.`));
    assert.deepEqual(missing, []);
    assert.match(server.output(), /it has done as many as max_requests allows/);
  });

  it('send an error to Sentry from a worker that was forked', async (t) => {
    const collector = await startCollector(t);
    const app = `
import sentry_sdk
from sentry_sdk.integrations.wsgi import SentryWsgiMiddleware
sentry_sdk.init('http://public@127.0.0.1:${collector.port}/1', default_integrations=False)
def fails(environ, start_response):
    raise ValueError('the basket is empty')
application = SentryWsgiMiddleware(fails)
`;
    const server = await serve(t, app, ['--workers', '1']);
    assert.doesNotMatch(server.output(), /cannot share/);
    assert.equal((await ask(server.port, '/')).status, 500);
    await eventually('it has the error', () => collector.received().includes('the basket is empty'));
  });

  it('give each worker a connection to Redis of its own', { skip: missing('redis-server') }, async (t) => {
    const port = await freePort();
    const directory = temporaryDirectory(t);
    const args = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', directory];
    await startPeer(t, 'redis-server', args, { ready: ({ output }) => /Ready to accept connections/.test(output()) });
    const application = `
import os
def application(environ, start_response):
    start_response('200 OK', [])
    return [b'%d %d %d' % (os.getpid(), client.client_id(), client.incr('requests'))]
`;
    const connect = `import redis\nclient = redis.Redis(port=${port})\nclient.ping()\n`;
    const disconnected = await serve(t, `${connect}client.connection_pool.disconnect()\n${application}`, [
      '--workers',
      '2',
    ]);
    assert.doesNotMatch(disconnected.output(), /cannot share/);
    const told = await serve(t, connect + application, ['--workers', '2']);
    assert.match(told.output(), new RegExp(`cannot share: a connection to 127\\.0\\.0\\.1:${port}`));
    // redis-py makes new connections in a new process.
    const kept = await serve(t, connect + application, ['--workers', '2', '--preload']);
    for (const server of [disconnected, told, kept]) {
      const answers = await Promise.all(Array.from({ length: 40 }, () => ask(server.port, '/')));
      const owners = new Map<string, string>();
      for (const { body } of answers) {
        const [pid = '', id = ''] = body.split(' ');
        assert.equal(owners.get(id) ?? pid, pid, 'a connection of two processes');
        owners.set(id, pid);
      }
      await server.stop();
    }
  });
});

describe('an application that gevent has patched', { skip: NO_PACKAGES }, () => {
  const app = `
from gevent import monkey
monkey.patch_all()
import os, time
import gevent
from gevent.pool import Pool
def application(environ, start_response):
    if environ['PATH_INFO'] == '/late':
        time.sleep(600)
    # Greenlets of one request run at the same time.
    before = time.perf_counter()
    slept = Pool(10).map(lambda number: time.sleep(0.05) or number, range(10))
    took = time.perf_counter() - before
    start_response('200 OK', [])
    return [b'%d %d %d' % (os.getpid(), sum(slept), took < 0.4)]
`;

  for (const flag of ['--preload', '--no-preload']) {
    it(`runs its greenlets beside each other, over reloads and recycling, with ${flag}`, async (t) => {
      const server = await serve(t, app, ['--workers', '2', '--threads', '2', '--max-requests', '8', flag]);
      for (let round = 0; round < 2; round += 1) {
        const answers = await Promise.all(Array.from({ length: 12 }, () => ask(server.port, '/')));
        for (const { status, body } of answers) assert.match(`${status} ${body}`, /^200 \d+ 45 1$/);
        await reload(server);
      }
      await server.stop();
      assert.deepEqual(await server.exited, { code: 0, signal: null });
      assert.doesNotMatch(server.output(), /Traceback|died/);
    });
  }

  it('loses the worker of a request that exceeds its deadline, and no other request', async (t) => {
    const limits = ['--request-timeout-ms', '700ms', '--request-grace-ms', '300ms'];
    const server = await serve(t, app, ['--workers', '1', '--threads', '2', ...limits]);
    const [pid = ''] = (await ask(server.port, '/')).body.split(' ');
    assert.equal((await ask(server.port, '/late')).status, 504);
    await eventually('another worker answers', async () => {
      const { status, body } = await ask(server.port, '/');
      assert.equal(status, 200);
      return !body.startsWith(`${pid} `);
    });
    await eventually('the old one has ended', () => !isRunning(Number(pid)));
  });
});
