import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { eachTestLifetime } from '../support/lifetime.ts';
import { makeProject } from '../support/project.ts';
import { bodyOf, load, serveTrials, TRIAL_APP, type TrialSite } from '../support/trial-site.ts';
import { runViaduct, startViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

describe('a new release that is watched', { concurrency: 2 }, () => {
  const WATCH = 'watch_ms = "2s"\nrequests_min = 20\n';
  const onTrial = async (site: TrialSite): Promise<boolean> =>
    (await site.status()).processes.every(({ applications }) => applications.every(({ trial }) => trial !== null));

  it('stays when it does as well as the old one, and no request fails or runs twice', async (t) => {
    const site = await serveTrials(t, `${WATCH}latency_ratio_max = 1000\n`); // the machine may be busy
    let isOver = false;
    const loading = load(site, () => isOver);
    site.write('two');
    const { error } = await site.reload();
    isOver = true;
    await loading;
    assert.equal(error, null);
    assert.match(site.server.output(), /The new release takes the requests of all clients, and is watched for 2 s/);
    assert.match(
      site.server.output(),
      /The new release stays: \d+ requests, 0\.0 % failed \(0\.0 % before\), p50 .* before\), p95 /,
    );
    assert.equal(await bodyOf(site), 'two');
    assert.equal(await onTrial(site), false);
  });

  it('leaves the requests to the old one when it is slow, and no request fails or runs twice', async (t) => {
    const site = await serveTrials(t, WATCH);
    let isOver = false;
    const loading = load(site, () => isOver);
    site.write('slow');
    const { code, output } = await runViaduct(site.project, 'reload');
    assert.equal(await bodyOf(site), 'one');
    isOver = true;
    await loading;
    assert.equal(code, 1, output);
    assert.match(
      output,
      /Cannot use the new release: p\d+ of its \d+ requests is \d+ ms \(\S+ ms before\); the old one takes over again/,
    );
    assert.match(
      (await runViaduct(site.project, 'status')).output,
      /The last reload failed .* ago, .*: Cannot use the new release/,
    );
  });

  it('leaves them to the old one when they fail, with the configuration of the old one', async (t) => {
    const site = await serveTrials(t, WATCH);
    site.write('failing');
    const settings = readFileSync(join(site.project, 'viaduct.toml'), 'utf8');
    writeFileSync(join(site.project, 'viaduct.toml'), `${settings}[headers.set]\nX-Site = "new"\n`);
    const reloading = site.reload();
    await eventually('the new release has clients', async () => (await ask(site.server.port, '/')).status === 500);
    assert.equal((await ask(site.server.port, '/')).header('x-site'), 'new');
    const answers: number[] = [];
    while (answers.at(-1) !== 200 && answers.length < 1000) answers.push((await ask(site.server.port, '/')).status);
    assert.match(
      `${(await reloading).error}`,
      /Cannot use the new release: 100\.0 % of its \d+ requests failed \((?:0\.0 %|only \d+ requests) before\)/,
    );
    assert.equal((await ask(site.server.port, '/')).header('x-site'), null);
    site.write('two');
    writeFileSync(join(site.project, 'viaduct.toml'), settings);
    assert.equal((await site.reload()).error, null);
  });

  it('is watched although an application is new, and leaves the requests to the old one when they fail', async (t) => {
    const site = await serveTrials(t, WATCH);
    site.write('failing');
    const settings = readFileSync(join(site.project, 'viaduct.toml'), 'utf8');
    const other = '[apps.other]\ntarget = "app:application"\n[[route]]\npath = "/other/*"\napp = "other"\n';
    writeFileSync(join(site.project, 'viaduct.toml'), `${settings}${other}`);
    let isOver = false;
    const reloading = site.reload().finally(() => {
      isOver = true;
    });
    while (!isOver) await ask(site.server.port, '/');
    assert.match(`${(await reloading).error}`, /Cannot use the new release: 100\.0 % of its \d+ requests failed/);
    assert.equal(await bodyOf(site), 'one');
    assert.equal(await bodyOf(site, '/other/'), 'one', 'the old site does not have the other application');
  });

  it('leaves them to the old one when its workers keep dying', async (t) => {
    const site = await serveTrials(t, WATCH.replace('2s', '1min'));
    site.write('dying');
    const reloading = site.reload();
    await eventually('the new release is on trial', () => onTrial(site));
    writeFileSync(join(site.project, 'die'), '');
    assert.match(`${(await reloading).error}`, /Cannot use the new release: \d of its workers died/);
    assert.equal(await bodyOf(site), 'one');
  });

  it('gets a share of the clients, and always the same ones', async (t) => {
    const site = await serveTrials(t, `${WATCH.replace('2s', '1min')}share = 0.5\n`);
    site.write('two');
    const reloading = site.reload();
    await eventually('the new release is on trial', () => onTrial(site));
    const clients = Array.from({ length: 24 }, (_, i) => `127.0.${i % 3}.${i + 1}`);
    const versions = await Promise.all(clients.map((client) => bodyOf(site, '/', client)));
    assert.deepEqual([...new Set(versions)].sort(), ['one', 'two']);
    for (let i = 0; i < 3; i += 1)
      assert.deepEqual(await Promise.all(clients.map((client) => bodyOf(site, '/', client))), versions);
    site.write('three');
    process.kill(site.server.pid, 'SIGHUP'); // a second reload goes back to the old release first
    await eventually('the first one is over', () => /a later reload replaces this one/.test(site.server.output()));
    await eventually('the third release has clients', async () => {
      const now = await Promise.all(clients.map((client) => bodyOf(site, '/', client)));
      return now.includes('three') && now.includes('one') && !now.includes('two');
    });
    await site.server.stop();
    assert.deepEqual(await site.server.exited, { code: 0, signal: null });
    await reloading;
  });

  it('gets the same share of the clients over HTTP/2, on connections that were open before', async (t) => {
    const site = await serveTrials(t, `${WATCH.replace('2s', '1min')}share = 0.5\n`);
    const addresses = Array.from({ length: 24 }, (_, i) => `127.0.${i % 3}.${i + 1}`);
    const clients = addresses.map((localAddress) => {
      const createConnection = () => connect({ port: site.server.port, host: '127.0.0.1', localAddress });
      const session = connectHttp2(site.server.url, { createConnection });
      t.after(() => session.destroy());
      return async (): Promise<string> => {
        const stream = session.request({ ':path': '/' }).setEncoding('utf8');
        let body = '';
        for await (const block of stream) body += block;
        return body;
      };
    });
    const answers = () => Promise.all(clients.map((client) => client()));
    assert.deepEqual([...new Set(await answers())], ['one']);
    site.write('two');
    const reloading = site.reload();
    await eventually('the new release is on trial', () => onTrial(site));
    await eventually('it has clients', async () => (await answers()).includes('two'));
    const versions = await answers();
    assert.deepEqual([...new Set(versions)].sort(), ['one', 'two']);
    for (let i = 0; i < 3; i += 1) assert.deepEqual(await answers(), versions);
    const others = await Promise.all(addresses.map((address) => bodyOf(site, '/', address)));
    assert.deepEqual(others, versions, 'a client is the same over HTTP/1.1');
    await site.server.stop();
    await reloading;
  });

  it('is stopped with the old one, and no request is lost', async (t) => {
    const site = await serveTrials(t, WATCH.replace('2s', '1min'));
    site.write('two');
    const reloading = site.reload();
    await eventually('the new release has clients', async () => (await bodyOf(site)) === 'two');
    const slow = ask(site.server.port, '/run/last/500');
    await eventually('the request runs', () => site.marks().some((line) => line.startsWith('start last')));
    await site.server.stop();
    assert.equal((await slow).status, 200);
    assert.deepEqual(await site.server.exited, { code: 0, signal: null });
    assert.match(`${(await reloading).error}`, /the server is stopping/);
  });
});

describe('a new release in several server processes', { concurrency: 2 }, () => {
  const start = (t: TestContext, settings: string) => serveTrials(t, settings, 'one', '--processes', '2');
  const versions = async (site: TrialSite): Promise<string[]> =>
    [...new Set(await Promise.all(Array.from({ length: 16 }, () => bodyOf(site))))].sort();

  it('leaves the requests to the old one in all of them, when it fails in one', async (t) => {
    const site = await start(t, 'watch_ms = "1min"\nrequests_min = 10\n');
    site.write('failing');
    const reloading = site.reload();
    let isOver = false;
    void reloading.finally(() => {
      isOver = true;
    });
    while (!isOver) await bodyOf(site);
    assert.match(`${(await reloading).error}`, /Cannot use the new release: \d+\.\d % of its/);
    assert.deepEqual(await versions(site), ['one']);
  });

  it('gets the clients of the old one in a process in which that has died, while the others go on with the watch', async (t) => {
    const site = await start(t, 'watch_ms = "1min"\nshare = 0.001\n');
    site.write('two');
    const reloading = site.reload();
    await eventually('the new release is on trial', async () =>
      (await site.status()).processes.every(({ applications }) => applications.every(({ trial }) => trial !== null)),
    );
    const [{ workers } = { workers: [] }] = (await site.status()).processes[0]?.applications ?? [];
    const old = Math.min(...workers.map(({ pid }) => pid));
    process.kill(Number(/\) . (\d+)/.exec(readFileSync(`/proc/${old}/stat`, 'latin1'))?.[1]), 'SIGKILL');
    await eventually('it has died', () => site.server.output().includes('the new release takes its place'));
    await eventually('the new one answers in its place', async () => (await versions(site)).includes('two'));
    await site.server.stop();
    await reloading;
  });
});

describe('a file that starts a reload', () => {
  const eachTest = eachTestLifetime();

  it('is waited for, and is followed like everything else when the working directory is a link that is switched', async () => {
    const project = makeProject(eachTest, {});
    const release = (number: number): void => {
      for (const [path, text] of Object.entries({
        'app.py': TRIAL_APP,
        version: `release ${number}`,
        'viaduct.toml': `access_log = "off"\ncontrol = "${project}/control.sock"\n[reload]\ntouch = "tmp/restart.txt"\n[static]\n"/static/" = "files"\n`,
        'files/page.txt': `static ${number}`,
      })) {
        mkdirSync(join(project, 'releases', `${number}`, dirname(path)), { recursive: true });
        writeFileSync(join(project, 'releases', `${number}`, path), text);
      }
    };
    const link = (number: number): void => {
      symlinkSync(`releases/${number}`, join(project, 'new'));
      renameSync(join(project, 'new'), join(project, 'current'));
    };
    release(1);
    release(2);
    link(1);
    const current = join(project, 'current');
    const server = await startViaduct(eachTest, ['serve', '--workers', '1'], { cwd: current, env: { PWD: current } });
    const answers = async (): Promise<string[]> =>
      Promise.all(['/', '/static/page.txt'].map(async (path) => (await ask(server.port, path)).body));
    assert.deepEqual(await answers(), ['release 1', 'static 1']);
    link(2);
    rmSync(join(project, 'releases/1'), { recursive: true });
    assert.equal((await answers())[0], 'release 1');
    mkdirSync(join(current, 'tmp'));
    writeFileSync(join(current, 'tmp/restart.txt'), '');
    await eventually('the touch reloads', async () => (await answers()).join() === 'release 2,static 2');
    assert.match(server.output(), /Reloading, because \S+\/current\/tmp\/restart\.txt was touched/);
    await eventually('the reload is over', () => /Reloaded in/.test(server.output()));
    utimesSync(join(current, 'tmp/restart.txt'), new Date(), new Date(Date.now() + 5000));
    await eventually('the next touch reloads, too', () => (server.output().match(/Reloaded in/g) ?? []).length === 2);
  });
});
