import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { codeBlocks, codeWords, readPage, sectionOf, tableRows } from '../support/pages.ts';
import { freePort } from '../support/peer.ts';
import { makeProject } from '../support/project.ts';
import { accepts, SocketClient } from '../support/socket-client.ts';
import { BIN, ROOT, startViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const PAGE = readPage('logging.md');
const ACCESS = sectionOf(PAGE, 'The access log');
const SERVER = sectionOf(PAGE, "The server's log");
const FIELDS: readonly (readonly [string, string])[] = [
  ['User-Agent', 'Mozilla/5.0'],
  ['Referer', 'https://shop.example.org/'],
];

const APP = `
import sys
def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/raise":
        raise ValueError("on purpose")
    if path == "/write":
        print("printed", flush=True)
        sys.stderr.write("to standard error\\n")
        environ["wsgi.errors"].write("to wsgi.errors\\n")
    start_response("200 OK", [("Content-Length", "5")])
    return [b"hello"]
`;

/** What differs from one request to the next, made equal. */
function shape(line: string): string {
  return line
    .replace(/^\d\d:\d\d:\d\d /, 'TIME ')
    .replace(/^[\d.]+ /, 'ADDRESS ')
    .replace(/\[.*? \+0000\]/, '[TIME]')
    .replace(/\b\d+ B [\d.]+ ms(?: \(queued .*\))?$/, 'N B N ms')
    .replace(/ 200 \d+ "/, ' 200 N "');
}

const exampleOf = (format: 'text' | 'combined') =>
  codeBlocks(ACCESS)
    .filter(({ language }) => language === 'text')
    [format === 'text' ? 0 : 2]?.text.trimEnd() ?? '';

async function serve(t: TestContext, format: string) {
  const cwd = makeProject(t, { 'app.py': APP, 'viaduct.toml': `access_log = "${format}"\n` });
  const server = await startViaduct(t, ['--workers', '1'], { cwd });
  const line = async (pattern: RegExp) => {
    await eventually(`${pattern} is there`, () => pattern.test(server.output()));
    return pattern.exec(server.output())?.[0] ?? '';
  };
  const parsed = async (pattern: RegExp) => JSON.parse(await line(pattern)) as Record<string, unknown>;
  return { server, cwd, line, parsed };
}

describe('the page about logs', { concurrency: 2 }, () => {
  it('has every field of the access log as JSON, in this order, and what of it comes from the request', async (t) => {
    const { server, parsed } = await serve(t, 'json');
    await ask(server.port, '/caf%C3%A9?page=2', { headers: FIELDS });
    const entry = await parsed(/^\{.*"path":.*$/m);
    const example = JSON.parse(
      codeBlocks(ACCESS).find(({ language }) => language === 'json')?.text ?? '',
    ) as typeof entry;
    const names = tableRows(ACCESS).map(([name = '']) => codeWords(name)[0]);
    assert.deepEqual(Object.keys(entry), names);
    assert.deepEqual(Object.keys(example), names);
    for (const name of ['method', 'path', 'query', 'status', 'user_agent', 'referer'])
      assert.equal(entry[name], example[name], name);
    for (const [name = '', value = ''] of tableRows(ACCESS))
      assert.deepEqual(JSON.parse(codeWords(value)[0] ?? ''), example[codeWords(name)[0] ?? ''], name);
  });

  it('has the other formats as they are, and changes them by a reload', async (t) => {
    const { server, cwd, line } = await serve(t, 'text');
    await ask(server.port, '/caf%C3%A9?page=2', { headers: FIELDS });
    assert.equal(shape(await line(/^.* \/caf.* ms\)?$/m)), shape(exampleOf('text')));
    writeFileSync(join(cwd, 'viaduct.toml'), 'access_log = "combined"\n');
    process.kill(server.pid, 'SIGHUP');
    const [info] = /^\d\d:\d\d:\d\d Reloaded in \d+ ms$/m.exec(await line(/^.*Reloaded in .*$/m)) ?? [];
    assert.ok(info, 'the format of the log of the server stays');
    await ask(server.port, '/caf%C3%A9?page=2', { headers: FIELDS });
    assert.equal(shape(await line(/^.*"GET \/caf.*HTTP.*$/m)), shape(exampleOf('combined')));
  });

  it("has the fields of the server's log, and where an application's output goes", async (t) => {
    const { server, parsed, line } = await serve(t, 'json');
    await ask(server.port, '/raise');
    const named = new Set(tableRows(SERVER).flatMap(([names = '']) => codeWords(names)));
    const error = await parsed(/^\{.*"level":"error".*$/m);
    assert.deepEqual(Object.keys(error), ['time', 'level', 'message', 'worker', 'request', 'request_id']);
    for (const name of Object.keys(error)) assert.ok(named.has(name), name);
    assert.match(String(error.message), /^Traceback [\s\S]*ValueError: on purpose$/);
    assert.equal(error.request, 'GET /raise');
    await ask(server.port, '/write');
    const written = await parsed(/^\{.*to wsgi\.errors.*$/m);
    assert.deepEqual([written.level, typeof written.worker, written.message], ['info', 'number', 'to wsgi.errors']);
    await line(/^printed$/m);
    await line(/^to standard error$/m);
    assert.match(server.output(), /^ {2}application /m, 'the lines at the start are no JSON');
  });

  it('has the lines of refused requests and connections as they are', async (t) => {
    const cwd = makeProject(t, { 'app.py': APP, 'viaduct.toml': 'access_log = "json"\ntrusted_proxies = []\n' });
    const server = await startViaduct(t, ['--workers', '1'], { cwd });
    const client = await SocketClient.open(server.port);
    client.send('GET /refused HTTP/1.1\r\n\r\n');
    assert.equal(await client.untilClosed(), 400);
    await eventually('both logs have it', () =>
      /was refused[\s\S]*"duration_ms"|"duration_ms"[\s\S]*was refused/.test(server.output()),
    );
    const [line = ''] = /^\{.*was refused.*$/m.exec(server.output()) ?? [];
    const [example = '{}'] = (codeBlocks(sectionOf(PAGE, 'Refused requests and connections'))[0]?.text ?? '').split(
      '\n',
    );
    const vary = { time: '', remote_address: '' };
    assert.deepEqual({ ...JSON.parse(line), ...vary }, { ...JSON.parse(example), ...vary });
    assert.deepEqual(Object.keys(JSON.parse(line)), Object.keys(JSON.parse(example)));
    const [access = ''] = /^\{.*"duration_ms".*$/m.exec(server.output()) ?? [];
    const { time, remote_address, ...others } = JSON.parse(access);
    assert.deepEqual(
      [remote_address, others.method, others.path, others.status, others.body_bytes],
      ['127.0.0.1', '', '', 400, 0],
    );
  });

  it('names messages that there are', () => {
    const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(ROOT, 'src', name), 'utf8'))
      .join('\n');
    const messages = tableRows(SERVER.slice(SERVER.indexOf('Messages worth'))).flatMap(([text = '']) =>
      codeWords(text),
    );
    assert.ok(messages.length >= 8);
    for (const part of messages.filter((text) => text !== 'Traceback').flatMap((text) => text.split('…')))
      assert.ok(sources.includes(part.trim()), part);
  });

  it('has an example in the format of the log as text', () => {
    const [, example = ''] = codeBlocks(SERVER).map(({ text }) => text);
    for (const text of example.trimEnd().split('\n')) assert.match(text, /^\d\d:\d\d:\d\d (error: )?\S/);
  });
});

/** Starts a web server without Python whose outputs are what `stdio` says. */
function startWeb(
  t: TestContext,
  cwd: string,
  port: number,
  stdio: [number, number],
  more: readonly string[] = [],
): ChildProcess {
  const args = [BIN, 'web', '--static', '/=files', '--listen', `127.0.0.1:${port}`, '--access-log', 'json', ...more];
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', ...stdio] });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

/** Only root may mount a file system. */
const NO_TMPFS = process.getuid?.() === 0 && process.platform === 'linux' ? false : 'only root may mount';

describe('output to a file', { concurrency: 2 }, () => {
  it('goes on at the beginning of a file that was copied and truncated', async (t) => {
    const cwd = makeProject(t, { 'files/a.txt': 'a' });
    const port = await freePort();
    const log = join(cwd, 'access.log');
    const outputs: [number, number] = [openSync(log, 'a'), openSync(join(cwd, 'error.log'), 'a')];
    const child = startWeb(t, cwd, port, outputs);
    for (const fd of outputs) closeSync(fd);
    await eventually('it listens', () => accepts(port));
    await ask(port, '/first');
    await eventually('the line is there', () => readFileSync(log, 'utf8').includes('/first'));
    copyFileSync(log, `${log}.1`);
    truncateSync(log);
    await ask(port, '/second');
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
    assert.match(readFileSync(log, 'utf8'), /^\{.*"\/second".*\}\n$/);
    assert.match(readFileSync(`${log}.1`, 'utf8'), /^\{.*"\/first".*\}\n$/);
  });

  const skip = existsSync('/dev/full') ? false : 'there is no /dev/full';
  for (const processes of ['1', '2']) {
    it(`does not end the server when the disk is full, with ${processes} server processes`, { skip }, async (t) => {
      const cwd = makeProject(t, { 'files/a.txt': 'a' });
      const port = await freePort();
      const log = join(cwd, 'error.log');
      const outputs: [number, number] = [openSync('/dev/full', 'a'), openSync(log, 'a')];
      const child = startWeb(t, cwd, port, outputs, ['--processes', processes]);
      for (const fd of outputs) closeSync(fd);
      await eventually('it serves', () => / serves /.test(readFileSync(log, 'utf8')));
      for (let count = 0; count < 20; count += 1) assert.equal((await ask(port, '/a.txt')).status, 200);
      await eventually('the other log has it', () =>
        /Cannot write the access log.*ENOSPC/.test(readFileSync(log, 'utf8')),
      );
      assert.equal((await ask(port, '/a.txt')).status, 200);
      child.kill('SIGTERM');
      assert.deepEqual(await once(child, 'exit'), [0, null]);
    });
  }

  it('does not end the server when both outputs are full', { skip }, async (t) => {
    const cwd = makeProject(t, { 'files/a.txt': 'a' });
    const port = await freePort();
    const full = openSync('/dev/full', 'a');
    const child = startWeb(t, cwd, port, [full, full]);
    closeSync(full);
    await eventually('it listens', () => accepts(port));
    for (let count = 0; count < 20; count += 1) assert.equal((await ask(port, '/a.txt')).status, 200);
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });

  it('goes on in a new line when there is space again, and reports what was lost', { skip: NO_TMPFS }, async (t) => {
    const cwd = makeProject(t, { 'files/a.txt': 'a' });
    const disk = smallDisk(t, cwd);
    const port = await freePort();
    const log = join(disk, 'access.log');
    const outputs: [number, number] = [openSync(log, 'a'), openSync(join(cwd, 'error.log'), 'a')];
    const child = startWeb(t, cwd, port, outputs);
    for (const fd of outputs) closeSync(fd);
    await eventually('it listens', () => accepts(port));
    const errors = () => readFileSync(join(cwd, 'error.log'), 'utf8');
    await eventually('the disk is full', async () => {
      await Promise.all(Array.from({ length: 20 }, (_, index) => ask(port, `/${'x'.repeat(index * 50)}`)));
      return /Cannot write the access log.*ENOSPC/.test(errors());
    });
    truncateSync(log);
    await eventually('the loss is reported', async () => {
      await ask(port, '/a.txt');
      return /Access log lines were lost: ENOSPC.*"lines":\d+/.test(errors());
    });
    const lines = readFileSync(log, 'utf8').trim().split('\n');
    spawnSync('umount', ['-l', disk]);
    for (const line of lines) JSON.parse(line);
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });

  it('does not end the server when the file may not grow any more', {
    skip: process.platform !== 'linux',
  }, async (t) => {
    const cwd = makeProject(t, { 'files/a.txt': 'a' });
    const port = await freePort();
    const args = [BIN, 'web', '--static', '/=files', '--listen', `127.0.0.1:${port}`, '--access-log', 'json'];
    const command = 'ulimit -f 4; exec "$0" "$@" >access.log 2>error.log';
    const child = spawn('sh', ['-c', command, process.execPath, ...args], { cwd, stdio: 'ignore' });
    t.after(() => child.kill('SIGKILL'));
    await eventually('it listens', () => accepts(port));
    await eventually('the limit is reached', async () => {
      await ask(port, `/${'x'.repeat(500)}`);
      return /Cannot write the access log.*EFBIG/.test(readFileSync(join(cwd, 'error.log'), 'utf8'));
    });
    assert.equal((await ask(port, '/a.txt')).status, 200);
    child.kill('SIGTERM');
    assert.deepEqual(await once(child, 'exit'), [0, null]);
  });

  it('is an error of a command that only prints', { skip }, async () => {
    const full = openSync('/dev/full', 'a');
    const child = spawn(process.execPath, [BIN, '--help'], { stdio: ['ignore', full, 'pipe'] });
    closeSync(full);
    let errors = '';
    child.stderr?.on('data', (block: Buffer) => (errors += block.toString()));
    assert.deepEqual(await once(child, 'close'), [1, null]);
    assert.match(errors, /^viaduct: Cannot write the output: ENOSPC/);
  });
});

/** A file system of 64 KiB in `cwd`. */
function smallDisk(t: TestContext, cwd: string): string {
  const disk = join(cwd, 'disk');
  mkdirSync(disk);
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk], { encoding: 'utf8' });
  if (status !== 0) t.skip(`no file system can be mounted: ${stderr}`);
  else t.after(() => spawnSync('umount', ['-l', disk]));
  return disk;
}
