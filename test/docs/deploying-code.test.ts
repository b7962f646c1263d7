import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readlinkSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { codeBlocks, readPage, sectionOf } from '../support/pages.ts';
import { freePort } from '../support/peer.ts';
import { makeProject } from '../support/project.ts';
import { BIN, startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const PAGE = readPage('deploying-code.md');
const SWITCH = codeBlocks(sectionOf(PAGE, 'The switch'));
const blockOf = (language: string) => SWITCH.find((block) => block.language === language)?.text ?? '';
const CONFIG = codeBlocks(PAGE).find(({ language }) => language === 'toml')?.text ?? '';

/** The page's application; below /dependency it answers with what its own environment has. */
const APP = blockOf('python').replace(
  'return [RELEASE.encode()]',
  'return [(RELEASE if environ["PATH_INFO"] == "/release" else __import__("dependency").NAME).encode()]',
);

/** The directory /srv/shop of the page, with releases 1 and 2 and a broken 3; release 1 serves. */
function makeHome(t: TestContext, port: number): string {
  const home = makeProject(t, { 'viaduct.toml': CONFIG, 'releases/.keep': '' });
  for (const release of ['1', '2', '3']) {
    const directory = join(home, 'releases', release);
    const made = spawnSync('python3', ['-m', 'venv', '--without-pip', join(directory, '.venv')], { encoding: 'utf8' });
    assert.equal(made.status, 0, made.stderr);
    mkdirSync(join(directory, 'static-collected'));
    writeFileSync(join(directory, 'static-collected', `site.${release.repeat(12)}.css`), `css ${release}`);
    writeFileSync(join(directory, 'app.py'), release === '3' ? 'raise RuntimeError("broken release")\n' : APP);
    const { stdout } = spawnSync(
      join(directory, '.venv/bin/python'),
      ['-c', 'import sysconfig; print(sysconfig.get_path("purelib"))'],
      { encoding: 'utf8' },
    );
    writeFileSync(join(stdout.trim(), 'dependency.py'), `NAME = "dependency ${release}"\n`);
  }
  for (const link of ['current', 'previous']) symlinkSync('releases/1', join(home, link));
  writeFileSync(join(home, 'deploy.sh'), blockOf('sh').replaceAll('/srv/shop', home).replace('8000', `${port}`));
  return home;
}

/** Runs deploy.sh, with `viaduct` as it is here, and a `systemctl` that sends what the unit's ExecReload sends. */
async function deploy(t: TestContext, home: string, pid: number, release: string) {
  const programs = makeProject(t, {});
  const script = (name: string, line: string) =>
    writeFileSync(join(programs, name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  script('viaduct', `exec "${process.execPath}" "${BIN}" "$@"`);
  script('systemctl', `[ "$*" = "reload viaduct" ] && kill -HUP ${pid}`);
  const env = { ...process.env, PATH: `${programs}:${process.env.PATH}` };
  const child = spawn('sh', [join(home, 'deploy.sh'), release], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (block: Buffer) => (output += block.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

/** Replaces a link as the script does. */
function link(home: string, name: string, target: string): void {
  symlinkSync(target, join(home, `${name}.new`));
  renameSync(join(home, `${name}.new`), join(home, name));
}

async function text(server: Viaduct, path: string): Promise<string> {
  return (await fetch(`${server.url}${path}`)).text();
}

const logs = (server: Viaduct, pattern: RegExp) => eventually(`${pattern}`, () => pattern.test(server.output()));

describe('a release of docs/deploying-code.md', { concurrency: 2 }, () => {
  it('is deployed without a failed request, goes back, and a broken one changes nothing', async (t) => {
    const port = await freePort();
    const home = makeHome(t, port);
    const server = await startViaduct(t, ['--workers', '1', '--access-log', 'off'], {
      cwd: home,
      listen: `127.0.0.1:${port}`,
    });
    const answers: string[] = [];
    let asking = true;
    const load = (async () => {
      while (asking) {
        const response = await fetch(`${server.url}/release`);
        answers.push(`${response.status} ${await response.text()}`);
      }
    })();
    assert.equal(await text(server, '/dependency'), 'dependency 1');

    const second = await deploy(t, home, server.pid, '2');
    assert.equal(second.code, 0, second.output);
    assert.deepEqual(
      [readlinkSync(join(home, 'current')), readlinkSync(join(home, 'previous'))],
      ['releases/2', 'releases/1'],
    );
    assert.equal(await text(server, '/dependency'), 'dependency 2');
    assert.equal(await text(server, '/static/site.222222222222.css'), 'css 2');
    assert.equal(
      await text(server, '/static/site.111111111111.css'),
      'css 1',
      'a page that is still open gets its file',
    );

    const back = await deploy(t, home, server.pid, '1');
    assert.equal(back.code, 0, back.output);
    assert.equal(await text(server, '/dependency'), 'dependency 1');

    const broken = await deploy(t, home, server.pid, '3');
    assert.equal(broken.code, 1);
    assert.match(broken.output, /RuntimeError: broken release/);
    assert.equal(readlinkSync(join(home, 'current')), 'releases/1');
    asking = false;
    await load;
    assert.deepEqual([...new Set(answers)].sort(), ['200 1', '200 2']);
    assert.deepEqual(
      answers.filter((answer, index) => answer !== answers[index - 1]),
      ['200 1', '200 2', '200 1'],
      'no old code comes between',
    );

    link(home, 'current', 'releases/3');
    process.kill(server.pid, 'SIGHUP');
    await logs(server, /Cannot reload[\s\S]*broken release/);
    assert.equal(await text(server, '/release'), '1');
    assert.equal(await text(server, '/static/site.333333333333.css'), 'css 3', 'static files follow the link at once');
  });

  for (const [how, names, expected] of [
    ['PWD names the link that is the working directory', (home: string) => ({ PWD: join(home, 'current') }), '2'],
    ['PWD is not set', () => ({ PWD: '' }), '1'],
    ['PWD names another directory', (home: string) => ({ PWD: home }), '1'],
  ] as const) {
    it(`is ${expected} after a reload when ${how}`, async (t) => {
      const home = makeHome(t, 0);
      const args = ['--workers', '1', '--access-log', 'off'];
      const server = await startViaduct(t, args, { cwd: join(home, 'current'), env: names(home) });
      link(home, 'current', 'releases/2');
      process.kill(server.pid, 'SIGHUP');
      await logs(server, /Reloaded in/);
      assert.equal(await text(server, '/release'), expected);
    });
  }

  it('is 2 after a reload when the link is named', async (t) => {
    const home = makeHome(t, 0);
    const args = ['--workers', '1', '--access-log', 'off', 'serve', join(home, 'current')];
    const server = await startViaduct(t, args, { cwd: home });
    link(home, 'current', 'releases/2');
    process.kill(server.pid, 'SIGHUP');
    await logs(server, /Reloaded in/);
    assert.equal(await text(server, '/release'), '2');
  });

  it('stays when the working directory is gone at a reload', async (t) => {
    const home = makeHome(t, 0);
    const args = ['--workers', '1', '--access-log', 'off'];
    const server = await startViaduct(t, args, {
      cwd: join(home, 'current'),
      env: { PWD: join(home, 'current') },
    });
    link(home, 'current', 'releases/none');
    process.kill(server.pid, 'SIGHUP');
    await logs(server, /Cannot reload.*Cannot use the working directory .*current/);
    assert.equal(await text(server, '/release'), '1');
  });
});
