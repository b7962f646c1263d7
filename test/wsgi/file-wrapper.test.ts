import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { describe, it, type TestContext } from 'node:test';
import type { Application, Environ, FileLike, FileWrapper, Header, ResponseBody } from '../../src/wsgi/contract.ts';
import { serveWsgi } from '../support/serve-wsgi.ts';
import { SocketClient } from '../support/socket-client.ts';
import { eventually } from '../support/wait.ts';

const CONTENT = 'a file of some bytes, '.repeat(10_000);

function directory(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'viaduct-files-'));
  t.after(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

function file(t: TestContext): string {
  const path = join(directory(t), 'file');
  writeFileSync(path, CONTENT);
  return path;
}

const wrap = (environ: Environ, ...args: Parameters<FileWrapper>): ResponseBody =>
  (environ['wsgi.file_wrapper'] as FileWrapper)(...args);

/** Answers with the file that `make` opens, and keeps the file for checks. */
function sending<T extends FileLike>(make: () => T | Promise<T>, headers: readonly Header[] = []) {
  const opened: T[] = [];
  const application: Application = async (environ, startResponse) => {
    const made = await make();
    opened.push(made);
    startResponse('200 OK', headers);
    return wrap(environ, made);
  };
  return { application, opened };
}

/** A closed handle has no descriptor. */
const isClosed = (handle: FileHandle | undefined): boolean => handle?.fd === -1;

describe('wsgi.file_wrapper', { concurrency: 4 }, () => {
  it('sends a file with its length, and closes it', async (t) => {
    const path = file(t);
    const { application, opened } = sending(() => open(path));
    const { ask, errors } = await serveWsgi(t, application);
    const { body, framing } = await ask();
    assert.deepEqual([body === CONTENT, framing, errors], [true, 'length', []]);
    await eventually('the file is closed', () => isClosed(opened[0]));
  });

  it('sends as much of a file as Content-Length announces, and breaks off when the file is shorter', async (t) => {
    const path = file(t);
    for (const [length, sent, isWhole] of [
      [9, 9, true],
      [CONTENT.length + 1, CONTENT.length, false],
    ] as const) {
      const { application, opened } = sending(() => open(path), [['Content-Length', `${length}`]]);
      const { ask } = await serveWsgi(t, application);
      const { body, whole } = await ask();
      assert.deepEqual([body === CONTENT.slice(0, sent), whole], [true, isWhole]);
      await eventually('the file is closed', () => isClosed(opened[0]));
    }
  });

  it('sends nothing of a file for HEAD and 304, and closes it', async (t) => {
    const path = file(t);
    const opened: FileHandle[] = [];
    const { ask } = await serveWsgi(t, async (environ, startResponse) => {
      const handle = await open(path);
      opened.push(handle);
      startResponse(environ.PATH_INFO === '/304' ? '304 Not Modified' : '200 OK', []);
      return wrap(environ, handle);
    });
    assert.equal((await ask('/', { method: 'HEAD' })).body, '');
    assert.equal((await ask('/304')).body, '');
    await eventually('the files are closed', () => opened.length === 2 && opened.every(isClosed));
  });

  it('closes a file when the client has left', async (t) => {
    const path = file(t);
    writeFileSync(path, Buffer.alloc(50_000_000));
    const { application, opened } = sending(() => open(path));
    const server = await serveWsgi(t, application);
    const client = await SocketClient.open(server.port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until(/\r\n\r\n/);
    client.socket.resetAndDestroy();
    await eventually('the file is closed', () => isClosed(opened[0]));
  });

  it('sends the content of a pipe', async (t) => {
    const path = join(directory(t), 'pipe');
    execFileSync('mkfifo', [path]);
    const { application, opened } = sending(async () => {
      const [reading] = await Promise.all([
        open(path, 'r'),
        open(path, 'w').then(async (writing) => {
          await writing.write('through a pipe');
          await writing.close();
        }),
      ]);
      return reading;
    });
    const { ask, errors } = await serveWsgi(t, application);
    const { body, whole } = await ask();
    assert.deepEqual([body, whole, errors], ['through a pipe', true, []]);
    await eventually('the pipe is closed', () => isClosed(opened[0]));
  });

  for (const [what, make] of Object.entries<() => FileLike>({
    'a stream': () => Readable.from([Buffer.from('blocks '), Buffer.from('of bytes')]),
    'a stream of a pipe': () => {
      const pipe = new PassThrough();
      pipe.write('blocks ');
      pipe.end('of bytes');
      return pipe;
    },
    'a buffer in an array': () => [Buffer.from('blocks of bytes')],
    'a generator': function* () {
      yield Buffer.from('blocks ');
      yield Buffer.from('of bytes');
    },
    'a Blob as a stream': () => new Blob(['blocks of bytes']).stream() as unknown as FileLike,
  })) {
    it(`sends ${what}`, async (t) => {
      const { ask, errors } = await serveWsgi(t, sending(make).application);
      const { body, whole } = await ask();
      assert.deepEqual([body, whole, errors], ['blocks of bytes', true, []]);
    });
  }

  it('sends a stream of a file, and closes it', async (t) => {
    const path = file(t);
    const { application, opened } = sending(() => createReadStream(path));
    const { ask } = await serveWsgi(t, application);
    assert.ok((await ask()).body === CONTENT);
    await eventually('the stream is closed', () => opened[0]?.closed === true);
  });

  it('closes a stream that was not read because the client has left', async (t) => {
    for (const make of [() => new PassThrough(), () => createReadStream(file(t))]) {
      const stream = make();
      let called = (): void => {};
      const isCalled = new Promise<void>((resolve) => {
        called = resolve;
      });
      const server = await serveWsgi(t, async (environ, startResponse) => {
        const signal = environ['viaduct.client']?.signal as AbortSignal;
        called();
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        startResponse('200 OK', []);
        return wrap(environ, stream);
      });
      const client = await SocketClient.open(server.port);
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await isCalled;
      client.socket.resetAndDestroy();
      await eventually('the stream is closed', () => stream.closed);
      assert.deepEqual(server.errors, []);
    }
  });

  it('passes blocks of the requested size to middleware, which closes the file', async (t) => {
    const path = file(t);
    let opened: FileHandle | undefined;
    const sizes: number[] = [];
    const { ask } = await serveWsgi(t, async (environ, startResponse) => {
      opened = await open(path);
      const body = wrap(environ, opened, 100_000);
      const blocks: Uint8Array[] = [];
      for await (const block of body) blocks.push(block);
      sizes.push(...blocks.map(({ length }) => length));
      await body.close?.();
      startResponse('200 OK', []);
      return blocks;
    });
    assert.ok((await ask()).body === CONTENT);
    assert.deepEqual(sizes, [100_000, 100_000, CONTENT.length - 200_000]);
    assert.ok(isClosed(opened));
  });

  it('fails the request, and closes the file, when start_response was not called', async (t) => {
    const path = file(t);
    const opened: FileHandle[] = [];
    const { ask, errors } = await serveWsgi(t, async (environ) => {
      const handle = await open(path);
      opened.push(handle);
      return wrap(environ, handle);
    });
    assert.equal((await ask()).body, 'failed');
    assert.match(errors.join(), /start_response/);
    await eventually('the file is closed', () => isClosed(opened[0]));
  });
});
