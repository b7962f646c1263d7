import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { type Received, Receiver } from '../support/otlp-receiver.ts';
import { makeProject } from '../support/project.ts';
import { NO_PACKAGES, PYTHON_WITH_PACKAGES, runViaduct, startViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const APP = `
from prometheus_client import Counter
orders = Counter("shop_orders", "Orders.", ["kind"])
def application(environ, start_response):
    orders.labels("book").inc()
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]
`;

/** The points of a metric in the last that was received. */
function pointsOf({ body }: Received, name: string) {
  const metrics = body.resourceMetrics[0].scopeMetrics[0].metrics;
  const metric = metrics.find((one: { name: string }) => one.name === name);
  return (metric?.sum ?? metric?.histogram ?? metric?.gauge)?.dataPoints;
}

async function receiverOf(t: TestContext): Promise<{ receiver: Receiver; url: string }> {
  const receiver = new Receiver();
  const url = await receiver.listen();
  t.after(() => receiver.close());
  return { receiver, url };
}

describe('metrics by OTLP', { skip: NO_PACKAGES }, () => {
  for (const processes of ['1', '2']) {
    it(`have what the server and the application count, with ${processes} server processes`, async (t) => {
      const { receiver, url } = await receiverOf(t);
      const cwd = makeProject(t, { 'app.py': APP });
      const flags = [
        '--python',
        `${PYTHON_WITH_PACKAGES}`,
        '--otlp-url',
        url,
        '--otlp-interval-ms',
        '1s',
        '--workers',
        '2',
        '--processes',
        processes,
      ];
      const server = await startViaduct(t, flags, { cwd, env: { OTEL_SERVICE_NAME: 'shop' } });
      for (let i = 0; i < 10; i += 1) assert.equal((await ask(server.port, '/')).status, 200);
      await eventually('ten requests and ten orders', () => {
        const last = receiver.received.at(-1);
        if (last === undefined) return false;
        const requests = pointsOf(last, 'http.server.request.duration')?.map(({ count }: { count: unknown }) =>
          Number(count),
        );
        return requests?.[0] === 10 && pointsOf(last, 'shop_orders')?.[0].asDouble === 10;
      });
      assert.match(JSON.stringify(receiver.received[0]?.body), /"service.name","value":\{"stringValue":"shop"/);
      await ask(server.port, '/');
      const before = receiver.received.length;
      await server.stop();
      const last = receiver.received.at(-1) as Received;
      assert.ok(receiver.received.length > before);
      if (processes === '1') assert.equal(Number(pointsOf(last, 'http.server.request.duration')[0].count), 11);
    });
  }

  it('are given up while no collector answers, and the server serves', async (t) => {
    const cwd = makeProject(t, { 'app.py': APP });
    const flags = [
      '--python',
      `${PYTHON_WITH_PACKAGES}`,
      '--otlp-url',
      'http://127.0.0.1:1/v1/metrics',
      '--otlp-interval-ms',
      '1s',
    ];
    const server = await startViaduct(t, flags, { cwd });
    await eventually('a warning', () =>
      server.output().includes('Cannot send metrics to http://127.0.0.1:1/v1/metrics'),
    );
    assert.equal((await ask(server.port, '/')).status, 200);
    await server.stop();
    assert.equal(server.output().split('Cannot send metrics').length, 2);
  });

  it('need a URL', async (t) => {
    const cwd = makeProject(t, { 'app.py': APP });
    const { code, output } = await runViaduct(cwd, 'check', '--otlp-url', 'localhost:4318');
    assert.equal(code, 2);
    assert.match(output, /Cannot use otlp_url "localhost:4318": write a URL such as/);
  });
});
