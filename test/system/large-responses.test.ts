import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { get } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { eachTestLifetime } from '../support/lifetime.ts';
import { makeProject } from '../support/project.ts';
import { startViaduct, type Viaduct } from '../support/viaduct.ts';

/** Answers `/KIND/SEED` with bytes that no other seed has. */
const APP = `
BLOCKS = {"whole": (3_000_000, 1), "large": (400_000, 8), "middle": (20_000, 150), "small": (100, 20_000)}

def block(seed, index, size):
    start = b"%d-%d." % (seed, index)
    return (start * (size // len(start) + 1))[:size]

def application(environ, start_response):
    _, kind, seed = environ["PATH_INFO"].split("/")
    size, count = BLOCKS[kind]
    headers = [("Content-Length", str(size * count))] if int(seed) % 2 else []
    start_response("200 OK", headers)
    return (block(int(seed), index, size) for index in range(count)) if kind != "whole" else [block(int(seed), 0, size)]
`;

const SIZES = { whole: [3_000_000, 1], large: [400_000, 8], middle: [20_000, 150], small: [100, 20_000] } as const;
type Kind = keyof typeof SIZES;
const KINDS = Object.keys(SIZES) as Kind[];

function digestOf(kind: Kind, seed: number): string {
  const [size, count] = SIZES[kind];
  const hash = createHash('sha256');
  for (let index = 0; index < count; index += 1) {
    const start = `${seed}-${index}.`;
    hash.update(start.repeat(Math.floor(size / start.length) + 1).slice(0, size));
  }
  return hash.digest('hex');
}

describe('large responses of many requests at the same time', () => {
  const eachTest = eachTestLifetime();

  const start = (): Promise<Viaduct> =>
    startViaduct(eachTest, ['serve', 'app:application', '--workers', '2', '--threads', '4', '--access-log', 'off'], {
      cwd: makeProject(eachTest, { 'app.py': APP }),
    });

  /** Each kind four times, half of them for clients that read slowly. */
  const asked = KINDS.flatMap((kind) => [1, 2, 3, 4].map((seed) => ({ kind, seed, isSlow: seed > 2 })));

  it('arrive byte for byte over HTTP/1.1, beside clients that read slowly', async () => {
    const { port } = await start();
    const digests = asked.map(async ({ kind, seed, isSlow }) => {
      const request = get({ host: '127.0.0.1', port, path: `/${kind}/${seed}`, agent: false });
      const [response] = await once(request, 'response');
      return digest(response, isSlow);
    });
    assert.deepEqual(await Promise.all(digests), expected());
  });

  it('arrive byte for byte over HTTP/2, beside clients that read slowly', async () => {
    const { port } = await start();
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    eachTest.after(() => session.destroy());
    const digests = asked.map(({ kind, seed, isSlow }) =>
      digest(session.request({ ':path': `/${kind}/${seed}` }), isSlow),
    );
    assert.deepEqual(await Promise.all(digests), expected());
  });

  function expected(): string[] {
    return asked.map(({ kind, seed }) => digestOf(kind, seed));
  }
});

async function digest(content: AsyncIterable<Buffer>, isSlow: boolean): Promise<string> {
  const hash = createHash('sha256');
  for await (const block of content) {
    hash.update(block);
    if (isSlow) await delay(2);
  }
  return hash.digest('hex');
}
