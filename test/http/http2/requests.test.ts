import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
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
import { type ProtocolServer, startProtocolServer } from '../../support/http2-server.ts';
import { eventually } from '../../support/socket-client.ts';

const PROTOCOL_ERROR = 1;

describe('a request by HTTP/2', () => {
  let server: ProtocolServer;
  let seen: Request | null = null;
  let content = '';
  let failure: Error | null = null;

  before(async () => {
    server = await startProtocolServer('HTTP/2', {
      handle: (asked) => {
        seen = asked;
        content = '';
        failure = null;
        const { body } = asked;
        if (body === null || asked.path === '/unread') return Response.text(200, 'fine\n');
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
    });
  });
  after(() => server.close());

  /** Sends a whole request and returns its status as its response's section has it: 0 when the stream was reset. */
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
    assert.equal(seen.recurring, 0);
    assert.equal(seen.upgrades, false);
    assert.equal(seen.headersRepeat, false);
    assert.deepEqual(seen.headers, ['host', 'a', 'accept', '*/*']);
    assert.equal(seen.peer.remoteAddress, '127.0.0.1');
    assert.equal(seen.peer.secure, false);
    assert.equal(seen.body, null);
  });

  it('has one cookie, whatever it came in, and tells of other repetitions', async () => {
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

  it('keeps a Host that says the same as :authority only once, and stands for one that is missing', async () => {
    await ask(fields({ ':authority': 'Name.example:80' }, [['host', 'name.example:80']]));
    assert.deepEqual(seen?.headers, ['host', 'Name.example:80']);
    await ask(fields({ ':authority': undefined }, [['host', 'other.example']]));
    assert.equal(seen?.host, 'other.example');
    assert.deepEqual(seen?.headers, ['host', 'other.example']);
  });

  const refused: [string, readonly (readonly [string, string])[]][] = [
    ['Host is not what :authority says', fields({ ':authority': 'a' }, [['host', 'b']])],
    ['there is neither Host nor :authority', fields({ ':authority': undefined })],
    [':authority holds a user', fields({ ':authority': 'user@a' })],
    [':authority holds no port', fields({ ':authority': 'a:b' })],
    ['the path holds a bad encoding', fields({ ':path': '/%x' })],
    ['the path holds a fragment', fields({ ':path': '/#a' })],
    ['the method is CONNECT', fields({ ':method': 'CONNECT', ':scheme': undefined, ':path': undefined })],
    ['the asterisk stands without OPTIONS', fields({ ':path': '*' })],
    ['the scheme is another', fields({ ':scheme': 'ftp', ':path': '/' })],
    [
      'there are two Content-Types',
      fields({}, [
        ['content-type', 'a/b'],
        ['content-type', 'c/d'],
      ]),
    ],
    ['Connection is there', fields({}, [['connection', 'close']])],
    ['Transfer-Encoding is there', fields({}, [['transfer-encoding', 'chunked']])],
    ['Upgrade is there', fields({}, [['upgrade', 'websocket']])],
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

  it('fails when its content is not as long as it says', async () => {
    for (const sent of ['four', 'far too long']) {
      const client = await FrameClient.open(server.port);
      seen = null;
      client.send(request(1, fields({ ':method': 'POST' }, [['content-length', '6']]), END_HEADERS));
      await eventually('the handler has it', () => seen !== null);
      client.send(frame(DATA, END_STREAM, 1, sent));
      // Later engines end the whole connection.
      await eventually('it is reset', () => client.resetCode(1) === PROTOCOL_ERROR || client.goaway > 0);
      await eventually('the handler hears it', () => failure !== null && seen?.gone === true);
      client.close();
    }
  });

  it('fails its content when the client gives it up, by whatever code', async () => {
    for (const code of [0, 8]) {
      content = '';
      const client = await FrameClient.open(server.port);
      client.send(request(1, fields({ ':method': 'POST' }), END_HEADERS), frame(DATA, 0, 1, 'half'));
      await eventually('half of it is there', () => content === 'half');
      client.send(frame(3, 0, 1, Buffer.from([0, 0, 0, code])));
      await eventually('the handler hears it', () => failure !== null && seen?.gone === true);
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

  it('is answered, and then given up, when nobody wants its content', async () => {
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
    // What was on its way then does no harm.
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
