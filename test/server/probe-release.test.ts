import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ViaductError } from '../../src/errors.ts';
import type { Next } from '../../src/http/handler.ts';
import type { BodySink, BodySource, Request } from '../../src/http/message.ts';
import { Response } from '../../src/http/response.ts';
import { type ProbeOptions, probeRelease } from '../../src/server/probe-release.ts';

const OPTIONS: ProbeOptions = {
  paths: ['/healthz'],
  listener: 0,
  host: 'shop.example',
  scheme: 'http',
  timeoutMs: 60_000,
  status: null,
  traceback: () => '',
};

/** A body whose end the test decides. */
class Blocks implements BodySource {
  sink: BodySink | null = null;
  isCancelled = false;
  readonly #start: (sink: BodySink) => void;

  constructor(start: (sink: BodySink) => void) {
    this.#start = start;
  }

  start(sink: BodySink): void {
    this.#start(sink);
  }

  pause(): void {}
  resume(): void {}
  cancel(): void {
    this.isCancelled = true;
  }
}

describe('a probe', () => {
  const probe = (handle: Next, options: Partial<ProbeOptions> = {}, signal = new AbortController().signal) =>
    probeRelease(handle, { ...OPTIONS, ...options }, signal);
  const streamed = (start: (sink: BodySink) => void): Next => {
    return () => new Response(200, '', '', -1, 0, new Blocks(start));
  };

  it('is a GET from this machine, for the path, query, host and scheme of its options', async () => {
    const requests: Request[] = [];
    const handle: Next = (request) => {
      requests.push(request);
      return Response.text(204, '');
    };
    await probe(handle, { paths: ['/a?x=1?2', '/b'], host: 'shop.example:8443', scheme: 'https' });
    const [first, second] = requests as [Request, Request];
    assert.deepEqual([first.method, first.path, first.query, second.path], ['GET', '/a', 'x=1?2', '/b']);
    assert.deepEqual(first.headers.slice(0, 2), ['Host', 'shop.example:8443']);
    assert.deepEqual(
      [first.host, first.peer.remoteAddress, first.peer.secure, first.peer.serverPort],
      ['shop.example:8443', '127.0.0.1', true, '8443'],
    );
  });

  const failing: readonly (readonly [string, Next, Partial<ProbeOptions>, RegExp])[] = [
    [
      'another status',
      () => Response.text(503, ''),
      {},
      /http:\/\/shop\.example\/healthz was answered with 503 after \d+ ms$/,
    ],
    [
      'a redirect',
      () => Response.text(302, '', ['Location', '/login/']),
      {},
      /with 302 after \d+ ms: it leads to \/login\/$/,
    ],
    ['a status that is not the expected one', () => Response.text(200, ''), { status: 204 }, /answered with 200/],
    [
      'an exception',
      () => Response.text(500, ''),
      { traceback: () => 'Traceback:\n  line\nKeyError: 1\n' },
      /with 500 after \d+ ms: KeyError: 1$/,
    ],
    ['no answer', () => new Promise<Response>(() => {}), { timeoutMs: 1 }, /was not answered completely within 1 ms$/],
    ['an answer without an end', streamed(() => {}), { timeoutMs: 1 }, /was not answered completely within 1 ms$/],
    [
      'an answer that breaks off',
      streamed((sink) => sink.fail(new Error('it broke off'))),
      {},
      /failed: it broke off$/,
    ],
    [
      'a handler that throws',
      () => {
        throw new Error('no such thing');
      },
      {},
      /failed: no such thing$/,
    ],
  ];
  for (const [what, handle, options, message] of failing)
    it(`fails for ${what}`, async () => {
      await assert.rejects(probe(handle, options), (error: ViaductError) => {
        assert.equal(error.code, 'APPLICATION_BROKEN');
        assert.match(error.message, message);
        return true;
      });
    });

  it('has the traceback as the cause of its failure', async () => {
    const handle: Next = () => Response.text(500, '');
    await assert.rejects(probe(handle, { traceback: () => 'Traceback\n' }), { cause: 'Traceback' });
  });

  it('waits for the end of the answer', async () => {
    const receivers: BodySink[] = [];
    let isOver = false;
    const probing = probe(streamed((sink) => receivers.push(sink))).then(() => {
      isOver = true;
    });
    while (receivers.length === 0) await new Promise(setImmediate);
    receivers[0]?.write(Buffer.from('x'));
    await new Promise(setImmediate);
    assert.equal(isOver, false);
    receivers[0]?.end();
    await probing;
  });

  it('gives up at once when the reload is cancelled, and its client counts as gone', async () => {
    const cancel = new AbortController();
    let gone = false;
    const handle: Next = (request) => {
      request.onGone = () => {
        gone = true;
      };
      return new Promise<Response>(() => {});
    };
    const probing = probe(handle, {}, cancel.signal);
    cancel.abort(new ViaductError('WORKER', 'another reload'));
    await assert.rejects(probing, { message: 'another reload' });
    assert.equal(gone, true);
  });
});
