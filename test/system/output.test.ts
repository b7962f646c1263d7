import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import { BIN } from '../support/viaduct.ts';
import { eventually, within } from '../support/wait.ts';

const APP = `
def application(environ, start_response):
    text = environ["PATH_INFO"][1:9]
    if environ["QUERY_STRING"] == "print":
        print(text * 1000)
    else:
        environ["wsgi.errors"].write(text * 1000 + "\\n")
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"done\\n"]
`;

interface Server {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly port: number;
  readonly exit: Promise<number | string | null>;
}

/** Starts a server whose output goes into pipes. The test decides whether it reads them. */
async function start(t: TestContext): Promise<Server> {
  const directory = mkdtempSync(join(tmpdir(), 'viaduct-output-'));
  writeFileSync(join(directory, 'app.py'), APP);
  const args = [BIN, directory, '--listen', '127.0.0.1:0', '--workers', '1', '--threads', '2', '--access-log', 'json'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const exit = new Promise<number | string | null>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? code));
  });
  t.after(async () => {
    child.kill('SIGKILL');
    await exit;
    rmSync(directory, { recursive: true, force: true });
  });
  const port = await within(60_000, 'the address', () => portOf(child.stderr));
  return { child, port, exit };
}

function portOf(stderr: Readable): Promise<number> {
  return new Promise((resolve, reject) => {
    let text = '';
    const onData = (block: Buffer): void => {
      text += block.toString();
      const port = /http:\/\/127\.0\.0\.1:(\d+)/.exec(text)?.[1];
      if (port === undefined) return;
      stderr.off('data', onData);
      stderr.pause();
      resolve(Number(port));
    };
    stderr.on('data', onData);
    stderr.once('end', () => reject(new Error(text)));
  });
}

/** Sends one request. Resolves with the status line. */
function request(port: number, target: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`),
    );
    socket.on('data', (block) => {
      answer += block.toString('latin1');
    });
    socket.once('end', () => resolve(answer.split('\r\n')[0] as string));
    socket.once('error', reject);
  });
}

async function assertAnswers(port: number, count: number, target: string): Promise<void> {
  await within(60_000, `${count} answers`, async () => {
    for (let i = 0; i < count; i += 1) assert.equal(await request(port, target), 'HTTP/1.1 200 OK');
  });
}

describe('standard output and error', { concurrency: 2 }, () => {
  it('do not block the server when their reader is stuck, and the server still stops', async (t) => {
    const { child, port, exit } = await start(t);
    await assertAnswers(port, 400, `/${'x'.repeat(800)}`);
    child.kill('SIGTERM');
    assert.equal(await within(60_000, 'the end', () => exit), 0);
  });

  it('are written completely when their reader continues', async (t) => {
    const { child, port, exit } = await start(t);
    await assertAnswers(port, 200, '/xy');
    child.kill('SIGTERM');
    let lines = 0;
    child.stderr.resume();
    child.stdout.on('data', (block: Buffer) => {
      lines += block.toString().split('\n').length - 1;
    });
    assert.equal(await within(60_000, 'the end', () => exit), 0);
    await eventually('all lines have arrived', () => lines === 200);
  });

  it('do not block the application when their reader is gone', async (t) => {
    const { child, port } = await start(t);
    child.stdout.destroy();
    child.stderr.destroy();
    await assertAnswers(port, 200, `/${'x'.repeat(10)}?print`);
    await assertAnswers(port, 200, '/xyz');
  });

  it('have the output of the application', async (t) => {
    const { child, port } = await start(t);
    let text = '';
    child.stdout.on('data', (block: Buffer) => {
      text += block.toString();
    });
    await assertAnswers(port, 1, '/ab?print');
    await eventually('the output has arrived', () => text.includes(`${'ab'.repeat(1000)}\n`));
  });
});
