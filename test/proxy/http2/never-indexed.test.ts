import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { deriveRequest } from '../../../src/http/derived-request.ts';
import { outgoingField, writeInteger } from '../../../src/http/http2/hpack/outgoing-field.ts';
import type { Request } from '../../../src/http/message.ts';
import { type FrameBackend, type FrameConnection, startFrameBackend } from '../../support/frame-backend.ts';
import {
  DATA,
  END_HEADERS,
  END_STREAM,
  type Frame,
  FrameClient,
  fields,
  frame,
  HEADERS,
  section,
} from '../../support/http2-frames.ts';
import type { Lifetime } from '../../support/lifetime.ts';
import { type ProxyServer, serveProxy } from '../../support/serve-proxy.ts';

type Field = readonly [name: string, value: string];

const NEVER_INDEXED = 0x10;
const OK: Field = [':status', '200'];

/** A header section of literals. Those whose names are in `marked` are never to be indexed (RFC 7541 section 6.2.3). */
function markedSection(list: readonly Field[], marked: readonly string[]): Buffer {
  return Buffer.concat(
    list.map((field) => {
      const octets = section([field]);
      if (marked.includes(field[0])) octets[0] = NEVER_INDEXED;
      return octets;
    }),
  );
}

/** The representation of a field in a header section (RFC 7541 section 6): the octets of a literal, else those of the tables. */
function formIn(payload: Buffer, [name, value]: Field): string {
  const { nameIndex, strings } = outgoingField(name, value, true);
  const forms = [
    ['never indexed', NEVER_INDEXED, 0x0f],
    ['incremental', 0x40, 0x3f],
    ['not indexed', 0, 0x0f],
  ] as const;
  const found = forms.find(([, flags, mask]) => {
    const start = Buffer.alloc(3);
    const length = writeInteger(start, 0, flags, mask, nameIndex);
    return payload.includes(Buffer.concat([start.subarray(0, length), Buffer.from(strings, 'latin1')]));
  });
  return found?.[0] ?? 'indexed';
}

/** The forms in which `list` came in the last header section with `id`. */
function formsOf({ frames }: { readonly frames: readonly Frame[] }, id: number, list: readonly Field[]): string[] {
  const payload = frames.findLast((one) => one.type === HEADERS && one.id === id)?.payload ?? Buffer.alloc(0);
  return list.map((field) => formIn(payload, field));
}

describe('a request field that came as never indexed', () => {
  /** A proxy of one HTTP/2 backend, which answers with 200, and a client of it. */
  async function start(t: Lifetime, derive?: (request: Request) => Request) {
    const backend = await startFrameBackend(t, {
      onFrame(connection, { type, flags, id }) {
        if ((type !== HEADERS && type !== DATA) || (flags & END_STREAM) === 0) return;
        connection.send(frame(HEADERS, END_HEADERS | END_STREAM, id, section([OK])));
      },
    });
    const proxy = await serveProxy(t, [backend.backend], {
      protocol: 'HTTP/2',
      ...(derive === undefined ? {} : { derive }),
    });
    const client = await FrameClient.open(proxy.port);
    t.after(() => client.close());
    return { backend, client };
  }

  type Started = Awaited<ReturnType<typeof start>>;

  /** Sends a request with `list`, and returns in which forms the backend got the fields `shown`. */
  async function pass(
    { backend, client }: Started,
    list: readonly Field[],
    marked: readonly string[],
    shown: readonly Field[] = list,
  ): Promise<string[]> {
    const id = client.frames.filter(({ type, flags }) => type === HEADERS && (flags & END_STREAM) !== 0).length * 2 + 1;
    client.send(frame(HEADERS, END_HEADERS | END_STREAM, id, markedSection(fields({}, list), marked)));
    await client.until(`the response on ${id}`, (one) => one.type === HEADERS && one.id === id);
    const connection = backend.connections[0] as FrameConnection;
    // One request follows another, so both connections give it the same number.
    return formsOf(connection, id, shown);
  }

  const list: readonly Field[] = [
    ['x-token', 'secret'],
    ['user-agent', 'test/1'],
    ['x-plain', 'plain'],
  ];

  it('leaves so each time, and the others are indexed', async (t) => {
    const started = await start(t);
    const marked = ['x-token', 'user-agent'];
    assert.deepEqual(await pass(started, list, marked), ['never indexed', 'never indexed', 'incremental']);
    for (let i = 0; i < 3; i += 1) {
      assert.deepEqual(await pass(started, list, marked), ['never indexed', 'never indexed', 'indexed']);
    }
    const heads = [...(started.backend.connections[0]?.sections.values() ?? [])].flat();
    assert.deepEqual(
      heads.map((head) => [head['x-token'], head['user-agent'], head['x-plain']]),
      Array.from({ length: 4 }, () => ['secret', 'test/1', 'plain']),
    );
  });

  it('says nothing about the same field in another request, whichever comes first', async (t) => {
    const started = await start(t);
    assert.deepEqual(await pass(started, list, ['x-token']), ['never indexed', 'incremental', 'incremental']);
    assert.deepEqual(await pass(started, list, []), ['incremental', 'indexed', 'indexed']);
    assert.deepEqual(await pass(started, list, []), ['indexed', 'indexed', 'indexed']);
    assert.deepEqual(await pass(started, list, ['x-token']), ['never indexed', 'indexed', 'indexed']);
    assert.deepEqual(await pass(started, list, ['x-plain']), ['indexed', 'indexed', 'never indexed']);
  });

  it('makes all fields of its name so', async (t) => {
    const started = await start(t);
    const { client, backend } = started;
    const octets = Buffer.concat([
      section(fields({}, [['x-token', 'one']])),
      markedSection([['x-token', 'two']], ['x-token']),
    ]);
    client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, octets));
    await client.until('the response', ({ type }) => type === HEADERS);
    const shown: readonly Field[] = [
      ['x-token', 'one'],
      ['x-token', 'two'],
    ];
    assert.deepEqual(formsOf(backend.connections[0] as FrameConnection, 1, shown), ['never indexed', 'never indexed']);
  });

  it('leaves so from a pseudo-header field, from Host and from Content-Length', async (t) => {
    const started = await start(t);
    const shown: readonly Field[] = [
      [':path', '/'],
      [':authority', 'a'],
      [':method', 'GET'],
    ];
    assert.deepEqual(await pass(started, list, [':path', ':authority'], shown), [
      'never indexed',
      'never indexed',
      'indexed',
    ]);
    const { client, backend } = started;
    const upload = fields({ ':method': 'POST', ':authority': undefined }, [
      ['host', 'b'],
      ['content-length', '3'],
    ]);
    client.send(
      frame(HEADERS, END_HEADERS, 3, markedSection(upload, ['host', 'content-length'])),
      frame(DATA, END_STREAM, 3, 'abc'),
    );
    await client.until('the response', ({ type, id }) => type === HEADERS && id === 3);
    const sent: readonly Field[] = [
      [':authority', 'b'],
      ['content-length', '3'],
    ];
    assert.deepEqual(formsOf(backend.connections[0] as FrameConnection, 3, sent), ['never indexed', 'never indexed']);
  });

  it('leaves so behind handlers that change the request', async (t) => {
    const started = await start(t, (request) =>
      deriveRequest(deriveRequest(request, { headers: [...request.headers, 'X-Added', 'added'] }), { path: '/other' }),
    );
    const shown: readonly Field[] = [...list, ['x-added', 'added']];
    assert.deepEqual(await pass(started, list, ['x-token'], shown), [
      ...['never indexed', 'incremental', 'incremental', 'incremental'],
    ]);
  });
});

describe('a response field that came as never indexed', () => {
  const list: readonly Field[] = [
    ['x-token', 'secret'],
    ['x-plain', 'plain'],
  ];

  /** A proxy whose backend answers with `list`; the path names the fields that it marks, and 103 for an interim response. */
  async function start(t: Lifetime): Promise<{ backend: FrameBackend; proxy: ProxyServer; client: FrameClient }> {
    const backend = await startFrameBackend(t, {
      onFrame(connection, { type, id }) {
        if (type !== HEADERS) return;
        const marked = (connection.sections.get(id)?.[0]?.[':path'] ?? '').slice(1).split(',');
        const head = (status: string) => markedSection([[':status', status], ...list], marked);
        if (marked.includes('103')) connection.send(frame(HEADERS, END_HEADERS, id, head('103')));
        connection.send(frame(HEADERS, END_HEADERS | END_STREAM, id, head('200')));
      },
    });
    const proxy = await serveProxy(t, [backend.backend], { protocol: 'HTTP/2' });
    const client = await FrameClient.open(proxy.port);
    t.after(() => client.close());
    return { backend, proxy, client };
  }

  it('leaves so each time with its whole response, and is indexed in another one', async (t) => {
    const { client } = await start(t);
    const cases = [
      ['/x-token', ['never indexed', 'never indexed']],
      ['/x-token', ['never indexed', 'never indexed']],
      ['/', ['incremental', 'incremental']],
      ['/', ['indexed', 'indexed']],
      ['/x-token', ['never indexed', 'never indexed']],
      ['/', ['indexed', 'indexed']],
    ] as const;
    for (const [i, [path, forms]] of cases.entries()) {
      const id = 2 * i + 1;
      client.send(frame(HEADERS, END_HEADERS | END_STREAM, id, section(fields({ ':path': path }))));
      await client.until('the response', (one) => one.id === id && (one.flags & END_STREAM) !== 0);
      assert.deepEqual(formsOf(client, id, list), forms, `${i}: ${path}`);
    }
  });

  it('is left out of an interim response', async (t) => {
    const { client } = await start(t);
    client.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, section(fields({ ':path': '/103,x-token' }))));
    await client.until('the response', ({ id, flags }) => id === 1 && (flags & END_STREAM) !== 0);
    const [interim] = client.frames.filter(({ type, id }) => type === HEADERS && id === 1);
    assert.equal(formIn(interim?.payload ?? Buffer.alloc(0), ['x-plain', 'plain']), 'incremental');
    assert.equal(interim?.payload.includes(outgoingField('x-token', 'secret', true).strings, 0, 'latin1'), false);
  });
});
