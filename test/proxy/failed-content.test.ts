import assert from 'node:assert/strict';
import { readdirSync, readlinkSync, truncateSync } from 'node:fs';
import { describe, it } from 'node:test';
import { deriveRequest } from '../../src/http/derived-request.ts';
import type { BodySink, Request, RequestBody } from '../../src/http/message.ts';
import { RequestBodyError } from '../../src/http/refusal.ts';
import { startBackend } from '../support/backend.ts';
import { startFrameBackend } from '../support/frame-backend.ts';
import { ask } from '../support/http-client.ts';
import { encode } from '../support/http-message.ts';
import { serveProxy } from '../support/serve-proxy.ts';
import { SocketClient } from '../support/socket-client.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { eventually } from '../support/wait.ts';

const SECRET = 'EIO: i/o error, read';

/** Content that fails after its first block. */
function failing(error: Error): RequestBody {
  return {
    length: -1,
    trailers: [],
    start(sink: BodySink) {
      sink.write(Buffer.from('some'));
      setImmediate(() => sink.fail(error));
    },
    pause() {},
    resume() {},
    cancel() {},
  };
}

describe('content that a handler cannot read', { concurrency: 4 }, () => {
  for (const protocol of ['http', 'http2', 'fastcgi', 'uwsgi'] as const) {
    for (const bufferRequest of [false, true]) {
      const where = `for a backend of ${protocol}${bufferRequest ? ' with a buffer' : ''}`;

      it(`is an error of the server, whose text only the log has, ${where}`, async (t) => {
        const { backend } = protocol === 'http2' ? await startFrameBackend(t, {}) : await startBackend(t, {});
        const proxy = await serveProxy(t, [{ ...backend, ...(protocol === 'http' ? {} : { protocol }) }], {
          bufferRequest,
          derive: (request: Request) => deriveRequest(request, { body: failing(new Error(SECRET)) }),
        });
        const { status, body } = await ask(proxy.port, '/', { method: 'POST', body: 'x' });
        assert.equal(status, 500);
        assert.doesNotMatch(body, /EIO/);
        assert.match(proxy.failures.join(), /content for a backend: EIO/);
      });

      it(`is an error of the client if a limit says so, and the log is silent, ${where}`, async (t) => {
        const { backend } = protocol === 'http2' ? await startFrameBackend(t, {}) : await startBackend(t, {});
        const proxy = await serveProxy(t, [{ ...backend, ...(protocol === 'http' ? {} : { protocol }) }], {
          bufferRequest,
          derive: (request: Request) =>
            deriveRequest(request, { body: failing(new RequestBodyError(413, 'it is too large')) }),
        });
        const { status, body } = await ask(proxy.port, '/', { method: 'POST', body: 'x' });
        assert.equal(status, 413);
        assert.match(body, /it is too large/);
        assert.deepEqual(proxy.failures, []);
      });
    }
  }
});

describe('the file with the content of a request', {
  skip: process.platform !== 'linux' && 'there is no /proc',
}, () => {
  it('is an error of the server when it cannot be read any more', async (t) => {
    const directory = temporaryDirectory(t);
    const before = process.env.TMPDIR;
    process.env.TMPDIR = directory;
    t.after(() => {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
    });
    const backend = await startBackend(t, { onOpen: ({ socket }) => void socket.pause() });
    const proxy = await serveProxy(t, [backend.backend], { bufferRequest: true, bufferMemoryBytesMax: 1000 });
    const client = await SocketClient.open(proxy.port);
    t.after(() => client.close());
    client.send(encode('/', { method: 'POST', body: 'x'.repeat(20_000_000) }));
    await eventually('the backend is asked', () => backend.connections.length === 1);
    const file = readdirSync('/proc/self/fd')
      .map((name) => `/proc/self/fd/${name}`)
      .find((path) => targetOf(path).startsWith(`${directory}/`));
    truncateSync(file as string);
    backend.connections[0]?.socket.resume();
    assert.equal(await client.untilClosed(), 500);
    assert.doesNotMatch(client.received, /spool|short/);
    assert.match(proxy.failures.join(), /Cannot read a request's content for a backend: the spool file is shorter/);
  });
});

function targetOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // the descriptor of the listing itself
  }
}
