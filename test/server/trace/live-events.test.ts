import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import type { BodySink } from '../../../src/http/message.ts';
import type { EventFeed } from '../../../src/server/trace/event-feed.ts';
import { LiveEvents } from '../../../src/server/trace/live-events.ts';
import type { Overview } from '../../../src/trace/overview.ts';
import type { TraceSummary } from '../../../src/trace/store.ts';
import type { Lifetime } from '../../support/lifetime.ts';
import { serveAdmin } from '../../support/serve-admin.ts';
import { documentOf } from '../../support/trace-document.ts';
import { startTraced } from '../../support/traced-server.ts';
import { eventually } from '../../support/wait.ts';

interface Stream {
  text(): string;
  /** The data of all events with this name. */
  events(name: string): unknown[];
  readonly closed: Promise<unknown>;
}

async function openStream(t: Lifetime, port: number): Promise<Stream> {
  const socket = connect(port, '127.0.0.1');
  t.after(() => void socket.destroy());
  socket.on('error', () => {});
  let received = '';
  socket.setEncoding('utf8');
  socket.on('data', (text: string) => (received += text));
  const closed = once(socket, 'close');
  socket.write('GET /api/events HTTP/1.0\r\nHost: localhost\r\n\r\n'); // without chunks
  await eventually('the head', () => received.includes('\r\n\r\n'));
  return {
    text: () => received,
    events: (name) =>
      [...received.matchAll(/^event: (.*)\ndata: (.*)\n\n/gm)]
        .filter(([, event]) => event === name)
        .map(([, , data = '']) => JSON.parse(data) as unknown),
    closed,
  };
}

describe('server-sent events', () => {
  it('have an overview at once and each second, and the traces that are kept from then on', async (t) => {
    const { port, traces } = await serveAdmin(t);
    traces.keep(documentOf({ id: 'before' }));
    const stream = await openStream(t, port);
    assert.match(stream.text(), /^HTTP\/1\.1 200 .*\r\n/);
    assert.match(stream.text(), /Content-Type: text\/event-stream\r\n/);
    await eventually('two overviews', () => stream.events('overview').length >= 2);
    const [overview] = stream.events('overview') as [Overview];
    assert.equal(overview.server.startedAt, '2026-03-01T12:00:00.000Z');
    assert.equal(overview.trace.traces, 1);
    traces.keep(documentOf({ id: 'after-1' }));
    traces.keep(documentOf({ id: 'after-2' }));
    await eventually('both traces', () => stream.events('requests').flat().length === 2);
    const ids = (stream.events('requests').flat() as TraceSummary[]).map(({ id }) => id).sort();
    assert.deepEqual(ids, ['after-1', 'after-2']);
  });

  it('end when the server stops, and have a limit of readers', async (t) => {
    const { port, source } = await serveAdmin(t);
    const streams = await Promise.all(Array.from({ length: 16 }, () => openStream(t, port)));
    const one = await openStream(t, port);
    assert.match(one.text(), /^HTTP\/1\.1 503 /);
    assert.match(one.text(), /Retry-After: 10\r\n/);
    source.close();
    await Promise.all(streams.map(({ closed }) => closed));
    assert.match((await openStream(t, port)).text(), /^HTTP\/1\.1 503 /);
  });

  it('have this limit also for streams of one HTTP/2 connection that open at the same time', async (t) => {
    const { port } = await startTraced(t, { dev: true });
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    t.after(() => session.destroy());
    const statuses = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const stream = session.request({ ':path': '/__viaduct/api/events' });
        const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
        return Number(headers[':status']);
      }),
    );
    assert.equal(statuses.filter((status) => status === 200).length, 16);
    assert.equal(statuses.filter((status) => status === 503).length, 24);
  });

  it('have room again when a reader leaves before its stream has started', async () => {
    const events = new LiveEvents({
      overview: () => Promise.resolve({} as Overview),
      since: () => Promise.resolve({ traces: [], cursor: {} }),
      onError: () => {},
    });
    const feeds = await Promise.all(Array.from({ length: 20 }, () => events.open()));
    assert.equal(feeds.filter((feed) => feed !== null).length, 16);
    feeds[0]?.cancel();
    assert.notEqual(await events.open(), null);
    assert.equal(await events.open(), null);
  });

  it('make room for others when a reader leaves', async (t) => {
    const { port } = await serveAdmin(t);
    for (let i = 0; i < 40; i += 1) {
      const lifetime: (() => void | Promise<void>)[] = [];
      const stream = await openStream({ after: (release) => lifetime.push(release) }, port);
      assert.match(stream.text(), /^HTTP\/1\.1 200 /);
      for (const release of lifetime) await release();
    }
  });
});

describe('a reader of events that reads nothing', () => {
  const OVERVIEW = { at: '' } as Overview;

  async function open(): Promise<{
    readonly events: LiveEvents;
    readonly sent: string[];
    readonly feed: EventFeed | null;
  }> {
    const events = new LiveEvents({
      overview: async () => OVERVIEW,
      since: async () => ({ traces: [], cursor: {} }),
      onError: (error) => assert.fail(String(error)),
    });
    const sent: string[] = [];
    const sink: BodySink = { write: (block) => sent.push(Buffer.from(block).toString()), end() {}, fail() {} };
    const feed = await events.open();
    feed?.start(sink);
    return { events, sent, feed };
  }

  it('gets only the newest state later', async (t) => {
    const { events, sent, feed } = await open();
    t.after(() => events.close());
    await new Promise(setImmediate);
    feed?.pause();
    sent.length = 0;
    for (let i = 0; i < 1000; i += 1) {
      feed?.overview(`{"at":"${i}"}`);
      feed?.requests([{ id: `r${i}` } as TraceSummary]);
    }
    assert.deepEqual(sent, []);
    feed?.resume();
    assert.equal(sent.length, 1);
    const text = sent.join('');
    assert.equal(text.match(/^event: overview$/gm)?.length, 1);
    assert.match(text, /data: \{"at":"999"\}/);
    const [, data = ''] = /^event: requests\ndata: (.*)$/m.exec(text) ?? [];
    const ids = (JSON.parse(data) as TraceSummary[]).map(({ id }) => id);
    assert.deepEqual([ids.length, ids[0], ids.at(-1)], [200, 'r999', 'r800']);
  });

  it('gets nothing after it has left', async () => {
    const { sent, feed } = await open();
    feed?.cancel();
    await new Promise(setImmediate);
    const before = sent.length;
    feed?.overview('{}');
    feed?.heartbeat();
    assert.equal(sent.length, before);
  });
});
