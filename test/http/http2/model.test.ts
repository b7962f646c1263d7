import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { contentMemory } from '../../../src/http/buffering/content-memory.ts';
import type { HandlerResult } from '../../../src/http/handler.ts';
import type { BodySink, BodySource, Request, RequestBody } from '../../../src/http/message.ts';
import { Response } from '../../../src/http/response.ts';
import { FrameClient } from '../../support/http2-frames.ts';
import { contentOf, ModelClient } from '../../support/http2-model.ts';
import { eachTestLifetime } from '../../support/lifetime.ts';
import { createRandom } from '../../support/random.ts';
import { serveHandler } from '../../support/serve-handler.ts';
import { eventually } from '../../support/wait.ts';

const SEEDS = Number(process.env.VIADUCT_TEST_SEEDS ?? 12);
const STEPS = 400;

describe('a connection of HTTP/2 with any interleaving', () => {
  const eachTest = eachTestLifetime();

  for (let seed = 1; seed <= SEEDS; seed += 1) {
    it(`sends each byte once and in order, within all windows, and keeps nothing: seed ${seed}`, async () => {
      const random = createRandom(seed);
      const uploads = new Uploads(random);
      const held = contentMemory.held;
      const server = await serveHandler(eachTest, (request) => uploads.handle(request), { protocol: 'HTTP/2' });
      const client = await FrameClient.open(server.port);
      const model = new ModelClient(client, random);
      for (let step = 0; step < STEPS; step += 1) {
        for (let i = random() * 6; i > 0; i -= 1) model.act();
        if (random() < 0.5) await new Promise(setImmediate);
        model.check();
      }
      let drained: Promise<void> | null = null;
      if (seed % 2 === 0) {
        model.draining = true;
        drained = server.connections.drain();
      }
      await eventually('all streams have ended', () => {
        model.check();
        model.finish();
        return model.open.length === 0;
      });
      if (drained === null) client.close();
      await eventually('the server has forgotten the connection', () => {
        model.check();
        return server.connections.size === 0;
      });
      await drained;
      await eventually('all requests are answered', () => server.answered.length === server.requests.length);
      assert.deepEqual(uploads.wrong, []);
      assert.deepEqual(server.errors, []);
      assert.deepEqual(server.refused, []);
      assert.equal(contentMemory.held, held, 'content is held');
      for (const { id, kind, sent, state } of model.streams) {
        if (state === 'reset' || (kind !== 'count' && kind !== 'slow')) continue;
        assert.equal(uploads.received.get(id) ?? 0, sent, `the content of stream ${id}`);
      }
      for (const request of server.requests) assert.equal(request.onGone, null);
    });
  }
});

/** Handles the requests of a `ModelClient`, and checks their content. */
class Uploads {
  readonly received = new Map<number, number>();
  readonly wrong: string[] = [];
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  handle({ path, body }: Request): HandlerResult {
    const [, kind, key = '', size = ''] = path.split('/');
    const id = Number(key);
    const bytes = Number(size);
    if (kind === 'whole') {
      const content = Array.from({ length: Math.ceil(bytes / 10_000) }, (_, i) =>
        contentOf(id, i * 10_000, Math.min(bytes, (i + 1) * 10_000)),
      );
      return Response.fromHeaders(200, [], Buffer.concat(content));
    }
    if (kind === 'stream') return Response.fromHeaders(200, [], new Blocks(id, bytes, this.#random));
    if (body === null || kind === 'ignore') return Response.fromHeaders(200, [], null);
    if (kind === 'echo') return Response.fromHeaders(200, [], echo(body));
    return this.#count(id, body, kind === 'slow');
  }

  #count(id: number, body: RequestBody, slow: boolean): Promise<Response> {
    return new Promise((resolve) => {
      let received = 0;
      const done = (): void => {
        this.received.set(id, received);
        resolve(Response.fromHeaders(200, [], null));
      };
      const sink: BodySink = {
        write: (block) => {
          const expected = contentOf(id, received, received + block.length);
          if (!expected.equals(block)) this.wrong.push(`the content of stream ${id} at ${received}`);
          received += block.length;
          if (!slow || this.#random() < 0.5) return;
          body.pause();
          setTimeout(() => body.resume(), this.#random() * 5);
        },
        end: done,
        fail: done,
      };
      if (this.#random() < 0.5) body.start(sink);
      else setImmediate(() => body.start(sink));
    });
  }
}

/** The content of a request as that of its response. A block of a request is valid only during the call, so it is copied. */
function echo(body: RequestBody): BodySource {
  return {
    get trailers() {
      return body.trailers;
    },
    start: (sink) =>
      body.start({
        write: (block) => sink.write(Buffer.from(block)),
        end: () => sink.end(),
        fail: (error) => sink.fail(error),
      }),
    pause: () => body.pause(),
    resume: () => body.resume(),
    cancel: () => body.cancel(),
  };
}

/** Content in blocks of any size, at any time. */
class Blocks implements BodySource {
  #sink: BodySink | null = null;
  #paused = false;
  #at = 0;
  readonly #id: number;
  readonly #bytes: number;
  readonly #random: () => number;

  constructor(id: number, bytes: number, random: () => number) {
    this.#id = id;
    this.#bytes = bytes;
    this.#random = random;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    this.#go();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#go();
  }

  cancel(): void {
    this.#sink = null;
  }

  #go(): void {
    while (this.#sink !== null && !this.#paused) {
      if (this.#at === this.#bytes) {
        const sink = this.#sink;
        this.#sink = null;
        sink.end();
        return;
      }
      const end = Math.min(this.#bytes, this.#at + 1 + Math.floor(this.#random() * 40_000));
      const block = contentOf(this.#id, this.#at, end);
      this.#at = end;
      this.#sink.write(block);
      if (this.#random() < 0.5) {
        setImmediate(() => this.#go());
        return;
      }
    }
  }
}
