import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { MetricFamily } from '../../src/metrics/family.ts';
import type { ProcessStatus } from '../../src/server/status.ts';
import { callControl } from '../support/control-api.ts';
import { ask } from '../support/http-client.ts';
import { djangoFiles, makeProject } from '../support/project.ts';
import { bodyOf, serveTrials, TRIAL_APP } from '../support/trial-site.ts';
import { NO_PACKAGES, PYTHON_WITH_PACKAGES, runViaduct, startViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

describe('a new release that must answer a probe', { concurrency: 2 }, () => {
  const PROBE = 'probe = "/healthz"\nprobe_timeout_ms = "500ms"\n';
  const bad: readonly (readonly [string, RegExp])[] = [
    ['hanging', /its probe http:\/\/localhost\/healthz was not answered completely within 500 ms/],
    ['raising', /was answered with 500 after \d+ ms: KeyError: 'SECRET'[\s\S]*Traceback[\s\S]*SECRET/],
    ['strict', /was answered with 400 after \d+ ms/],
    ['secure', /was answered with 301 after \d+ ms: it leads to https:\/\/shop\.example\/healthz/],
    ['breaking', /its probe \S+ failed: /],
  ];
  it('does not serve when the answer is wrong, and the old one continues', async (t) => {
    const site = await serveTrials(t, PROBE);
    for (const [version, reason] of bad) {
      site.write(version);
      const { error, traceback } = await site.reload();
      assert.match(`${error}\n${traceback}`, reason);
      assert.equal(await bodyOf(site), 'one');
    }
    const refused = /Cannot reload, the old configuration stays: Cannot use the new release/g;
    assert.equal(site.server.output().match(refused)?.length, bad.length);
    site.write('two');
    assert.equal((await site.reload()).error, null);
    assert.equal(await bodyOf(site), 'two');
  });

  it('counts its workers as finished and not as died, when it is given up', async (t) => {
    const site = await serveTrials(t, PROBE, 'one', '--admin', 'unix:admin.sock');
    site.write('strict');
    assert.match(`${(await site.reload()).error}`, /was answered with 400/);
    const exits = async () => {
      const { value } = await callControl(join(site.project, 'control.sock'), 'GET', '/metrics');
      const family = (value as readonly MetricFamily[]).find(({ name }) => name === 'viaduct_worker_exits');
      return Object.fromEntries((family?.samples ?? []).map(({ labels, value }) => [labels.outcome, value]));
    };
    await eventually('both workers have ended', async () => {
      const { finished = 0, died = 0 } = await exits();
      return finished + died === 2;
    });
    assert.deepEqual(await exits(), { finished: 2, died: 0 });
  });

  it('is not helped by the old one when its worker dies, although requests may run again', async (t) => {
    const site = await serveTrials(t, PROBE, 'one', '--retry-idempotent');
    site.write('exiting');
    assert.match(`${(await site.reload()).error}`, /its probe http:\/\/localhost\/healthz was answered with 503/);
    assert.equal(await bodyOf(site), 'one');
  });

  it('answers although every thread of the old one is busy and requests wait', async (t) => {
    const site = await serveTrials(t, PROBE);
    const busy = Array.from({ length: 8 }, (_, i) => ask(site.server.port, `/run/${i}/1500`));
    await eventually('the threads are busy', async () => {
      const { applications } = (await site.status()).processes[0] as ProcessStatus;
      return (applications[0]?.queue.waiting ?? 0) > 0;
    });
    site.write('two');
    const { error } = await site.reload();
    assert.equal(error, null);
    for (const { status } of await Promise.all(busy)) assert.equal(status, 200);
  });

  it('gets requests for the host and the scheme that the settings name', async (t) => {
    const site = await serveTrials(t, `${PROBE}probe_host = "shop.example"\nprobe_scheme = "https"\n`);
    site.write('strict secure');
    assert.equal((await site.reload()).error, null);
    assert.equal(await bodyOf(site), 'strict secure');
  });

  it('may answer with the status that the settings name', async (t) => {
    const site = await serveTrials(t, `${PROBE}probe_status = 301\n`, 'secure');
    site.write('two');
    assert.match(`${(await site.reload()).error}`, /was answered with 200 after/);
    assert.equal(await bodyOf(site), 'secure');
  });

  it('has to answer at the start, too, which fails otherwise', async (t) => {
    const project = makeProject(t, { 'app.py': TRIAL_APP, version: 'raising', 'viaduct.toml': `[reload]\n${PROBE}` });
    const { code, output } = await runViaduct(project, 'serve', '--listen', '127.0.0.1:0');
    assert.equal(code, 1);
    assert.match(
      output,
      /Cannot use the new release: its probe .* was answered with 500 after \d+ ms: KeyError: 'SECRET'/,
    );
  });

  it('is not asked when a server process takes the place of a dead one, because there is no other code', async (t) => {
    const site = await serveTrials(t, PROBE, 'one', '--processes', '2');
    writeFileSync(join(site.project, 'ill'), '');
    const { pid: dead } = (await site.status()).processes[0] as ProcessStatus;
    process.kill(dead, 'SIGKILL');
    await eventually('another one serves in its place', async () => {
      const serving = (await site.status()).processes.filter(({ state }) => state === 'serving');
      return serving.length === 2 && serving.every(({ pid }) => pid !== dead);
    });
    assert.equal(await bodyOf(site), 'one');
  });

  it('gets what Django takes: requests for an allowed host, over https', { skip: NO_PACKAGES }, async (t) => {
    const settings =
      'DEBUG = False\nALLOWED_HOSTS = ["shop.example"]\nSECURE_SSL_REDIRECT = True\nMIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"]';
    const python = ['--python', PYTHON_WITH_PACKAGES as string, '--listen', '127.0.0.1:0'];
    const start = (reload: string): Promise<{ readonly output: string }> =>
      runViaduct(
        makeProject(t, { ...djangoFiles(settings), 'viaduct.toml': `[reload]\n${reload}` }),
        'serve',
        ...python,
      );
    assert.match((await start('probe = "/"')).output, /was answered with 400 after/);
    const redirected = await start('probe = "/"\nprobe_host = "shop.example"');
    assert.match(redirected.output, /was answered with 301 after \d+ ms: it leads to https:\/\/shop\.example\/\n/);
    const project = makeProject(t, {
      ...djangoFiles(settings),
      'viaduct.toml': '[reload]\nprobe = "/"\nprobe_host = "shop.example"\nprobe_scheme = "https"\n',
    });
    await startViaduct(t, ['serve', '--python', PYTHON_WITH_PACKAGES as string], { cwd: project });
  });
});
