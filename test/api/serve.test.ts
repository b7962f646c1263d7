import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { type Application, pythonApp, type ServeOptions, serve } from 'viaduct';
import { Authority, NO_OPENSSL } from '../support/certificates.ts';
import { makeProject } from '../support/project.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

const hello: Application = (environ, startResponse) => {
  startResponse('200 OK', []);
  return [Buffer.from(`hello ${environ.PATH_INFO}`)];
};
const WSGI = `import os
def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [f"{environ['PATH_INFO']} {os.getpid()}".encode()]

def other(environ, start_response):
    start_response('200 OK', [])
    return [b'other']
`;

async function textOf(url: string): Promise<string> {
  return (await fetch(url)).text();
}

describe('serve', { concurrency: 4 }, () => {
  it('serves a fetch handler, which knows the client', async () => {
    let url = '';
    {
      await using server = await serve({
        fetch: (asked, { remoteAddress }) => new Response(`${new URL(asked.url).pathname} ${remoteAddress}`),
        port: 0,
      });
      url = server.url;
      assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/);
      assert.deepEqual(server.urls, [url]);
      assert.equal(await textOf(`${url}/x`), '/x 127.0.0.1');
    }
    await assert.rejects(fetch(url));
  });

  it('serves an application, and closes it when the server stops', async () => {
    const closed: string[] = [];
    const application = Object.assign(((environ, start) => hello(environ, start)) as Application, {
      close: async () => void closed.push('closed'),
    });
    const server = await serve({ application, port: '0', host: 'localhost' });
    assert.match(server.url, /^http:\/\/localhost:\d+$/);
    assert.equal(await textOf(`${server.url}/x`), 'hello /x');
    await Promise.all([server.stop(), server.stop()]);
    assert.deepEqual(closed, ['closed']);
  });

  it('serves a Python project: its directory, an application in it, and with an interpreter of its own', async (t) => {
    const directory = makeProject(t, { 'wsgi.py': WSGI });
    await using first = await serve({ python: directory, workers: 2, port: 0 });
    assert.match(await textOf(`${first.url}/a`), /^\/a \d+$/);
    await using second = await serve({ python: 'wsgi:other', chdir: directory, workers: 1, port: 0 });
    assert.equal(await textOf(second.url), 'other');
    const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();
    await using third = await serve({ python: { directory, python }, workers: 1, port: 0 });
    assert.match(await textOf(`${third.url}/b`), /^\/b \d+$/);
    await using fourth = await serve({ python: { directory, project: './wsgi.py' }, workers: 1, port: 0 });
    assert.match(await textOf(`${fourth.url}/c`), /^\/c \d+$/);
    await assert.rejects(serve({ python: { directory, project: 'nix:application' }, port: 0 }), (error: Error) => {
      assert.match(error.message, /nix/);
      return true;
    });
  });

  it('takes what pythonApp makes, and everything else that createServer takes', async (t) => {
    const directory = makeProject(t, { 'wsgi.py': WSGI });
    await using server = await serve({
      application: pythonApp({ directory }),
      applications: { hello },
      listen: ['127.0.0.1:0', '[::1]:0'],
      bodyBytesMax: '1kB',
      route: [{ mount: '/hello', app: 'hello' }],
    });
    assert.equal(server.urls.length, 2);
    const [first = '', second = ''] = server.urls;
    assert.match(await textOf(`${first}/x`), /^\/x \d+$/);
    assert.equal(await textOf(`${second}/hello/y`), 'hello /y');
    assert.equal((await fetch(first, { method: 'POST', body: 'x'.repeat(2000) })).status, 413);
  });

  it('speaks https on its port when it has a certificate', { skip: NO_OPENSSL }, async (t) => {
    const directory = temporaryDirectory(t);
    const authority = new Authority(directory);
    const tls = authority.issue('a', 'ec', ['localhost']);
    await using server = await serve({ fetch: () => new Response('secret'), host: 'localhost', port: 0, tls });
    assert.match(server.url, /^https:\/\/localhost:\d+$/);
    const ca = readFileSync(authority.certificate);
    const [answer] = await once(request(server.url, { ca, agent: false }).end(), 'response');
    assert.equal(await text(answer), 'secret');
  });

  const refused: readonly [options: object, message: RegExp][] = [
    [{}, /^Cannot serve: fetch, python or application is missing$/],
    [{ fetch: undefined, port: 0 }, /is missing$/],
    [{ fetch: () => new Response(), python: '.' }, /^Cannot serve fetch and python: only one of them can answer$/],
    [{ application: hello, python: '.' }, /^Cannot serve python and application/],
    [{ application: hello, port: -1 }, /^Cannot listen on port -1: it must be a whole number from 0 to 65535$/],
    [{ application: hello, port: '8000x' }, /^Cannot listen on port "8000x"/],
    [{ application: hello, port: 65536 }, /^Cannot listen on port 65536/],
    [{ application: hello, host: '' }, /^Cannot listen on host "": it is not a name or an address$/],
    [{ application: hello, host: 'a/b' }, /^Cannot listen on host "a\/b"/],
    [{ application: hello, host: '::1', listen: '8000' }, /^Cannot use host or port beside listen/],
  ];
  for (const [options, message] of refused) {
    it(`says what is wrong with ${JSON.stringify(options)} and what to do`, async () => {
      await assert.rejects(serve(options as ServeOptions), { code: 'USAGE', message });
    });
  }

  it('says which option is unknown as createServer does', async () => {
    await assert.rejects(serve({ application: hello, port: 0, headerTimeOutMs: 1 } as ServeOptions), {
      code: 'SETTINGS',
      message: 'Cannot use setting "headerTimeOutMs": there is no such setting; did you mean headerTimeoutMs?',
    });
  });
});

describe('serve and signals', { concurrency: 4 }, () => {
  it('leaves them to the program by default', async () => {
    const counts = () => ['SIGINT', 'SIGTERM', 'SIGHUP', 'exit'].map((name) => process.listenerCount(name));
    const before = counts();
    await using server = await serve({ application: hello, port: 0 });
    assert.equal(await textOf(`${server.url}/x`), 'hello /x');
    assert.deepEqual(counts(), before);
  });

  it('leaves them to the program again when it has stopped', async () => {
    const counts = () => ['SIGINT', 'SIGTERM'].map((name) => process.listenerCount(name));
    const before = counts();
    const server = await serve({ application: hello, port: 0, handleSignals: true });
    assert.deepEqual(
      counts(),
      before.map((count) => count + 1),
    );
    await server.stop();
    assert.deepEqual(counts(), before);
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`finishes what runs after ${signal}, and ends the process with code 0, whatever else would keep it`, async (t) => {
      const { child, url } = await program(t);
      const running = fetch(`${url}/slow`);
      await once(child.stderr as NodeJS.ReadableStream, 'data');
      child.kill(signal);
      if (signal === 'SIGINT') child.kill(signal); // as npm passes Ctrl-C on
      assert.equal(await (await running).text(), 'slow');
      assert.deepEqual(await exited(child), [0, null]);
    });
  }

  it('ends the process at once after a second signal', async (t) => {
    const { child, url } = await program(t);
    const running = fetch(`${url}/never`).catch(() => 'cut');
    await once(child.stderr as NodeJS.ReadableStream, 'data');
    child.kill('SIGINT');
    await once(child.stderr as NodeJS.ReadableStream, 'data');
    child.kill('SIGTERM');
    assert.deepEqual(await exited(child), [143, null]);
    assert.equal(await running, 'cut');
  });
});

/** A program that serves until a signal. It writes to standard error when a request arrives, and when it gets SIGINT. */
async function program(t: TestContext): Promise<{ child: ChildProcess; url: string }> {
  const directory = makeProject(t, {
    'main.mjs': `import { serve } from '${import.meta.resolve('viaduct')}';
setInterval(() => {}, 1e6);
process.on('SIGINT', () => process.stderr.write('interrupted'));
const fetch = async (request) => {
  process.stderr.write('asked');
  const isSlow = new URL(request.url).pathname === '/slow';
  return new Promise((resolve) => isSlow && setTimeout(resolve, 300, new Response('slow')));
};
const server = await serve({ fetch, port: 0, handleSignals: true });
console.log(server.url);
`,
  });
  const child = spawn(process.execPath, [join(directory, 'main.mjs')], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  const [line] = await once(child.stdout, 'data');
  return { child, url: String(line).trim() };
}

async function exited(child: ChildProcess): Promise<[code: number | null, signal: string | null]> {
  if (child.exitCode !== null || child.signalCode !== null) return [child.exitCode, child.signalCode];
  return (await once(child, 'exit')) as [number | null, string | null];
}
