import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Request } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import {
  DATA,
  END_HEADERS,
  END_STREAM,
  FrameClient,
  fields,
  frame,
  HEADERS,
  request,
  section,
} from '../../support/http2-frames.ts';
import { suiteLifetime } from '../../support/lifetime.ts';
import { serveHandler, type TestServer } from '../../support/serve-handler.ts';
import { eventually } from '../../support/wait.ts';

const PROTOCOL_ERROR = 1;

describe('a request over HTTP/2', () => {
  const suite = suiteLifetime();
  let server: TestServer;
  let seen: Request | null = null;
  let content = '';
  let failure: Error | null = null;

  before(async () => {
    server = await serveHandler(
      suite,
      (incoming) => {
        seen = incoming;
        content = '';
        failure = null;
        const { body } = incoming;
        if (body === null || incoming.path === '/unread') return Response.text(200, 'fine\n');
        return new Promise((resolve, reject) => {
          body.start({
            write(block) {
              content += Buffer.from(block).toString('latin1');
            },
            end: () => resolve(Response.text(200, `${content.length}\n`)),
            fail(error) {
              failure = error;
              reject(error);
            },
          });
        });
      },
      { protocol: 'HTTP/2' },
    );
  });

  /** Sends a complete request, waits for an answer, and returns whether the request reached the handler. */
  async function ask(list: readonly (readonly [string, string])[]): Promise<{ client: FrameClient; ok: boolean }> {
    seen = null;
    const client = await FrameClient.open(server.port);
    client.send(request(1, list));
    await client.until('an answer', ({ id }) => id === 1);
    client.close();
    return { client, ok: seen !== null };
  }

  it('looks like any other to handlers', async () => {
    await ask(fields({ ':path': '/a/b%20c?d=e?f' }, [['accept', '*/*']]));
    assert.ok(seen);
    assert.equal(seen.protocol, 'HTTP/2.0');
    assert.equal(seen.method, 'GET');
    assert.equal(seen.path, '/a/b%20c');
    assert.equal(seen.query, 'd=e?f');
    assert.equal(seen.host, 'a');
    assert.equal(seen.scriptName, '');
    assert.equal(seen.headerCacheId, 0);
    assert.equal(seen.upgrades, false);
    assert.equal(seen.headersRepeat, false);
    assert.deepEqual(seen.headers, ['host', 'a', 'accept', '*/*']);
    assert.equal(seen.peer.remoteAddress, '127.0.0.1');
    assert.equal(seen.peer.secure, false);
    assert.equal(seen.body, null);
  });

  it('has all cookies in one field, and reports other repeated fields', async () => {
    const more = [
      ['cookie', 'a=1'],
      ['x-a', '1'],
      ['cookie', 'b=2'],
      ['x-a', '2'],
      ['cookie', 'c=3'],
    ] as const;
    await ask(fields({}, more));
    assert.ok(seen);
    assert.deepEqual(seen.headers, ['host', 'a', 'cookie', 'a=1; b=2; c=3', 'x-a', '1', 'x-a', '2']);
    assert.equal(seen.headersRepeat, true);
    await ask(fields({}, [more[0], more[2]]));
    assert.equal(seen.headersRepeat, false);
  });

  it('has one Host when Host equals :authority, and takes Host when :authority is missing', async () => {
    await ask(fields({ ':authority': 'Name.example:80' }, [['host', 'name.example:80']]));
    assert.deepEqual(seen?.headers, ['host', 'Name.example:80']);
    await ask(fields({ ':authority': undefined }, [['host', 'other.example']]));
    assert.equal(seen?.host, 'other.example');
    assert.deepEqual(seen?.headers, ['host', 'other.example']);
  });

  const refused: [string, readonly (readonly [string, string])[]][] = [
    ['Host and :authority differ', fields({ ':authority': 'a' }, [['host', 'b']])],
    ['there is neither Host nor :authority', fields({ ':authority': undefined })],
    [':authority contains a user', fields({ ':authority': 'user@a' })],
    [':authority contains an invalid port', fields({ ':authority': 'a:b' })],
    ['the path contains an invalid encoding', fields({ ':path': '/%x' })],
    ['the path contains a fragment', fields({ ':path': '/#a' })],
    ['the method is CONNECT', fields({ ':method': 'CONNECT', ':scheme': undefined, ':path': undefined })],
    ['the target is an asterisk without OPTIONS', fields({ ':path': '*' })],
    ['the scheme is neither http nor https', fields({ ':scheme': 'ftp', ':path': '/' })],
    [
      'there are two Content-Types',
      fields({}, [
        ['content-type', 'a/b'],
        ['content-type', 'c/d'],
      ]),
    ],
    ['it has Connection', fields({}, [['connection', 'close']])],
    ['it has Transfer-Encoding', fields({}, [['transfer-encoding', 'chunked']])],
    ['it has Upgrade', fields({}, [['upgrade', 'websocket']])],
    ['TE is more than trailers', fields({}, [['te', 'gzip']])],
    ['a name has an upper-case letter', fields({}, [['X-Upper', 'a']])],
  ];
  for (const [when, list] of refused) {
    it(`does not reach handlers when ${when}`, async () => {
      assert.equal((await ask(list)).ok, false);
    });
  }

  it('may have TE: trailers', async () => {
    assert.ok((await ask(fields({}, [['te', 'trailers']]))).ok);
  });

  it('brings its trailers with the end of its content', async () => {
    const client = await FrameClient.open(server.port);
    client.send(
      request(1, fields({ ':method': 'POST' }), END_HEADERS),
      frame(DATA, 0, 1, 'content'),
      frame(HEADERS, END_HEADERS | END_STREAM, 1, section([['x-sum', '42']])),
    );
    await client.until('the answer', ({ type, id }) => type === DATA && id === 1);
    assert.equal(content, 'content');
    assert.deepEqual(seen?.body?.trailers, ['x-sum', '42']);
    client.close();
  });

  it('fails when its content is shorter or longer than its Content-Length', async () => {
    for (const sent of ['four', 'far too long']) {
      const client = await FrameClient.open(server.port);
      seen = null;
      client.send(request(1, fields({ ':method': 'POST' }, [['content-length', '6']]), END_HEADERS));
      await eventually('the handler has it', () => seen !== null);
      client.send(frame(DATA, END_STREAM, 1, sent));
      await eventually('the stream is reset', () => client.resetCode(1) === PROTOCOL_ERROR);
      await eventually('the handler gets the error', () => failure !== null && seen?.gone === true);
      client.close();
    }
  });

  it('fails its content when the client resets it with any code', async () => {
    for (const code of [0, 8]) {
      content = '';
      const client = await FrameClient.open(server.port);
      client.send(request(1, fields({ ':method': 'POST' }), END_HEADERS), frame(DATA, 0, 1, 'half'));
      await eventually('half of the content arrives', () => content === 'half');
      client.send(frame(3, 0, 1, Buffer.from([0, 0, 0, code])));
      await eventually('the handler gets the error', () => failure !== null && seen?.gone === true);
      client.close();
    }
  });

  it('gets 100 Continue when the application wants its content', async () => {
    const client = await FrameClient.open(server.port);
    client.send(request(1, fields({ ':method': 'POST' }, [['expect', '100-continue']]), END_HEADERS));
    const interim = await client.until('an interim response', ({ id }) => id === 1);
    assert.equal(interim.flags & END_STREAM, 0);
    client.send(frame(DATA, END_STREAM, 1, 'now'));
    await client.until('the answer', ({ type, id }) => type === DATA && id === 1);
    assert.equal(content, 'now');
    client.close();
  });

  it('is answered and then reset when the application does not read its content', async () => {
    const client = await FrameClient.open(server.port);
    client.send(
      request(1, fields({ ':method': 'POST', ':path': '/unread' }), END_HEADERS),
      frame(DATA, 0, 1, Buffer.alloc(1000)),
    );
    await client.until(
      'the end of the answer',
      ({ id, type, flags }) => id === 1 && type === DATA && (flags & 1) === 1,
    );
    await client.until('a reset', ({ id, type }) => id === 1 && type === 3);
    assert.equal(client.resetCode(1), 0);
    // Frames that were on their way do no harm.
    client.send(frame(DATA, END_STREAM, 1, Buffer.alloc(1000)), request(3));
    await client.until('another answer', ({ id }) => id === 3);
    assert.equal(client.goaway, -1);
    client.close();
  });

  it('ends the connection when it comes on a stream that the client has ended', async () => {
    const client = await FrameClient.open(server.port);
    client.send(request(1));
    await client.until('the answer', ({ id, flags, type }) => id === 1 && type === DATA && (flags & 1) === 1);
    client.send(request(1));
    assert.equal(await client.untilClosed(), 5);
  });
});
