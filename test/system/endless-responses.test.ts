import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';
import { ask } from '../support/http-client.ts';
import { eachTestLifetime } from '../support/lifetime.ts';
import { makeProject } from '../support/project.ts';
import { startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const MB = 1_000_000;
const READ_BYTES = 3000 * MB;
const SINGLE_BYTES = 300_000;
/** What is kept of a response on its way, in all processes, with what V8 has not collected yet. */
const PEAK_BYTES = 200 * MB;

/** `/huge` has 10 GB, `/single` blocks of one byte, `/empty` empty blocks without end. `/left` says which of them were closed. */
const APP = `
import os
left = []

def blocks(path):
    try:
        if path == "/huge":
            block = bytes(${MB})
            for _ in range(10_000):
                yield block
        elif path == "/single":
            for _ in range(${SINGLE_BYTES}):
                yield b"x"
        else:
            yield b"first"
            while True:
                yield b""
    finally:
        left.append(path)

def application(environ, start_response):
    path = environ["PATH_INFO"]
    start_response("200 OK", [])
    if path == "/pid":
        return [str(os.getpid()).encode()]
    return [" ".join(left).encode()] if path == "/left" else blocks(path)
`;

describe('a response of an application that hardly ends', {
  skip: process.platform !== 'linux' && 'there is no /proc',
}, () => {
  const eachTest = eachTestLifetime();

  const start = (): Promise<Viaduct> =>
    startViaduct(eachTest, ['serve', 'app:application', '--workers', '1', '--threads', '2', '--access-log', 'off'], {
      cwd: makeProject(eachTest, { 'app.py': APP }),
    });

  it('with ten gigabytes takes little memory, and ends when its client leaves', async () => {
    const { port, pid } = await start();
    const worker = Number((await ask(port, '/pid')).body);
    const before = peakOf(pid) + peakOf(worker);
    const response = await open(port, '/huge');
    let received = 0;
    for await (const block of response) {
      received += (block as Buffer).length;
      if (received > READ_BYTES) break;
    }
    response.destroy();
    assert.ok(received > READ_BYTES);
    await eventually('the generator is closed', async () => (await ask(port, '/left')).body === '/huge');
    const used = peakOf(pid) + peakOf(worker) - before;
    assert.ok(used < PEAK_BYTES, `${Math.round(used / MB)} MB more`);
  });

  it('with single bytes is complete, and others are answered meanwhile', async () => {
    const { port } = await start();
    const response = await open(port, '/single');
    const whole = length(response);
    assert.notEqual((await ask(port, '/pid')).body, '');
    assert.equal(await whole, SINGLE_BYTES);
  });

  it('with empty blocks without end leaves its thread when its client leaves', async () => {
    const { port } = await start();
    const response = await open(port, '/empty');
    assert.notEqual((await ask(port, '/pid')).body, '');
    // With a mere end, a client may still wait for what follows, and there is nothing to write that would show the difference.
    response.socket.resetAndDestroy();
    await eventually('the generator is closed', async () => (await ask(port, '/left')).body === '/empty');
  });
});

async function open(port: number, path: string): Promise<IncomingMessage> {
  const request = get({ host: '127.0.0.1', port, path, agent: false });
  request.on('error', () => {});
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  response.on('error', () => {});
  return response;
}

async function length(response: IncomingMessage): Promise<number> {
  let bytes = 0;
  for await (const block of response) bytes += (block as Buffer).length;
  return bytes;
}

/** The most memory that a process had, in bytes. */
function peakOf(pid: number): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}
