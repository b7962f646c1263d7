import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { makeSelfSigned } from '../../../src/listen/tls/self-signed.ts';
import type { TraceDocument } from '../../../src/trace/document.ts';
import type { Application } from '../../../src/wsgi/contract.ts';
import { ask } from '../../support/http-client.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { startTraced } from '../../support/traced-server.ts';
import { eventually } from '../../support/wait.ts';

const ALL = { trace: { sample: 1 } };

const application: Application = (environ, startResponse) => {
  const length = Number(environ.QUERY_STRING || '5');
  startResponse('200 OK', [['Content-Length', String(length)]]);
  return [Buffer.alloc(length, 'x')];
};

function kinds({ spans }: TraceDocument): string[] {
  return spans.map(({ kind }) => kind);
}

/** Every span ends, within its parent's time and after its own start. */
function checkSpans({ spans, durationUs }: TraceDocument): void {
  for (const { kind, startUs, endUs } of spans) {
    assert.ok(endUs !== null, `${kind} has no end`);
    assert.ok(endUs >= startUs, kind);
    assert.ok(endUs <= (durationUs ?? 0), `${kind} ends at ${endUs} of ${durationUs}`);
    if (kind !== 'connection' && kind !== 'tls') assert.ok(startUs >= 0, kind);
  }
}

describe('TraceRecording, for each protocol', () => {
  it('records streams of one HTTP/2 connection, the connection with the first of them', async (t) => {
    const { port, list, server } = await startTraced(t, ALL, application);
    const client = connectHttp2(`http://127.0.0.1:${port}`);
    t.after(() => client.destroy());
    for (const path of ['/first', '/second?70000']) {
      const stream = client.request({ ':path': path, cookie: 'a=b' });
      stream.resume();
      await once(stream, 'end');
    }
    await eventually('both are kept', () => list().length === 2);
    const [second, first] = list().map(({ id }) => server.recording.store.find(id) as TraceDocument);
    assert.ok(first !== undefined && second !== undefined);
    assert.deepEqual([first.request.protocol, first.request.target], ['HTTP/2.0', '/first']);
    assert.deepEqual([second.response?.bodyBytes, second.response?.status], [70_000, 200]);
    assert.ok(kinds(first).includes('connection'));
    assert.ok(!kinds(second).includes('connection'));
    for (const trace of [first, second]) {
      assert.ok(kinds(trace).includes('head') && kinds(trace).includes('response'));
      checkSpans(trace);
    }
  });

  it('records the TLS handshake of a connection', async (t) => {
    const directory = temporaryDirectory(t);
    const { certificate, key } = makeSelfSigned();
    writeFileSync(join(directory, 'a.crt'), certificate);
    writeFileSync(join(directory, 'a.key'), key);
    const tls = { certificate: join(directory, 'a.crt'), key: join(directory, 'a.key') };
    const { port, newest } = await startTraced(t, { ...ALL, listen: 'https://127.0.0.1:0', tls }, application);
    const client = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
    t.after(() => client.destroy());
    const stream = client.request({ ':path': '/' });
    stream.resume();
    await once(stream, 'end');
    const trace = await newest();
    assert.equal(trace.request.scheme, 'https');
    const handshake = trace.spans.find(({ kind }) => kind === 'tls');
    assert.equal(trace.spans[handshake?.parent ?? -1]?.kind, 'connection');
    assert.ok(handshake !== undefined && (handshake.endUs ?? 0) > handshake.startUs);
    assert.ok(handshake.startUs < 0, 'the handshake came before the request');
    checkSpans(trace);
  });

  for (const connection of ['close', 'keep-alive']) {
    it(`records the wait for a client that reads slowly (${connection})`, async (t) => {
      const { port, newest } = await startTraced(t, ALL, application);
      const bytes = 20_000_000;
      const client = connect(port, '127.0.0.1');
      t.after(() => client.destroy());
      client.pause();
      client.write(`GET /?${bytes} HTTP/1.1\r\nHost: a.example\r\nConnection: ${connection}\r\n\r\n`);
      await new Promise((resolve) => setTimeout(resolve, 300));
      client.resume();
      const trace = await newest();
      const flushes = trace.spans.filter(({ kind }) => kind === 'flush');
      assert.ok(flushes.some(({ startUs, endUs }) => endUs !== null && endUs - startUs > 100_000));
      for (const { parent } of flushes) assert.equal(trace.spans[parent]?.kind, 'response');
      assert.ok(trace.times.clientUs > 100_000);
      checkSpans(trace);
    });
  }

  it('records the wait for a client that leaves', async (t) => {
    const { port, newest } = await startTraced(t, ALL, application);
    const client = connect(port, '127.0.0.1');
    client.pause();
    client.write('GET /?20000000 HTTP/1.1\r\nHost: a.example\r\n\r\n');
    await new Promise((resolve) => setTimeout(resolve, 100));
    client.destroy();
    const trace = await newest();
    assert.ok(kinds(trace).includes('flush'));
    checkSpans(trace);
  });

  it('records the wait for a client that resets a stream', async (t) => {
    const { port, newest } = await startTraced(t, ALL, application);
    const client = connectHttp2(`http://127.0.0.1:${port}`);
    t.after(() => client.destroy());
    const stream = client.request({ ':path': '/?20000000' });
    await once(stream, 'response');
    stream.close(8);
    const trace = await newest();
    assert.ok(kinds(trace).includes('flush'));
    checkSpans(trace);
  });

  it('records a file, and the content of an upload that is refused', async (t) => {
    const directory = temporaryDirectory(t);
    writeFileSync(join(directory, 'a.txt'), 'a file');
    const { port, newest } = await startTraced(t, {
      ...ALL,
      route: [
        { name: 'files', path: '/files/*', static: directory },
        { name: 'small', path: '/small', bodyBytesMax: 10, respond: { status: 200 } },
      ],
    });
    assert.equal((await ask(port, '/files/a.txt')).body, 'a file');
    const file = await newest();
    assert.equal(file.route?.name, 'files');
    assert.ok(
      file.hops.some(({ name, status }) => name === 'handler staticFiles' && status === '200'),
      JSON.stringify(file.hops),
    );
    checkSpans(file);
    assert.equal((await ask(port, '/small', { method: 'POST', body: 'x'.repeat(100) })).status, 413);
    const refused = await newest({ method: 'POST' });
    assert.equal(refused.response?.status, 413);
    checkSpans(refused);
    assert.equal((await ask(port, '/files/%2e%2e/a')).status, 400);
    const ambiguous = await newest({ status: '400' });
    assert.equal(ambiguous.route, null);
    checkSpans(ambiguous);
  });

  it('takes bounded memory for a million paths', async (t) => {
    const options = { trace: { sample: 1, entriesMax: 50 }, route: [{ name: 'all', respond: { status: 200 } }] };
    const { port, server } = await startTraced(t, options);
    const client = connect(port, '127.0.0.1');
    client.resume();
    for (let batch = 0; batch < 20; batch += 1) {
      const requests = Array.from({ length: 100 }, (_, i) => `GET /${batch}/${i} HTTP/1.1\r\nHost: a.example\r\n\r\n`);
      client.write(requests.join(''));
      await eventually('they are answered', () => {
        const { traces, evicted } = server.recording.store.usage;
        return traces + evicted === (batch + 1) * 100;
      });
    }
    client.destroy();
    assert.equal(server.recording.store.usage.traces, 50);
    assert.ok(server.recording.store.usage.bytes < 50 * 4000);
  });
});
