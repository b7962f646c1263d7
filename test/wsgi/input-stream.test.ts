import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Environ, InputStream, Middleware } from '../../src/wsgi/contract.ts';
import { inputOf } from '../../src/wsgi/input-stream.ts';
import { serveWsgi } from '../support/serve-wsgi.ts';
import { SocketClient } from '../support/socket-client.ts';

const LINES = 'one\ntwo\n\nthree\nfour';

/** What the application reads of these latin-1 bytes, as JSON. */
async function read(
  t: TestContext,
  use: (input: InputStream, environ: Environ) => unknown,
  middleware: Middleware = (application) => application,
) {
  const server = await serveWsgi(
    t,
    middleware(async (environ, startResponse) => {
      const result = await use(environ['wsgi.input'], environ);
      startResponse('200 OK', [['Content-Type', 'application/json']]);
      return [Buffer.from(JSON.stringify(result, (_key, value) => textOf(value)))];
    }),
  );
  const post = async (body?: string, headers: readonly (readonly [string, string])[] = []): Promise<unknown> => {
    const answer = await server.ask('/', { method: 'POST', headers, ...(body === undefined ? {} : { body }) });
    assert.deepEqual([answer.status, server.errors], [200, []]);
    return JSON.parse(Buffer.from(answer.body, 'latin1').toString());
  };
  return { server, post };
}

/** A Buffer arrives here in the form of its `toJSON`. */
function textOf(value: unknown): unknown {
  const isBuffer = typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer';
  return isBuffer ? Buffer.from((value as unknown as { data: number[] }).data).toString('latin1') : value;
}

function chunked(...chunks: string[]): string {
  return `${chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')}0\r\n\r\n`;
}

const CHUNKED = [['Transfer-Encoding', 'chunked']] as const;

describe('wsgi.input', { concurrency: 4 }, () => {
  it('returns the whole content to read, and then nothing, however often it is called', async (t) => {
    const { post } = await read(t, async (input) => [
      await input.read(),
      await input.read(),
      await input.read(5),
      await input.readline(),
      await input.readlines(),
    ]);
    assert.deepEqual(await post(LINES), [LINES, '', '', '', []]);
  });

  it('returns as many bytes as requested, also from several blocks, and fewer only at the end', async (t) => {
    const { post } = await read(t, async (input) => [
      await input.read(0),
      await input.read(2),
      await input.read(3),
      await input.read(1000),
    ]);
    for (const framed of [post(LINES), post(chunked(...LINES), CHUNKED)]) {
      assert.deepEqual(await framed, ['', 'on', 'e\nt', LINES.slice(5)]);
    }
  });

  it('reads everything for a negative size', async (t) => {
    const { post } = await read(t, async (input) => [await input.readline(-1), await input.read(-1)]);
    assert.deepEqual(await post(LINES), ['one\n', LINES.slice(4)]);
  });

  it('returns lines to readline, at most as long as requested', async (t) => {
    const { post } = await read(t, async (input) => {
      const lines: Buffer[] = [];
      for (const size of [undefined, 2, 0, 2, undefined, undefined, undefined, undefined])
        lines.push(await input.readline(size));
      return lines;
    });
    const expected = ['one\n', 'tw', '', 'o\n', '\n', 'three\n', 'four', ''];
    assert.deepEqual(await post(LINES), expected);
    assert.deepEqual(await post(chunked('o', 'ne\nt', 'wo\n\n', 'thre', 'e\nfour'), CHUNKED), expected);
  });

  it('returns lines with their ends to readlines and to an iteration', async (t) => {
    const { post } = await read(t, async (input, environ) => {
      if (environ.HTTP_X_WAY === 'hint') return [await input.readlines(5), await input.readlines()];
      if (environ.HTTP_X_WAY === 'all') return input.readlines();
      const lines: Buffer[] = [];
      for await (const line of input) lines.push(line);
      return lines;
    });
    const all = ['one\n', 'two\n', '\n', 'three\n', 'four'];
    assert.deepEqual(await post(LINES), all);
    assert.deepEqual(await post(LINES, [['X-Way', 'all']]), all);
    assert.deepEqual(await post(LINES, [['X-Way', 'hint']]), [all.slice(0, 2), all.slice(2)]);
  });

  it('continues with the next line after an iteration was left, and with the remaining content in blocks', async (t) => {
    const { post } = await read(t, async (input) => {
      const seen: Buffer[] = [];
      for await (const line of input) {
        seen.push(line);
        break;
      }
      seen.push(await input.readline());
      const blocks: Buffer[] = [];
      for await (const block of input.blocks()) blocks.push(block);
      return [...seen, Buffer.concat(blocks)];
    });
    assert.deepEqual(await post(LINES), ['one\n', 'two\n', '\nthree\nfour']);
  });

  it('is empty when the request has no content', async (t) => {
    const { post, server } = await read(t, async (input, { CONTENT_LENGTH = null }) => [
      await input.read(10),
      await input.readlines(),
      CONTENT_LENGTH,
    ]);
    assert.deepEqual(await post(), ['', [], null]);
    assert.deepEqual(await post(''), ['', [], '0']);
    assert.equal((await server.ask('/')).body, '["",[],null]');
  });

  it('has an end but no CONTENT_LENGTH for a chunked upload', async (t) => {
    const { post } = await read(t, async (input, environ) => [
      environ.CONTENT_LENGTH ?? null,
      environ['wsgi.input_terminated'],
      environ.HTTP_TRANSFER_ENCODING ?? null,
      await input.read(),
    ]);
    assert.deepEqual(await post(chunked('one', ' two'), CHUNKED), [null, true, null, 'one two']);
    assert.deepEqual(await post('four'), ['4', true, null, 'four']);
  });

  it('waits for a client that sends slowly, byte by byte', async (t) => {
    const { server } = await read(t, async (input) => [
      await input.readline(),
      await input.read(3),
      await input.read(),
    ]);
    const client = await SocketClient.open(server.port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 10\r\n\r\n');
    await client.trickle('a\nbcdefghi', 1);
    await client.untilClosed();
    assert.match(client.received, /\["a\\n","bcd","efghi"\]$/);
  });

  it('returns the bytes unchanged, also a megabyte', async (t) => {
    const content = Buffer.from(Array.from({ length: 1_000_000 }, (_, i) => i % 256)).toString('latin1');
    const { post } = await read(t, async (input) => {
      let bytes = 0;
      let sum = 0;
      for (let block = await input.read(7777); block.length > 0; block = await input.read(7777)) {
        bytes += block.length;
        for (const byte of block) sum += byte;
      }
      return [bytes, sum];
    });
    let sum = 0;
    for (let i = 0; i < 1_000_000; i += 1) sum += i % 256;
    assert.deepEqual(await post(content), [1_000_000, sum]);
  });

  it('need not be read: the next request on the connection is answered', async (t) => {
    for (const size of [0, 3]) {
      const { server } = await read(t, async (input) => (size === 0 ? [] : [await input.read(size)]));
      const client = await SocketClient.open(server.port);
      const request = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${LINES.length}\r\n\r\n${LINES}`;
      client.send(request + request.replace('Host', 'Connection: close\r\nHost'));
      await client.untilClosed();
      assert.equal(client.received.match(/HTTP\/1\.1 200 OK/g)?.length, 2);
      client.close();
    }
  });

  it('rejects when the client leaves before its content has arrived, which is not an error of the application', async (t) => {
    let failed = (_error: unknown): void => {};
    const failure = new Promise<unknown>((resolve) => {
      failed = resolve;
    });
    const { server } = await read(t, (input) =>
      input.read().catch((error: unknown) => {
        failed(error);
        throw error;
      }),
    );
    const client = await SocketClient.open(server.port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
    client.socket.end();
    assert.match(String(await failure), /Cannot read the request's content/);
    assert.equal((await server.ask('/')).status, 200);
    assert.deepEqual(server.errors, []);
  });

  it('rejects, and the client gets 400, when chunks are malformed', async (t) => {
    const { server } = await read(t, (input) => input.read());
    const answer = await server.ask('/', { method: 'POST', headers: CHUNKED, body: 'no chunk\r\n' });
    assert.deepEqual([answer.status, server.errors], [400, []]);
  });

  it('breaks off a response that passes on malformed chunks, which is not an error of the application', async (t) => {
    const server = await serveWsgi(t, (environ, startResponse) => {
      startResponse('200 OK', []);
      return environ['wsgi.input'].blocks();
    });
    const client = await SocketClient.open(server.port);
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n');
    await client.until(/first/);
    client.send('no chunk\r\n');
    await client.untilClosed();
    assert.doesNotMatch(client.received, /\r\n0\r\n/);
    assert.deepEqual(server.errors, []);
  });

  it('can be read by middleware, and replaced by the same or another content', async (t) => {
    const replacing: Middleware = (application) => async (environ, startResponse) => {
      const text = (await environ['wsgi.input'].read()).toString();
      const content = {
        bytes: Buffer.from(text),
        text: `${text} é`,
        blocks: [Buffer.from(text), Buffer.alloc(0), Buffer.from(' more')],
        generator: (async function* () {
          yield Buffer.from(text);
          yield Buffer.from(' later');
        })(),
      }[environ.HTTP_X_WAY as 'text'];
      return application({ ...environ, 'wsgi.input': inputOf(content) }, startResponse);
    };
    const { post } = await read(t, async (input) => [await input.read(4), await input.readline()], replacing);
    for (const [way, remaining] of [
      ['bytes', 'ent'],
      ['text', 'ent \xc3\xa9'],
      ['blocks', 'ent more'],
      ['generator', 'ent later'],
    ] as const) {
      assert.deepEqual(await post('content', [['X-Way', way]]), ['cont', remaining]);
    }
  });
});
