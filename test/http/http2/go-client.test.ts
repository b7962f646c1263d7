import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { HandlerResult } from '../../../src/http/handler.ts';
import type { BodySink, BodySource, Request } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import { Authority, hostWith, NO_OPENSSL, type Pair } from '../../support/certificates.ts';
import { echo, withTrailers } from '../../support/contents.ts';
import { eachTestLifetime } from '../../support/lifetime.ts';
import { serveHandler, type TestServer } from '../../support/serve-handler.ts';
import { ROOT } from '../../support/viaduct.ts';
import { createSignal, eventually, within } from '../../support/wait.ts';

const CLIENT = join(ROOT, '.setup/go-client/go-client');
/** For `{ skip }`: false when the client is built, else the reason to skip. */
const NO_CLIENT = existsSync(CLIENT) ? NO_OPENSSL : 'go-client is not built; the set-up printed why';
const RUN_MS = 60_000;

const LARGE = Buffer.alloc(300_000, 'x');
const FINE = Buffer.from('fine\n');
const UPLOAD_BYTES = 3_000_000;

/** What the client prints for each response: see `test/go-client/main.go`. */
interface Answer {
  readonly proto: string;
  readonly status: number;
  /** -1 without a Content-Length. */
  readonly length: number;
  readonly bytes: number;
  /** Hashes of the content in both directions. */
  readonly sent?: string;
  readonly received: string;
  readonly trailer?: string;
  readonly hint?: string;
  /** Whether the request had a connection that was there before. */
  readonly reused: boolean;
}

/** Content without an end, as fast as its reader takes it. */
class Endless implements BodySource {
  blocks = 0;
  cancelled = false;
  #paused = false;
  #sink: BodySink | null = null;

  start(sink: BodySink): void {
    this.#sink = sink;
    this.#go();
  }

  #go(): void {
    if (this.#paused || this.cancelled) return;
    this.blocks += 1;
    this.#sink?.write(Buffer.alloc(16_384, 'x'));
    setImmediate(() => this.#go());
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#go();
  }

  cancel(): void {
    this.cancelled = true;
  }
}

const sumOf = (content: Buffer): string => createHash('sha256').update(content).digest('hex');
const FINE_ANSWER = { proto: 'HTTP/2.0', status: 200, length: FINE.length, bytes: FINE.length, received: sumOf(FINE) };
const LARGE_ANSWER = { ...FINE_ANSWER, length: LARGE.length, bytes: LARGE.length, received: sumOf(LARGE) };

describe("HTTP/2 with the client of Go's standard library", { skip: NO_CLIENT }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'viaduct-test-'));
  const eachTest = eachTestLifetime();
  let authority: Authority;
  let pair: Pair;
  let server: TestServer;
  let endless: Endless;
  let held = createSignal();

  before(() => {
    authority = new Authority(directory);
    pair = authority.issue('server', 'ec', ['localhost']);
  });
  after(() => rmSync(directory, { recursive: true }));

  beforeEach(async () => {
    endless = new Endless();
    held = createSignal();
    server = await serveHandler(eachTest, handle, { tls: { hosts: [hostWith(pair)] } });
  });

  function handle(request: Request): HandlerResult {
    const { path, body } = request;
    if (body !== null) return Response.fromHeaders(200, [], echo(body));
    if (path === '/large') return Response.fromHeaders(200, [], LARGE);
    if (path === '/trailers') return Response.fromHeaders(200, [], withTrailers('content', ['x-after', 'b']));
    if (path === '/endless') return Response.fromHeaders(200, [], endless);
    if (path === '/held') return held.happened.then(() => Response.fromHeaders(200, [], LARGE));
    if (path === '/hints') request.sendInterim(103, 'Link: </style.css>; rel=preload\r\n');
    return Response.fromHeaders(200, [], FINE);
  }

  /** Runs a case of the client; `atWork` is called with a function that lets the client go on. Returns its answers. */
  async function run(name: string, atWork: (go: () => void) => Promise<void> = async () => {}): Promise<Answer[]> {
    const child = spawn(CLIENT, [`https://127.0.0.1:${server.port}`, authority.certificate, name], {
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: RUN_MS,
    });
    const [output, errors] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      atWork(() => child.stdin.end('\n')),
    ]);
    assert.equal(errors, '');
    assert.deepEqual(server.errors, []);
    assert.deepEqual(server.refused, []);
    assert.equal(new Set(server.requests.map(({ peer }) => peer)).size, 1, 'all requests came on one connection');
    return JSON.parse(output) as Answer[];
  }

  it('serves GET, HEAD and DELETE', async () => {
    const empty = sumOf(Buffer.alloc(0));
    assert.deepEqual(await run('methods'), [
      { ...LARGE_ANSWER, reused: false },
      { ...LARGE_ANSWER, bytes: 0, received: empty, reused: true },
      { ...FINE_ANSWER, reused: true },
    ]);
    assert.deepEqual(
      server.requests.map(({ method, protocol }) => `${method} ${protocol}`),
      ['GET HTTP/2.0', 'HEAD HTTP/2.0', 'DELETE HTTP/2.0'],
    );
  });

  it('takes 3 MB of content with and without a length, and sends them back unchanged', async () => {
    const answers = await run('upload');
    assert.equal(answers.length, 2);
    for (const { proto, status, bytes, sent, received } of answers) {
      assert.deepEqual([proto, status, bytes, received], ['HTTP/2.0', 200, UPLOAD_BYTES, sent]);
    }
    assert.deepEqual(
      server.requests.map(({ body }) => body?.length),
      [UPLOAD_BYTES, -1],
    );
  });

  it('serves 100 requests at once on one connection', async () => {
    const expected = Array.from({ length: 100 }, (_, i) => ({
      ...(i % 2 === 0 ? FINE_ANSWER : LARGE_ANSWER),
      reused: true,
    }));
    assert.deepEqual(await run('many'), expected);
  });

  it('exchanges trailers both ways', async () => {
    const [echoed, answer] = await run('trailers');
    assert.equal(echoed?.received, sumOf(Buffer.from('content')));
    assert.deepEqual(server.requests[0]?.body?.trailers, ['x-sum', '42']);
    assert.deepEqual([answer?.status, answer?.length, answer?.trailer], [200, -1, 'b']);
  });

  it('sends 103 Early Hints before the response', async () => {
    assert.deepEqual(await run('hints'), [{ ...FINE_ANSWER, hint: '103 </style.css>; rel=preload', reused: false }]);
  });

  it('stops a download that the client cancels, and goes on with its connection', async () => {
    assert.deepEqual(await run('cancel'), [{ ...FINE_ANSWER, reused: true }]);
    await eventually('the source of the download is cancelled', () => endless.cancelled);
    assert.ok(endless.blocks * 16_384 >= UPLOAD_BYTES);
    const [download] = server.requests;
    assert.deepEqual([download?.path, download?.gone], ['/endless', true]);
  });

  it('finishes what runs when the server drains', async () => {
    let drained: Promise<void> = Promise.resolve();
    const answers = await run('drain', async (go) => {
      await eventually('all requests are there', () => server.requests.length === 22);
      drained = server.connections.drain();
      go();
      await eventually('the upload has come', () =>
        server.answered.some(({ bodyBytes }) => bodyBytes === UPLOAD_BYTES),
      );
      held.happen();
    });
    const [first, uploaded, ...others] = answers;
    assert.equal(first?.status, 200);
    assert.deepEqual([uploaded?.status, uploaded?.bytes, uploaded?.received], [200, UPLOAD_BYTES, uploaded?.sent]);
    assert.deepEqual(
      others,
      Array.from({ length: 20 }, () => ({ ...LARGE_ANSWER, reused: true })),
    );
    await within(RUN_MS, 'the server to be drained', () => drained);
    assert.equal(server.connections.size, 0);
  });
});
