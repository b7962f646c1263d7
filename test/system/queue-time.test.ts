import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fetchWhole, PROTOCOLS } from '../support/http-client.ts';
import { eachTestLifetime } from '../support/lifetime.ts';
import { makeProject } from '../support/project.ts';
import { startViaduct } from '../support/viaduct.ts';

const APP = `
import json, time
KEYS = ("viaduct.queue_ms", "HTTP_X_REQUEST_START", "HTTP_X_QUEUE_START")
def application(environ, start_response):
    body = json.dumps([time.time(), *(environ.get(key) for key in KEYS)]).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
`;

/** As a client would write them that wants its request to look late. */
const FORGED = { 'X-Request-Start': 't=1000', 'x-queue-start': '1000' };

describe('the time at which a request was complete', () => {
  const eachTest = eachTestLifetime();

  const told = async (queueTime: boolean): Promise<(number | string)[][]> => {
    const cwd = makeProject(eachTest, { 'app.py': APP, 'viaduct.toml': `queue_time = ${queueTime}\n` });
    const { port } = await startViaduct(eachTest, ['app:application', '--workers', '1'], { cwd });
    const answers = PROTOCOLS.flatMap((protocol) =>
      [{}, FORGED].map(async (headers) => (await fetchWhole(protocol, port, 'GET', '/', headers)).text),
    );
    return (await Promise.all(answers)).map((text) => JSON.parse(text) as (number | string)[]);
  };

  it('reaches the application, and no client can forge it', async () => {
    for (const [time = 0, waited = -1, ...starts] of await told(true)) {
      assert.ok(Number(waited) >= 0, `${waited} ms`);
      const [start, other] = starts.map((text) => Number(/^t=(\d{10}\.\d{3})$/.exec(`${text}`)?.[1]));
      assert.equal(start, other);
      assert.ok(Math.abs(Number(time) - Number(start)) < 60, `${start} and ${time}`);
    }
  });

  it('does not reach it by default, and the fields are those of the client', async () => {
    const starts = (await told(false)).map(([, ...values]) => values);
    const sent = [null, 't=1000', '1000'];
    const none = [null, null, null];
    assert.deepEqual(starts, [none, sent, none, sent]);
  });
});
