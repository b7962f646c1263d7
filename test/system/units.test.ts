import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { SETTINGS } from '../../src/config/settings.ts';
import { assertAccepted, parseCommandLine } from '../support/deploy.ts';
import { ROOT } from '../support/viaduct.ts';

const UNITS = join(ROOT, 'deploy/systemd');
const SERVICES = ['viaduct.service', 'viaduct-app.service', 'viaduct-web.service'];
const service = readUnit('viaduct.service');
const socket = readUnit('viaduct.socket');

describe('the units for systemd', () => {
  it('let the server notify systemd, and wait for it', () => {
    assert.match(service.get('Service.Type') ?? '', /^notify/);
    assert.equal(service.get('Service.NotifyAccess'), 'all');
    assert.ok(Number.parseInt(service.get('Service.WatchdogSec') ?? '', 10) >= 10);
    assert.equal(service.get('Service.KillMode'), 'mixed');
  });

  for (const name of SERVICES) {
    it(`give the server more time to stop and to start than its settings: ${name}`, () => {
      const unit = readUnit(name);
      const seconds = (key: string) => Number(/^(\d+)s$/.exec(unit.get(`Service.${key}`) ?? '')?.[1]);
      assert.ok(seconds('TimeoutStopSec') * 1000 > SETTINGS.gracefulTimeoutMs.default);
      if (name === 'viaduct-web.service') return; // It imports nothing, so systemd's own 90 seconds do.
      assert.ok(seconds('TimeoutStartSec') * 1000 > SETTINGS.startTimeoutMs.default);
    });

    it(`start Viaduct with valid flags: ${name}`, () => {
      const [program, ...args] = readUnit(name).get('Service.ExecStart')?.split(' ') ?? [];
      assert.equal(program, '/usr/local/bin/viaduct');
      const { role } = parseCommandLine(args);
      assert.equal(role, /-(app|web)\./.exec(name)?.[1] ?? 'serve');
    });
  }

  it('have a web server configuration that leads to the address of the application server', async (t) => {
    const config = readFileSync(join(UNITS, 'viaduct.toml'), 'utf8');
    const { flags } = parseCommandLine(
      readUnit('viaduct-app.service').get('Service.ExecStart')?.split(' ').slice(1) ?? [],
    );
    assert.ok(config.includes(`proxy = "${flags.get('listen')}"`));
    await assertAccepted(t, 'web', config.replace('/srv/shop/static', '.'));
  });

  it('pass a socket without Accept to the service', () => {
    assert.equal(socket.get('Socket.ListenStream'), '80');
    assert.notEqual(socket.get('Socket.Accept'), 'yes');
    assert.equal(service.get('Unit.Requires'), 'viaduct.socket');
    assert.match(service.get('Unit.After') ?? '', /\bviaduct\.socket\b/);
  });

  const hasAnalyze = spawnSync('systemd-analyze', ['--version']).status === 0;
  it('are accepted by systemd-analyze verify', {
    skip: hasAnalyze ? false : 'systemd-analyze is not installed',
  }, (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'viaduct-units-'));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const program = join(directory, 'viaduct');
    writeFileSync(program, '#!/bin/sh\n');
    chmodSync(program, 0o755);
    const names = ['viaduct.socket', ...SERVICES];
    for (const name of names) {
      const text = readFileSync(join(UNITS, name), 'utf8').replace('/usr/local/bin/viaduct', program);
      writeFileSync(join(directory, name), text.replace('WorkingDirectory=/srv/shop', `WorkingDirectory=${directory}`));
    }
    const args = ['verify', '--man=no', ...names.map((name) => join(directory, name))];
    const { status, stderr } = spawnSync('systemd-analyze', args, { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    assert.equal(
      stderr
        .split('\n')
        .filter((line) => line.includes(directory))
        .join('\n'),
      '',
    );
  });
});

/** Values by `Section.Key`. Any other line fails. */
function readUnit(name: string): Map<string, string> {
  const entries = new Map<string, string>();
  let section = '';
  for (const line of readFileSync(join(UNITS, name), 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const head = /^\[(\w+)\]$/.exec(line);
    const entry = /^(\w+)=(.*)$/.exec(line);
    assert.ok(head !== null || entry !== null, `${name}: ${line}`);
    if (head !== null) section = head[1] as string;
    else if (entry !== null) entries.set(`${section}.${entry[1]}`, entry[2] as string);
  }
  return entries;
}
