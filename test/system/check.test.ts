import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { BIN } from '../support/viaduct.ts';

interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program in a new directory with these files. */
async function run(t: TestContext, files: Readonly<Record<string, string>>, ...args: string[]): Promise<Result> {
  const cwd = mkdtempSync(join(tmpdir(), 'viaduct-check-'));
  t.after(() => rmSync(cwd, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
  const child = spawn(process.execPath, [BIN, ...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (block: Buffer) => {
    stdout += block.toString();
  });
  child.stderr.on('data', (block: Buffer) => {
    stderr += block.toString();
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

const APP = 'def application(environ, start_response):\n    start_response("200 OK", [])\n    return [b"hello"]\n';

describe('viaduct check', { concurrency: 2 }, () => {
  it('prints what would be served and where each setting comes from, and exits with 0', async (t) => {
    const files = { 'app.py': APP, 'viaduct.toml': '# ours\nbody_bytes_max = "20MiB"\nstatic = ["/s/=assets"]\n' };
    const { code, stdout, stderr } = await run(t, files, 'check', '--threads', '2');
    assert.equal(code, 0, stderr);
    assert.match(stdout, /application +app:application/);
    assert.match(stdout, /python +3\.\d+/);
    assert.match(stdout, /setting +body_bytes_max = 20MiB \(viaduct\.toml:2\)/);
    assert.match(stdout, /setting +threads = 2 \(--threads\)/);
    assert.match(stdout, /static +.+assets is not a directory/);
    assert.match(stdout, /can be served/);
  });

  it('says what answers the requests that no route has, with an application and without one', async (t) => {
    const config = '[[route]]\npath = "/files/*"\nrespond = { status = 204 }\n';
    const without = await run(t, { 'viaduct.toml': config }, 'check');
    assert.match(without.stdout, /route +other requests → not found\n/, without.stderr);
    const web = await run(t, { 'viaduct.toml': config, 'app.py': APP }, 'check', '--no-application');
    assert.doesNotMatch(web.stdout, /other requests → application/);
    const withOne = await run(t, { 'viaduct.toml': config, 'app.py': APP }, 'check');
    assert.match(withOne.stdout, /route +other requests → application\n/);
  });

  it('shows the traceback and exits with 1 when the application does not import', async (t) => {
    const { code, stderr } = await run(t, { 'app.py': 'import nowhere_at_all\n' }, 'check', 'app:application');
    assert.equal(code, 1);
    assert.match(stderr, /ModuleNotFoundError: No module named 'nowhere_at_all'/);
  });

  it('refuses an address with TLS without a certificate as the server does', async (t) => {
    const files = { 'viaduct.toml': 'listen = "https://127.0.0.1:0"\n', 'app.py': APP };
    const [checked, served] = [await run(t, files, 'check'), await run(t, files)];
    assert.equal(checked.code, 1);
    assert.match(checked.stderr, /^viaduct: Cannot listen on "https:.*there is no certificate \(viaduct\.toml:1\)\n/);
    assert.ok(served.stderr.endsWith(checked.stderr), served.stderr);
    assert.equal((await run(t, files, 'check', '--tls-self-signed')).code, 0);
  });

  it('is suggested when its name is misspelt and no application has this name', async (t) => {
    const { code, stderr } = await run(t, { 'app.py': APP }, 'chekc');
    assert.equal(code, 1);
    assert.match(stderr, /"chekc"[\s\S]*"viaduct check"/);
  });

  it('prints every problem of the settings and exits with 2, with or without an application', async (t) => {
    const { code, stdout, stderr } = await run(t, { 'viaduct.toml': 'wrokers = 1\n' }, 'check', '--bind', '8000');
    assert.equal(code, 2);
    assert.equal(stdout, '');
    assert.match(stderr, /--listen/);
    assert.match(stderr, /viaduct\.toml:1/);
  });
});

describe('viaduct help and version', { concurrency: 2 }, () => {
  it('print the same for the command as for the flag, whatever the order of the arguments', async (t) => {
    const texts = await Promise.all(
      [['help'], ['--help'], ['-h'], ['check', '--help'], ['help', 'serve']].map((args) => run(t, {}, ...args)),
    );
    for (const { code, stdout, stderr } of texts) assert.deepEqual([code, stdout, stderr], [0, texts[0]?.stdout, '']);
    const versions = await Promise.all([['version'], ['--version'], ['-V']].map((args) => run(t, {}, ...args)));
    for (const { code, stdout } of versions) {
      assert.equal(code, 0);
      assert.match(stdout, /^viaduct \d+\.\d+\.\d+\n$/);
    }
  });

  it('need neither an application nor valid settings', async (t) => {
    const { code } = await run(t, { 'viaduct.toml': 'not TOML' }, 'help');
    assert.equal(code, 0);
  });
});
