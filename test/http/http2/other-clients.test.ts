import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { type ClientHttp2Session, connect } from 'node:http2';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import type { HandlerResult } from '../../../src/http/handler.ts';
import type { Request } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import { echo, withTrailers } from '../../support/contents.ts';
import { suiteLifetime } from '../../support/lifetime.ts';
import { serveHandler, type TestServer } from '../../support/serve-handler.ts';
import { NO_PACKAGES, PYTHON_WITH_PACKAGES, ROOT } from '../../support/viaduct.ts';
import { eventually } from '../../support/wait.ts';

const run = promisify(execFile);
const LARGE = 300_000;

function handle({ path, body }: Request): HandlerResult {
  if (path === '/large') return Response.fromHeaders(200, [], Buffer.alloc(LARGE, 'x'));
  if (path === '/trailers') return Response.fromHeaders(200, [], withTrailers('content', ['x-after', 'b']));
  if (path === '/never') return new Promise(() => {});
  if (path === '/secret') return Response.fromHeaders(200, ['Set-Cookie', 'a=b', 'X-Same', 'c'], Buffer.from('fine\n'));
  if (body === null) return Response.text(200, 'fine\n');
  return Response.fromHeaders(200, [], echo(body));
}

/** Sends a request with Node's client, and returns what came back. */
function ask(
  session: ClientHttp2Session,
  path: string,
  content: Buffer | null = null,
  trailers: Record<string, string> = {},
) {
  return new Promise<{ status: number; bytes: number; trailers: Record<string, unknown> }>((resolve, reject) => {
    const stream = session.request(
      { ':path': path, ':method': content === null ? 'GET' : 'POST' },
      { waitForTrailers: content !== null },
    );
    let status = 0;
    let bytes = 0;
    let received: Record<string, unknown> = {};
    stream.on('response', (fields) => {
      status = fields[':status'] ?? 0;
    });
    stream.on('trailers', (fields) => {
      received = fields;
    });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.on('data', (block: Buffer) => {
      bytes += block.length;
    });
    stream.on('error', reject);
    stream.on('end', () => resolve({ status, bytes, trailers: received }));
    stream.end(content ?? undefined);
  });
}

describe('HTTP/2 with clients of other makers', () => {
  const suite = suiteLifetime();
  let server: TestServer;

  before(async () => {
    server = await serveHandler(suite, handle, { protocol: 'HTTP/2' });
  });

  async function python(name: string): Promise<unknown> {
    const script = join(ROOT, 'test/support/http2_clients.py');
    const { stdout } = await run(PYTHON_WITH_PACKAGES ?? 'python3', [script, name, String(server.port)], {
      timeout: 60_000,
    });
    assert.deepEqual(server.errors, []);
    assert.deepEqual(server.refused, []);
    return JSON.parse(stdout);
  }

  it("satisfies Python's h2, whose windows and table change on the way", { skip: NO_PACKAGES }, async () => {
    assert.deepEqual(await python('frames'), {
      statuses: ['200'],
      lengths: ['fine\n'.length, 'content'.length, LARGE / 3, LARGE],
      trailers: ['x-after'],
      responses: 120,
      pings: true,
    });
  });

  it('serves many concurrent requests of httpx, with content of both kinds', { skip: NO_PACKAGES }, async () => {
    assert.deepEqual(await python('requests'), {
      versions: ['HTTP/2'],
      statuses: [200],
      lengths: ['fine\n'.length, LARGE],
      responses: 75,
    });
  });

  it("serves Node's client: content with trailers both ways, and 300 streams at once", async () => {
    const session = connect(`http://127.0.0.1:${server.port}`);
    const echo = await ask(session, '/echo', Buffer.alloc(LARGE), { 'x-sum': '42' });
    assert.deepEqual(echo, { status: 200, bytes: LARGE, trailers: {} });
    assert.deepEqual(server.requests.at(-1)?.body?.trailers, ['x-sum', '42']);
    const after = await ask(session, '/trailers');
    assert.equal(after.trailers['x-after'], 'b');
    const paths = Array.from({ length: 300 }, (_, i) => ['/', '/secret', '/large'][i % 3] as string);
    const answers = await Promise.all(paths.map((path) => ask(session, path)));
    assert.deepEqual(
      answers.map(({ bytes }) => bytes),
      paths.map((path) => (path === '/large' ? LARGE : 'fine\n'.length)),
    );
    session.close();
  });

  it("goes on when Node's client gives streams up", async () => {
    const session = connect(`http://127.0.0.1:${server.port}`);
    const gone = server.requests.length;
    for (let i = 0; i < 20; i += 1) {
      const stream = session.request({ ':path': i % 2 === 0 ? '/never' : '/large' });
      stream.on('error', () => {});
      setImmediate(() => stream.close(8));
    }
    assert.equal((await ask(session, '/echo', Buffer.alloc(LARGE))).bytes, LARGE);
    await eventually('the handlers learn of it', () =>
      server.requests.slice(gone).every(({ path, gone: left }) => path !== '/never' || left),
    );
    session.close();
  });

  it("keeps its table in step with Node's client through changes of its size", async () => {
    const session = connect(`http://127.0.0.1:${server.port}`, { settings: { headerTableSize: 0 } });
    for (const headerTableSize of [0, 100, 4096, 0, 65_536, 1, 4096]) {
      session.settings({ headerTableSize });
      for (const path of ['/', '/secret', '/trailers', '/']) assert.equal((await ask(session, path)).status, 200);
    }
    session.close();
  });
});
