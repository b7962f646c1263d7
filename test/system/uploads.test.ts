import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { ask } from '../support/http-client.ts';
import { encode, parseAnswer } from '../support/http-message.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { SocketClient } from '../support/socket-client.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { ROOT, startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const MEMORY_BYTES = 256 * 1024;
const MIB = 1024 * 1024;
/** Sizes around every limit at which content takes another way: in the batch, beside the batch, into a file. */
const SIZES = [0, 1, 16_384, 16_385, 65_536, MEMORY_BYTES, MEMORY_BYTES + 1, MIB, 5 * MIB, 20 * MIB];
const CONTENT = randomBytes(20 * MIB);
const LIMIT = 21 * MIB;

describe('uploads', () => {
  const suite = suiteLifetime();
  let directory: string;
  let viaduct: Viaduct;

  before(async () => {
    directory = temporaryDirectory(suite);
    viaduct = await startViaduct(
      suite,
      [
        ...['serve', 'gallery:application', '--chdir', join(ROOT, 'test/apps'), '--workers', '1', '--threads', '1'],
        ...['--control', 'off'],
      ],
      { env: { TMPDIR: directory, VIADUCT_BODY_BYTES_MAX: `${LIMIT}`, VIADUCT_ACCESS_LOG: 'off' } },
    );
    suite.after(async () => {
      await viaduct.stop();
      assert.deepEqual(spoolFiles(), []);
    });
  });

  const spoolFiles = (): string[] =>
    readdirSync(directory, { recursive: true })
      .map(String)
      .filter((path) => path.includes('body-'));
  const seen = async (): Promise<string[]> => (await ask(viaduct.port, '/digests?seen')).body.split(' ');
  const expected = (content: Buffer): string =>
    `${content.length} ${content.length} ${createHash('sha256').update(content).digest('hex')}`;

  for (const size of SIZES) {
    const content = CONTENT.subarray(0, size);

    it(`reach the application whole: ${size} bytes with a Content-Length`, async () => {
      const answer = await ask(viaduct.port, '/digests', { method: 'POST', body: content });
      assert.equal(answer.body, expected(content));
    });

    it(`reach the application whole, with their length: ${size} bytes in chunks`, async () => {
      const headers: [string, string][] = [['Transfer-Encoding', 'chunked']];
      const answer = await ask(viaduct.port, '/digests', { method: 'POST', headers, body: chunked(content) });
      assert.equal(answer.body, expected(content));
    });
  }

  it('wait for 100 Continue, and continue when it comes', async () => {
    const content = CONTENT.subarray(0, 400_000);
    const client = await SocketClient.open(viaduct.port);
    client.send(
      encode('/digests', {
        method: 'PUT',
        headers: [
          ['Expect', '100-continue'],
          ['Content-Length', '400000'],
        ],
      }),
    );
    await client.until(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    client.send(content);
    await client.untilClosed();
    assert.equal(parseAnswer(client.received, 'PUT').body, expected(content));
  });

  it('do not occupy the only worker while they are slow', async () => {
    const contents = [100, 100_000, 400_000, MIB].map((size) => CONTENT.subarray(0, size));
    const clients = await Promise.all(contents.map(() => SocketClient.open(viaduct.port)));
    contents.forEach((content, index) => {
      const client = clients[index] as SocketClient;
      client.send(encode('/digests', { method: 'POST', headers: [['Content-Length', `${content.length}`]] }));
      client.send(content.subarray(0, content.length / 2));
    });
    await eventually('the large uploads are in files', () => spoolFiles().length === 2);
    for (let i = 0; i < 5; i += 1) assert.equal((await ask(viaduct.port, '/digests')).body.split(' ')[0], 'none');
    contents.forEach((content, index) => {
      clients[index]?.send(content.subarray(content.length / 2));
    });
    for (const [index, client] of clients.entries()) {
      await client.untilClosed();
      assert.equal(parseAnswer(client.received, 'POST').body, expected(contents[index] as Buffer));
    }
    await eventually('no file is left', () => spoolFiles().length === 0);
  });

  for (const [framing, size] of [
    ['a Content-Length', 1000],
    ['a Content-Length', MIB],
    ['chunks', 1000],
    ['chunks', MIB],
  ] as const) {
    it(`do not reach Python when the client leaves in the middle: ${size} bytes, ${framing}`, async () => {
      const name = `left-${framing.replaceAll(' ', '-')}-${size}`;
      const client = await SocketClient.open(viaduct.port);
      const header: [string, string] =
        framing === 'chunks' ? ['Transfer-Encoding', 'chunked'] : ['Content-Length', `${2 * size}`];
      client.send(encode(`/digests?${name}`, { method: 'POST', headers: [header] }));
      client.send(
        framing === 'chunks' ? chunked(CONTENT.subarray(0, size)).subarray(0, -5) : CONTENT.subarray(0, size),
      );
      if (size > MEMORY_BYTES) await eventually('the upload is in a file', () => spoolFiles().length === 1);
      client.close();
      await eventually('no file is left', () => spoolFiles().length === 0);
      const after = `after-${name}`;
      await ask(viaduct.port, `/digests?${after}`, { method: 'POST', body: 'x' });
      const names = await seen();
      assert.ok(names.includes(after));
      assert.ok(!names.includes(name));
    });
  }

  it('are refused with 413 and without 100 Continue when their Content-Length is too large', async () => {
    const headers: [string, string][] = [
      ['Content-Length', `${LIMIT + 1}`],
      ['Expect', '100-continue'],
    ];
    const answer = await ask(viaduct.port, '/digests?announced', { method: 'POST', headers });
    assert.equal(answer.status, 413);
    assert.ok(!(await seen()).includes('announced'));
  });

  it('are refused with 413 when their chunks become too large, and leave no file', async () => {
    const client = await SocketClient.open(viaduct.port);
    client.send(encode('/digests?chunks', { method: 'POST', headers: [['Transfer-Encoding', 'chunked']] }));
    for (let i = 0; i < 22; i += 1) client.send(chunked(CONTENT.subarray(0, MIB)).subarray(0, -5));
    await client.until(/^HTTP\/1\.1 413 /);
    client.close();
    await eventually('no file is left', () => spoolFiles().length === 0);
    assert.ok(!(await seen()).includes('chunks'));
  });

  it('leave no file when the application does not read them', async () => {
    const answer = await ask(viaduct.port, '/raises?error', { method: 'POST', body: CONTENT.subarray(0, MIB) });
    assert.equal(answer.status, 500);
    await eventually('no file is left', () => spoolFiles().length === 0);
  });

  it('are readable only by this user while they are in a file', async () => {
    const names = readdirSync(directory).filter((name) => name.startsWith('viaduct-'));
    assert.equal(names.length, 1);
    assert.equal(statSync(join(directory, names[0] as string)).mode & 0o777, 0o700);
  });
});

/** Content in chunks of several sizes, with the last chunk. */
function chunked(content: Buffer): Buffer {
  const parts: Buffer[] = [];
  const sizes = [1, 7, 4096, 65_536, 100_000];
  for (let at = 0, i = 0; at < content.length; i += 1) {
    const block = content.subarray(at, at + (sizes[i % sizes.length] as number));
    parts.push(Buffer.from(`${block.length.toString(16)}\r\n`), block, Buffer.from('\r\n'));
    at += block.length;
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}
