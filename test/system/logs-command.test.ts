import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { ServerStatus } from '../../src/server/status.ts';
import { callControl } from '../support/control-api.ts';
import { ask, Pipeline } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { BIN, startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const APP = `
def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path.endswith("/raise"):
        raise ValueError("on purpose")
    if path.endswith("/note"):
        environ["wsgi.errors"].write("noted\\n")
    if environ["PATH_INFO"] == "/long":
        environ["wsgi.errors"].write("é" * 5000 + "\\n")
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
`;

const CONFIG = `
control = "control.sock"
workers = 1
access_log = "combined"

[[route]]
name = "shop"
path = "/shop/*"
`;

function collect(child: ChildProcess): () => string {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (block: Buffer) => (output += block));
  return () => output;
}

interface Served {
  readonly server: Viaduct;
  readonly socket: string;
  readonly get: (path: string, id?: string) => Promise<unknown>;
  /** Starts `viaduct logs` with these words. */
  readonly start: (words: readonly string[]) => ChildProcess;
  /** Runs `viaduct logs` with these words to its end. */
  readonly run: (...words: string[]) => Promise<{ readonly code: number | null; readonly output: string }>;
  /** Starts `viaduct logs --follow` and waits until it follows. */
  readonly follow: (...words: string[]) => Promise<{ readonly child: ChildProcess; readonly lines: () => string[] }>;
}

async function serve(t: TestContext, config = '', flags: readonly string[] = []): Promise<Served> {
  const cwd = makeProject(t, { 'app.py': APP, 'viaduct.toml': config + CONFIG });
  const server = await startViaduct(t, ['app:application', ...flags], { cwd });
  const socket = join(cwd, 'control.sock');
  const start = (words: readonly string[]) =>
    spawn(process.execPath, [BIN, 'logs', '--control', socket, ...words], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  let follows = 0;
  return {
    server,
    socket,
    start,
    get: (path, id) => ask(server.port, path, { headers: id === undefined ? [] : [['X-Request-ID', id]] }),
    async run(...words) {
      const child = start(words);
      const output = collect(child);
      const [code] = (await once(child, 'close')) as [number | null];
      return { code, output: output() };
    },
    async follow(...words) {
      const child = start(['--follow', '--lines', '0', ...words]);
      t.after(() => void child.kill('SIGKILL'));
      const output = collect(child);
      follows += 1;
      const mark = `/shop/raise?mark${follows}`;
      await eventually('it follows', async () => {
        await ask(server.port, mark, { headers: [['X-Request-ID', 'wanted']] });
        return output().includes(words.includes('--json') ? `mark${follows}` : mark);
      });
      return {
        child,
        lines: () =>
          output()
            .split('\n')
            .filter((line) => !line.includes('mark')),
      };
    },
  };
}

describe('viaduct logs', { concurrency: 2 }, () => {
  it('follows both logs in any format, and ends with the server', async (t) => {
    const { server, get, follow } = await serve(t);
    const plain = await follow();
    const json = await follow('--json');
    await get('/here?a=1', 'id-1');
    await get('/note', 'id-2');
    await eventually('all are there', () =>
      [plain, json].every(({ lines }) => lines().join('\n').includes('/here') && lines().join('\n').includes('noted')),
    );
    assert.match(plain.lines().join('\n'), /^\d\d:\d\d:\d\d 200 GET \/here\?a=1 2 B [\d.]+ ms$/m);
    assert.match(plain.lines().join('\n'), /^\d\d:\d\d:\d\d noted worker=\d+ request=GET \/note request_id=id-2$/m);
    const entries = json
      .lines()
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
    const here = entries.find(({ path }) => path === '/here');
    assert.deepEqual([here.log, here.status, here.request_id, here.query], ['access', 200, 'id-1', 'a=1']);
    const note = entries.find(({ message }) => message === 'noted');
    assert.deepEqual([note.log, note.level, note.request_id], ['server', 'info', 'id-2']);
    const closed = once(plain.child, 'close');
    await server.stop();
    assert.deepEqual((await closed)[0], 0);
    assert.match(plain.lines().join('\n'), /The server has ended\./);
  });

  it('shows errors, one request or one route alone', async (t) => {
    const { get, follow } = await serve(t);
    const errors = await follow('--errors');
    const one = await follow('--request', 'wanted');
    const route = await follow('--route', 'shop');
    await get('/shop/quick', 'other');
    await get('/shop/note', 'wanted');
    await get('/quick', 'other');
    await get('/end/raise', 'other');
    await get('/shop/end', 'wanted');
    const paths = (lines: readonly string[]) => lines.flatMap((line) => /GET (\/[^ ]+) \d/.exec(line)?.[1] ?? []);
    await eventually(
      'all are there',
      () => paths(one.lines()).includes('/shop/end') && paths(errors.lines()).length > 0,
    );
    assert.deepEqual(paths(errors.lines()), ['/end/raise']);
    assert.deepEqual(paths(one.lines()), ['/shop/note', '/shop/end']);
    await eventually('all are there', () => paths(route.lines()).includes('/shop/end'));
    assert.deepEqual(paths(route.lines()), ['/shop/quick', '/shop/note', '/shop/end']);
    assert.match(one.lines().join('\n'), /noted .*request_id=wanted/);
    assert.match(errors.lines().join('\n'), /Traceback/);
  });

  it('shows answered requests by status, path and time alone', async (t) => {
    const { get, follow } = await serve(t);
    const failed = await follow('--status', '5xx', '--path', 'raise', '--min-ms', '0.000001');
    for (const path of ['/shop/quick', '/shop/note', '/raised/shop', '/end/raise', '/shop/raise?last']) await get(path);
    await eventually('all are there', () => failed.lines().join().includes('/shop/raise?last'));
    const paths = failed.lines().flatMap((line) => /GET (\/[^ ]+) \d/.exec(line)?.[1] ?? []);
    assert.deepEqual(paths, ['/end/raise', '/shop/raise?last']);
    assert.doesNotMatch(failed.lines().join(), /on purpose/, 'lines of the server have no status');
  });

  it('prints the last entries of the log, and the lines of files', async (t) => {
    const { get, run, server } = await serve(t);
    for (const id of ['a', 'b', 'c']) await get('/note', id);
    await eventually('they are logged', () => (server.output().match(/noted/g) ?? []).length === 3);
    const all = await run();
    assert.deepEqual(all.output.match(/request_id=\w/g), ['request_id=a', 'request_id=b', 'request_id=c']);
    assert.deepEqual((await run('-n', '1')).output.match(/request_id=\w/g), ['request_id=c']);
    assert.deepEqual((await run('--request', 'b')).output.match(/request_id=\w/g), ['request_id=b']);
    assert.deepEqual((await run('-n', '0')).output, '');
    const filed = await serve(t, 'access_log_file = "access.log"\nerror_log_file = "error.log"\n');
    for (const id of ['a', 'b']) await filed.get('/note', id);
    await eventually('they are there', async () => {
      const { value } = await callControl(filed.socket, 'GET', '/logs');
      return JSON.stringify(value).match(/GET \/note HTTP/g)?.length === 2;
    });
    const { output } = await filed.run();
    assert.match(output, /"GET \/note HTTP\/1\.1" 200/);
    assert.match(output, /noted .*request_id=b/);
  });

  it('says where lines are when it has none', async (t) => {
    const { run } = await serve(t);
    const { code, output } = await run('--path', '/nowhere');
    assert.equal(code, 0);
    assert.match(output, /^No such line is kept\. viaduct logs --follow prints/);
    assert.equal((await run('--path', '/nowhere', '--json')).output, '');
  });

  it('repeats no entry that comes while it starts to follow, wherever the last ones are kept', async (t) => {
    const places = [
      await serve(t),
      await serve(t, 'access_log_file = "access.log"\nerror_log_file = "error.log"\n', ['--access-log', 'json']),
    ];
    for (const { get, start } of places) {
      let sent = 0;
      let isOver = false;
      const sending = (async () => {
        for (; !isOver; sent += 1) await get('/long', `note-${sent}-end`);
      })();
      const children = Array.from({ length: 4 }, () => start(['--follow', '--json', '--lines', '1000']));
      t.after(() => children.forEach((child) => void child.kill('SIGKILL')));
      const outputs = children.map(collect);
      await eventually('all follow', () => outputs.every((output) => output().includes('"log":"access"')));
      const last = sent;
      await eventually('it has more', () => outputs.every((output) => output().includes(`note-${last + 20}-end`)));
      isOver = true;
      await sending;
      for (const output of outputs) {
        const lines = output().split('\n').slice(0, -1);
        const ids = lines.map((line) => JSON.parse(line)).map(({ log, request_id: id }) => `${log} ${id}`);
        assert.deepEqual(
          ids.filter((id, at) => id.includes('note-') && ids.indexOf(id) !== at),
          [],
        );
      }
    }
  });

  it('follows all of several server processes, also one that starts later', async (t) => {
    const { get, follow, run, socket } = await serve(t, '', ['--processes', '2', '--workers', '2']);
    const all = await follow('--json');
    for (let i = 0; i < 20; i += 1) await get(`/note?${i}`);
    const queries = () => new Set(all.lines().flatMap((line) => /"query":"(\d+)"/.exec(line)?.[1] ?? []));
    await eventually('all are there', () => queries().size === 20);
    assert.equal((await run('-n', '100')).output.match(/noted/g)?.length, 20);
    const { value } = await callControl(socket, 'GET', '/status');
    const { pid = 0 } = (value as ServerStatus).processes[1] ?? {};
    process.kill(pid, 'SIGKILL');
    await eventually('another one serves', async () => {
      const { processes } = (await callControl(socket, 'GET', '/status')).value as ServerStatus;
      return processes.length === 2 && processes.every((one) => one.pid !== pid && one.state === 'serving');
    });
    for (let i = 20; i < 40; i += 1) await get(`/note?${i}`);
    await eventually('all are there', () => queries().size === 40);
  });

  it('never makes the server wait: a follower that does not read loses lines, and receives their number', async (t) => {
    const { server, socket } = await serve(t);
    const follower = connect(socket);
    t.after(() => follower.destroy());
    follower.write('GET /logs/follow HTTP/1.1\r\nHost: a\r\n\r\n');
    let text = '';
    follower.setEncoding('utf8');
    const readSome = (block: string): void => {
      text += block;
    };
    follower.on('data', readSome);
    const pipeline = await Pipeline.open(server.port);
    t.after(() => pipeline.close());
    await eventually('it follows', async () => {
      await pipeline.get('/first');
      return text.includes('/first');
    });
    follower.pause();
    const query = 'x'.repeat(4000);
    for (let i = 0; i < 40; i += 1) {
      const answers = await pipeline.get(...Array.from({ length: 20 }, (_, n) => `/many?${i}-${n}-${query}`));
      assert.ok(answers.every(({ status }) => status === 200));
    }
    follower.resume();
    await eventually('it is told', () => /"message":"Lines were dropped:[^"]*","lines":\d+\}/.test(text));
    assert.ok((text.match(/\/many/g) ?? []).length > 20);
  });

  it('refuses what it does not know', async (t) => {
    const { run } = await serve(t);
    for (const [words, expected] of [
      [['-n', 'all'], /Cannot print the logs: The number of lines must be from 0 to 10000/],
      [['--lines'], /Cannot use --lines: it needs a value: a number of lines/],
      [['--status', '700'], /Cannot print the logs: The status must be a number such as 404, or a class such as 5xx/],
      [['--min-ms', 'x'], /Cannot print the logs: The value of min_ms must be a number of milliseconds/],
      [['--path'], /Cannot use --path: it needs a value: a part of a path/],
      [['reopen', '--errors'], /Write viaduct logs with --follow, --lines N/],
      [['again'], /Write viaduct logs with --follow, --lines N/],
    ] as const) {
      const { code, output } = await run(...words);
      assert.match(output, expected);
      assert.equal(code, 2);
    }
  });
});
