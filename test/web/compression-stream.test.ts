import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { BodySource, FileBody, ResponseBody } from '../../src/http/message.ts';
import { Response } from '../../src/http/response.ts';
import { codecOf } from '../../src/web/compression/codings.ts';
import { CompressedBody } from '../../src/web/compression/compressed-body.ts';
import { compression } from '../../src/web/handlers/compression.ts';
import { BlockSource } from '../support/block-source.ts';
import { type ChainServer, startChainServer } from '../support/chain-server.ts';
import { createDecoder, decode, TESTED_CODINGS } from '../support/codings.ts';
import { ask } from '../support/http-client.ts';
import { chooseSeed, createRandom } from '../support/random.ts';
import { eventually, SocketClient } from '../support/socket-client.ts';
import { temporaryDirectory } from '../support/static-server.ts';

const run = promisify(execFile);

describe('compression of streams', () => {
  let body: ResponseBody = null;
  let type = 'text/html';
  let fields: readonly string[] = [];
  let server: ChainServer;
  const temporary = temporaryDirectory();

  before(async () => {
    server = await startChainServer([compression()], () =>
      Response.fromHeaders(200, ['Content-Type', type, ...fields], body),
    );
  });
  after(() => {
    server.close();
    temporary.remove();
  });

  function serve(content: ResponseBody, headers: readonly string[] = [], contentType = 'text/html'): void {
    body = content;
    fields = headers;
    type = contentType;
  }

  /** The answer's head by a client of its own kind. */
  async function open(coding: string): Promise<IncomingMessage> {
    const request = httpGet({ port: server.port, agent: false, headers: { 'Accept-Encoding': coding } });
    request.on('error', () => {});
    const [answer] = await once(request, 'response');
    return answer;
  }

  for (const coding of TESTED_CODINGS) {
    for (const streamed of ['text/html', 'text/event-stream']) {
      it(`gives the client each block of ${streamed} in ${coding} before the next one exists`, {
        timeout: 30_000,
      }, async () => {
        const source = new BlockSource();
        serve(source, [], streamed);
        const answer = await open(coding);
        equal(answer.headers['content-encoding'], coding);
        equal(answer.headers['transfer-encoding'], 'chunked');
        const decoder = answer.pipe(createDecoder(coding));
        const sink = await source.sink;
        for (const block of ['data: 1\n\n', 'data: two\n\n', 'x'.repeat(100_000), 'data: 4\n\n']) {
          sink.write(Buffer.from(block));
          let got = '';
          while (got.length < block.length) {
            const piece: Buffer | null = decoder.read();
            if (piece === null) await once(decoder, 'readable');
            else got += piece.toString();
          }
          equal(got, block);
        }
        sink.end();
        decoder.resume();
        await once(decoder, 'end');
      });
    }

    it(`undoes to what went in, whatever the blocks and the client's pace, in ${coding}`, async (test) => {
      const seed = chooseSeed();
      test.diagnostic(`VIADUCT_TEST_SEED=${seed}`);
      const random = createRandom(seed);
      for (let round = 0; round < 25; round += 1) {
        const blocks = randomBlocks(random);
        const got = await collect(
          new CompressedBody(pushed(blocks, random), { codec: codecOf(coding), flushes: random() < 0.5, length: -1 }),
          random,
        );
        ok(decode(coding, got).equals(Buffer.concat(blocks)), `seed ${seed}, round ${round}`);
      }
    });

    it(`undoes to what went in as a whole, large body in ${coding}`, async () => {
      const content = Buffer.from('<p>large</p>\n'.repeat(100_000));
      serve(content, ['Content-Length', `${content.length}`]);
      const answer = await ask(server.port, '/', { headers: [['Accept-Encoding', coding]] });
      equal(answer.framing, 'chunked');
      equal(answer.whole, true);
      ok(answer.body.length < content.length / 10);
      ok(decode(coding, answer.body).equals(content));
    });
  }

  it('is what curl undoes, for all codings that it knows', async (test) => {
    const { stdout: version } = await run('curl', ['--version']);
    const known = [
      ['gzip', /\blibz\b/],
      ['br', /\bbrotli\b/],
      ['zstd', /\bzstd\b/],
    ] as const;
    const content = 'compressed by us, undone by curl\n'.repeat(5000);
    for (const [coding] of known.filter(([name, feature]) => TESTED_CODINGS.includes(name) && feature.test(version))) {
      test.diagnostic(coding);
      for (const length of [2000, content.length]) {
        serve(Buffer.from(content.slice(0, length)));
        const url = `http://127.0.0.1:${server.port}/`;
        const args = ['-sSi', '--max-time', '20', '--compressed', '-H', `Accept-Encoding: ${coding}`, url];
        const { stdout } = await run('curl', args);
        const [head = '', got] = stdout.split('\r\n\r\n');
        match(head, new RegExp(`^content-encoding: ${coding}$`, 'im'));
        equal(got, content.slice(0, length));
      }
    }
  });

  it('makes the source wait for a client that does not read, and goes on when it reads', {
    timeout: 30_000,
  }, async () => {
    const source = new BlockSource();
    serve(source);
    const answer = await open('gzip');
    const sink = await source.sink;
    const random = createRandom(1);
    const sent: Buffer[] = [];
    // Blocks that do not shrink fill the socket's buffers; one at a time, until they make the source wait.
    while (!source.paused) {
      const block = noise(random, 65_536);
      sent.push(block);
      sink.write(block);
      ok(sent.length < 2000, 'the source is never made to wait');
      await new Promise((resolve) => setImmediate(resolve));
    }
    const got: Buffer[] = [];
    answer.on('data', (piece) => got.push(piece));
    await source.until(({ paused }) => !paused);
    sink.end();
    await once(answer, 'end');
    ok(decode('gzip', Buffer.concat(got)).equals(Buffer.concat(sent)));
  });

  it('holds little when nobody takes what it makes', { timeout: 30_000 }, async () => {
    for (const coding of TESTED_CODINGS) {
      const source = new BlockSource();
      const compressed = new CompressedBody(source, { codec: codecOf(coding), flushes: true, length: -1 });
      let got = 0;
      let reads = false;
      const write = (block: Uint8Array) => {
        got += block.length;
        if (!reads) compressed.pause();
      };
      compressed.start({ write, end: assertNothing, fail: assertNothing });
      const sink = await source.sink;
      const random = createRandom(3);
      let given = 0;
      while (!source.paused) {
        sink.write(noise(random, 4096));
        given += 4096;
        ok(given < 4_000_000, `${coding} takes everything`);
        await new Promise((resolve) => setImmediate(resolve));
      }
      ok(given - got < 1_000_000, `${coding} holds ${given - got} bytes`);
      reads = true;
      compressed.resume();
      await source.until(({ paused }) => !paused);
      compressed.cancel();
    }
  });

  it('cancels the source once when the client goes', { timeout: 30_000 }, async () => {
    for (const coding of TESTED_CODINGS) {
      const source = new BlockSource();
      serve(source);
      const answer = await open(coding);
      const sink = await source.sink;
      sink.write(Buffer.from('a block'));
      await once(answer, 'readable');
      answer.destroy();
      // A client that is gone looks like one that has nothing more to ask, until something is sent to it.
      await eventually('the source is cancelled', () => {
        sink.write(Buffer.from('another'));
        return source.cancelled > 0;
      });
      sink.write(Buffer.from('one too many'));
      sink.end();
      equal(source.cancelled, 1);
    }
  });

  it('frees its compressor when cancelled, before the start, while it works and afterwards', async () => {
    for (const coding of TESTED_CODINGS) {
      const codec = codecOf(coding);
      for (const [started, written] of [
        [false, false],
        [true, false],
        [true, true],
      ]) {
        const made: { destroyed: boolean }[] = [];
        const createCompressor = () => {
          const compressor = codec.createCompressor();
          made.push(compressor);
          return compressor;
        };
        const source = new BlockSource();
        const compressed = new CompressedBody(source, {
          codec: { ...codec, createCompressor },
          flushes: true,
          length: -1,
        });
        const none = () => assertNothing();
        if (started) compressed.start({ write: none, end: none, fail: none });
        if (written) (await source.sink).write(Buffer.alloc(500_000));
        compressed.cancel();
        compressed.cancel();
        equal(source.cancelled, 1);
        deepEqual(
          made.map(({ destroyed }) => destroyed),
          started ? [true] : [],
        );
      }
    }
  });

  it('fails and frees the source when there is no memory for a compressor', async () => {
    const source = new BlockSource();
    const createCompressor = () => {
      throw new Error('no memory');
    };
    const codec = { ...codecOf('gzip'), createCompressor };
    const compressed = new CompressedBody(source, { codec, flushes: true, length: -1 });
    const failures: string[] = [];
    compressed.start({ write: assertNothing, end: assertNothing, fail: ({ message }) => failures.push(message) });
    compressed.cancel();
    deepEqual(failures, ['no memory']);
    equal(source.cancelled, 1);
  });

  it('breaks off when the source fails, and reports it', async () => {
    for (const length of [[], ['Content-Length', '100000']]) {
      const source = new BlockSource();
      serve(source, length);
      const client = await SocketClient.open(server.port);
      client.send('GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n');
      const sink = await source.sink;
      sink.write(Buffer.from('a block'));
      await client.until(/\r\n\r\n[0-9a-f]+\r\n/);
      const reports = server.errors.length;
      sink.fail(new Error('the application failed'));
      await client.untilClosed();
      ok(!client.received.endsWith('0\r\n\r\n'));
      match(String(server.errors[reports]), /the application failed/);
      equal(source.cancelled, 0);
    }
  });

  for (const [what, bytes, cancelled] of [
    ['less', 1999, 0],
    ['more', 2001, 1],
  ] as const) {
    it(`does not hide that ${what} came than a Content-Length announced`, async () => {
      const source = new BlockSource();
      serve(source, ['Content-Length', '2000']);
      const client = await SocketClient.open(server.port);
      client.send('GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n');
      const sink = await source.sink;
      const reports = server.errors.length;
      sink.write(Buffer.alloc(bytes, 'a'));
      sink.end();
      await client.untilClosed();
      ok(!client.received.endsWith('0\r\n\r\n'));
      match(String(server.errors[reports]), /Content-Length is 2000/);
      equal(source.cancelled, cancelled);
    });
  }

  it('ends by the end of the connection for HTTP/1.0', async () => {
    serve(Buffer.from('old\n'.repeat(10_000)));
    const answer = await ask(server.port, '/', { version: '1.0', headers: [['Accept-Encoding', 'gzip']] });
    equal(answer.framing, 'close');
    ok(decode('gzip', answer.body).equals(Buffer.from('old\n'.repeat(10_000))));
  });

  describe('of files', () => {
    const path = join(temporary.path, 'file');
    const content = Buffer.from('a line of a file\n'.repeat(200_000));
    let releases = 0;

    before(() => writeFileSync(path, content));

    function file(end = content.length, start = 0): FileBody {
      const fd = openSync(path, 'r');
      releases = 0;
      return {
        fd,
        start,
        end,
        release: () => {
          releases += 1;
          if (releases === 1) closeSync(fd);
        },
      };
    }

    it('sends the part that it is of and releases it once', async () => {
      serve(file(2_000_000, 5));
      const answer = await ask(server.port, '/', { headers: [['Accept-Encoding', 'gzip']] });
      equal(answer.whole, true);
      ok(decode('gzip', answer.body).equals(content.subarray(5, 2_000_000)));
      equal(releases, 1);
    });

    it('releases it once for HEAD', async () => {
      serve(file());
      const answer = await ask(server.port, '/', { method: 'HEAD', headers: [['Accept-Encoding', 'gzip']] });
      equal(answer.header('content-encoding'), 'gzip');
      equal(answer.header('content-length'), null);
      equal(releases, 1);
    });

    it('breaks off when it is shorter than it was, and releases it once', async () => {
      serve(file(content.length + 1));
      const answer = await ask(server.port, '/', { headers: [['Accept-Encoding', 'gzip']] });
      equal(answer.whole, false);
      equal(releases, 1);
    });

    it('releases it once when the client goes', { timeout: 30_000 }, async () => {
      let released: () => void = () => {};
      const gone = new Promise<void>((resolve) => {
        released = resolve;
      });
      writeFileSync(path, randomBytes(30_000_000));
      const { release, ...rest } = file(30_000_000);
      serve({
        ...rest,
        release: () => {
          release();
          released();
        },
      });
      const answer = await open('gzip');
      await once(answer, 'readable');
      answer.destroy();
      await gone;
      await new Promise((resolve) => setImmediate(resolve));
      equal(releases, 1);
    });
  });
});

function assertNothing(): never {
  throw new Error('nothing is called after cancel');
}

function noise(random: () => number, length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, () => random() * 256));
}

function randomBlocks(random: () => number): Buffer[] {
  return Array.from({ length: Math.floor(random() * 12) }, () => {
    const length = Math.floor(10 ** (random() * 5.3)) - 1;
    return random() < 0.5 ? noise(random, length) : Buffer.alloc(length, `${random()}`);
  });
}

/** A source that pushes `blocks` at once, later, or in between, and keeps to pause and resume. */
function pushed(blocks: readonly Buffer[], random: () => number): BodySource {
  let next = 0;
  let paused = false;
  let push: () => void = () => {};
  return {
    start(sink) {
      push = () => {
        while (!paused && next < blocks.length) {
          sink.write(blocks[next] as Buffer);
          next += 1;
          if (random() < 0.4) {
            setImmediate(push);
            return;
          }
        }
        if (paused || next > blocks.length) return;
        next += 1;
        sink.end();
      };
      push();
    },
    pause: () => {
      paused = true;
    },
    resume: () => {
      paused = false;
      setImmediate(() => push());
    },
    cancel: () => {},
  };
}

/** All that `source` gives to a receiver that now and then makes it wait. */
function collect(source: BodySource, random: () => number): Promise<Buffer> {
  const got: Uint8Array[] = [];
  return new Promise((resolve, reject) => {
    source.start({
      write: (block) => {
        got.push(block);
        if (random() < 0.7) return;
        source.pause();
        setImmediate(() => source.resume());
      },
      end: () => resolve(Buffer.concat(got)),
      fail: reject,
    });
  });
}
