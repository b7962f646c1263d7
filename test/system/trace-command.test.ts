import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Har } from '../../src/trace/har.ts';
import { USUAL_DETAILS } from '../../src/trace/trace.ts';
import { serveTraced } from '../support/serve-traced.ts';
import { BIN, ROOT, runViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

describe('viaduct trace', () => {
  it('sends the request as it was typed, and prints its way', async (t) => {
    const { url, socket, directory, environs, traces } = await serveTraced(t);
    const { code, output } = await runViaduct(
      directory,
      ...['trace', `${url}/shop/?page=2`, '--control', socket, '-X', 'PUT', '-H', 'X-Own: a b', '-d', 'a=1'],
    );
    assert.equal(code, 0, output);
    const [environ] = environs as [Record<string, unknown>];
    assert.deepEqual(
      [environ.REQUEST_METHOD, environ.PATH_INFO, environ.QUERY_STRING, environ.HTTP_X_OWN, environ.CONTENT_LENGTH],
      ['PUT', '/shop/', 'page=2', 'a b', '3'],
    );
    assert.match(output, /^PUT \/shop\/\?page=2 200 42\.0 ms\n/);
    assert.match(output, /route shop, application main, worker 4711/);
    assert.match(output, /^ {2}Python +37\.5 ms +89 % +█+$/m);
    assert.match(output, /└ view shop\.views\.books$/m);
    assert.match(output, /├ 12× query SELECT shop_author$/m);
    assert.match(output, /^ {2}response +middleware SessionMiddleware +\+ Vary: Cookie$/m);
    assert.match(output, /N\+1: 12 times, .* at shop\/views\.py:31$/m);
    assert.ok(!output.includes('\x1b'));
    assert.deepEqual(traces.tokenDetails, [{ ...USUAL_DETAILS, profile: false }]);
  });

  it('takes a path alone, asks for a profile, and prints JSON', async (t) => {
    const { socket, directory, traces } = await serveTraced(t);
    const { code, output } = await runViaduct(directory, 'trace', '/shop/', '--control', socket, '--profile', '--json');
    assert.equal(code, 0, output);
    assert.equal(JSON.parse(output).request.target, '/shop/');
    assert.deepEqual(traces.tokenDetails, [{ ...USUAL_DETAILS, profile: true }]);
  });

  it('finds its own trace among others of the same path', async (t) => {
    const { socket, directory, traces } = await serveTraced(t);
    for (const expected of ['traced-1', 'traced-2', 'traced-3']) {
      const { output } = await runViaduct(directory, 'trace', '/shop/', '--control', socket, '--json');
      assert.equal(JSON.parse(output).id, expected);
    }
    assert.equal(traces.usage.traces, 3);
  });

  it('writes an archive and a page that can be attached to a report', async (t) => {
    const { socket, directory } = await serveTraced(t);
    const files = ['--har', 'trace.har', '--html', 'trace.html'];
    const { code, output } = await runViaduct(directory, 'trace', '/shop/', '--control', socket, ...files);
    assert.equal(code, 0, output);
    const har = JSON.parse(readFileSync(join(directory, 'trace.har'), 'utf8')) as Har;
    assert.equal(har.log.entries[0]?.request.method, 'GET');
    const page = readFileSync(join(directory, 'trace.html'), 'utf8');
    assert.match(page, /<script type="application\/json" id="viaduct-trace">\{"id":"traced-1"/);
    const failed = await runViaduct(directory, 'trace', '/shop/', '--control', socket, '--har', 'no/such/file');
    assert.match(failed.output, /Cannot write "no\/such\/file"/);
  });

  it('says when another server answers there', async (t) => {
    const { socket, directory } = await serveTraced(t);
    const other = createServer((_, response) => response.writeHead(203, { Server: 'nginx/1' }).end('x'));
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    t.after(() => other.close());
    const target = `http://127.0.0.1:${(other.address() as AddressInfo).port}/x`;
    const { code, output } = await runViaduct(directory, 'trace', target, '--control', socket);
    assert.equal(code, 1);
    assert.match(
      output,
      /was answered with 203 by a server that calls itself "nginx\/1", and this server recorded nothing/,
    );
    assert.match(output, /Another server answers there, or the one in front removes the field Viaduct-Trace/);
  });

  it('says when no server runs, nothing answers, or the arguments are wrong', async (t) => {
    const { socket, directory } = await serveTraced(t);
    const nobody = await runViaduct(directory, 'trace', '/', '--control', join(directory, 'none.sock'));
    assert.deepEqual(
      [nobody.code === 0, /Cannot reach the server at/.test(nobody.output)],
      [false, true],
      nobody.output,
    );
    const closed = await runViaduct(directory, 'trace', 'http://127.0.0.1:1/', '--control', socket);
    assert.match(closed.output, /Cannot trace http:\/\/127\.0\.0\.1:1\/: .*ECONNREFUSED/);
    for (const words of [[], ['a', 'b'], ['ftp://x/'], ['/', '-H', 'no colon'], ['/', '--nonsense'], ['http://']]) {
      const { code, output } = await runViaduct(directory, 'trace', ...words, '--control', socket);
      assert.equal(code, 2, `${words}: ${output}`);
      assert.match(output, /Write viaduct trace URL/);
    }
    const bad = await runViaduct(directory, 'trace', '/', '-X', 'B A D', '--control', socket);
    assert.match(bad.output, /Cannot trace .*: Method must be a valid HTTP token/);
  });
});

describe('viaduct top', () => {
  it('prints workers and requests once without a terminal', async (t) => {
    const { socket, directory, url } = await serveTraced(t);
    const held = fetch(`${url}/held`).catch(() => null);
    const { code, output } = await runViaduct(directory, 'top', '--control', socket);
    assert.equal(code, 0, output);
    assert.match(output, new RegExp(`^Viaduct \\S+ on ${url}, for `));
    assert.match(output, /requests are not counted: the setting admin is not set/);
    assert.match(output, /server +127\.0\.0\.1 +GET 127\.0\.0\.1:\d+\/held/);
    assert.ok(!output.includes('\x1b'));
    const json = await runViaduct(directory, 'top', '--json', '--control', socket);
    assert.equal(JSON.parse(json.output).requests[0].path, '/held');
    void held;
  });

  for (const [how, key] of [
    ['q', 'q'],
    ['Ctrl-C', '\x03'],
  ] as const)
    it(`shows them again and again on a terminal, and gives it back at ${how}`, async (t) => {
      const { socket, directory } = await serveTraced(t);
      const terminal = join(ROOT, 'test/support/terminal.py');
      const child = spawn('python3', [terminal, process.execPath, BIN, 'top', '--control', socket], {
        cwd: directory,
        env: { ...process.env, TERM: 'xterm', COLUMNS: '80' },
      });
      t.after(() => void child.kill('SIGKILL'));
      let shown = '';
      child.stdout.on('data', (block: Buffer) => (shown += block));
      await eventually('two pictures', () => shown.split('\x1b[H').length > 3);
      child.stdin.write(key);
      const [code] = (await once(child, 'close')) as [number];
      assert.equal(code, 0, shown);
      assert.ok(shown.includes('No request is running.'), 'also on a terminal that does not know its size');
      assert.ok(shown.startsWith('\x1b[?1049h\x1b[?25l'), JSON.stringify(shown.slice(0, 60)));
      assert.ok(shown.endsWith('\x1b[?25h\x1b[?1049l'), JSON.stringify(shown.slice(-60)));
    });

  it('ends when the server ends', async (t) => {
    const { socket, directory, stop } = await serveTraced(t);
    const terminal = join(ROOT, 'test/support/terminal.py');
    const child = spawn('python3', [terminal, process.execPath, BIN, 'top', '--control', socket], { cwd: directory });
    t.after(() => void child.kill('SIGKILL'));
    let shown = '';
    child.stdout.on('data', (block: Buffer) => (shown += block));
    await eventually('a picture', () => shown.includes('\x1b[H'));
    await stop();
    const [code] = (await once(child, 'close')) as [number];
    assert.deepEqual([code, /The server has ended\./.test(shown)], [0, true], shown);
  });
});
