import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { NO_JOURNALD, receiveDatagrams, startJournald } from '../support/datagrams.ts';
import { ask } from '../support/http-client.ts';
import { freePort } from '../support/peer.ts';
import { makeProject, WSGI_APP } from '../support/project.ts';
import { accepts } from '../support/socket-client.ts';
import { BIN, startViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const RSYSLOGD = ['/usr/sbin/rsyslogd', '/sbin/rsyslogd'].find((path) => existsSync(path));
const NO_RSYSLOG = RSYSLOGD === undefined ? 'rsyslog is not installed' : false;

const RAISES = `
def application(environ, start_response):
    if environ["PATH_INFO"] == "/raise":
        raise ValueError("on purpose")
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
`;

describe('logs that go to syslog', { concurrency: 2 }, () => {
  it('reach rsyslog over TCP with their severity and facility, from several server processes', {
    skip: NO_RSYSLOG,
  }, async (t) => {
    const cwd = makeProject(t, { 'app.py': RAISES });
    const port = await freePort();
    const received = join(cwd, 'received.log');
    const config = `
module(load="imtcp")
template(name="all" type="string" string="%syslogfacility-text% %syslogseverity-text% %app-name% %msgid% %msg%\\n")
input(type="imtcp" address="127.0.0.1" port="${port}")
action(type="omfile" file="${received}" template="all")
`;
    const files = makeProject(t, { 'rsyslog.conf': config });
    const args = ['-n', '-x', '-i', join(files, 'rsyslogd.pid'), '-f', join(files, 'rsyslog.conf')];
    const daemon = spawn(RSYSLOGD ?? '', args, { stdio: 'ignore' });
    t.after(async () => {
      daemon.kill('SIGKILL');
      await once(daemon, 'close');
    });
    await eventually('rsyslog listens', () => accepts(port));
    const flags = ['--access-log-syslog', `tcp://127.0.0.1:${port}?facility=local1`];
    flags.push('--error-log-syslog', `tcp://127.0.0.1:${port}`, '--processes', '2', '--workers', '2');
    const server = await startViaduct(t, ['app:application', '--access-log', 'json', ...flags], { cwd });
    await ask(server.port, '/here');
    await ask(server.port, '/raise');
    const lines = () => (existsSync(received) ? readFileSync(received, 'utf8').split('\n') : []);
    const found = (pattern: RegExp) => eventually(`${pattern}`, () => lines().some((line) => pattern.test(line)));
    await found(/^local1 info viaduct access {1,2}\{"time":.*"path":"\/here".*"status":200/);
    await found(/^local1 info viaduct access {1,2}\{"time":.*"path":"\/raise".*"status":500/);
    await found(/^daemon err viaduct server {1,2}\{.*ValueError: on purpose.*"request":"GET \/raise"/);
    assert.doesNotMatch(server.output(), /"path"|ValueError/);
  });

  it('are sent over UDP', async (t) => {
    const socket = createSocket('udp4');
    const messages: string[] = [];
    socket.on('message', (message) => messages.push(message.toString()));
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    t.after(() => void socket.close());
    const { port } = socket.address() as AddressInfo;
    const cwd = makeProject(t, { 'app.py': WSGI_APP });
    const address = `udp://localhost:${port}`;
    const server = await startViaduct(t, ['app:application', '--workers', '1', '--access-log-syslog', address], {
      cwd,
    });
    await ask(server.port, '/here');
    await eventually('it is there', () => messages.some((message) => message.includes('"/here"')));
    assert.match(messages[0] ?? '', /^<30>1 .* viaduct \d+ access - \{"time"/);
  });

  it('wait for a server that is away, which is reported on standard error, and requests go on', async (t) => {
    const cwd = makeProject(t, { 'app.py': RAISES });
    const address = `tcp://127.0.0.1:${await freePort()}`;
    const flags = ['--access-log-syslog', address, '--error-log-syslog', address, '--workers', '1'];
    const server = await startViaduct(t, ['app:application', ...flags], { cwd });
    for (let i = 0; i < 5; i += 1) assert.equal((await ask(server.port, '/raise')).status, 500);
    const told = () => server.output().match(/Cannot send the server's log to tcp:[^"]*ECONNREFUSED/g)?.length;
    await eventually('it is told', () => told() === 1);
    process.kill(server.pid, 'SIGTERM');
    assert.equal((await server.exited).code, 0);
    assert.equal(told(), 1);
  });

  it('need an address, and one place', async (t) => {
    for (const [flags, expected] of [
      [['--access-log-syslog', 'http://logs'], /Cannot use access_log_syslog "http:\/\/logs": it is not the address/],
      [
        ['--access-log-journal', '/run/a', '--access-log-syslog', 'udp://a'],
        /Cannot use access_log_syslog and access_log_journal tog/,
      ],
      [
        ['--error-log-syslog', 'udp://a', '--error-log-file', 'x'],
        /Cannot use error_log_file and error_log_syslog tog/,
      ],
    ] as const) {
      const cwd = makeProject(t, { 'app.py': WSGI_APP });
      const server = await startViaduct(t, ['app:application', ...flags], { cwd, awaitReady: false });
      assert.equal((await server.exited).code, 2);
      assert.match(server.output(), expected);
    }
  });
});

describe("the server's log in systemd's journal", () => {
  for (const processes of ['1', '2']) {
    it(`has the level of each line as a prefix, with ${processes} server processes`, async (t) => {
      const cwd = makeProject(t, { 'app.py': RAISES });
      const log = join(cwd, 'journal');
      const command = 'exec 2>"$1"; JOURNAL_STREAM="$(stat -L -c %d:%i "$1")"; export JOURNAL_STREAM; shift; exec "$@"';
      const port = await freePort();
      const args = ['app:application', '--workers', processes, '--processes', processes, '--access-log', 'json'];
      const child = spawn(
        'sh',
        ['-c', command, 'sh', log, process.execPath, BIN, ...args, '--listen', `127.0.0.1:${port}`],
        { cwd, stdio: 'ignore' },
      );
      t.after(async () => {
        if (child.exitCode === null && child.kill('SIGTERM')) await once(child, 'close');
      });
      await eventually('it listens', () => accepts(port));
      await ask(port, '/raise');
      const lines = () => readFileSync(log, 'utf8').split('\n');
      await eventually('the traceback is there', () =>
        lines().some((line) => /^<3>\{"time":.*"level":"error".*on purpose/.test(line)),
      );
    });
  }
});

describe('logs that go to a socket for datagrams', { skip: process.platform !== 'linux' && 'it needs /proc' }, () => {
  it('reach rsyslog as /dev/log does, from several server processes', { skip: NO_RSYSLOG }, async (t) => {
    const cwd = makeProject(t, { 'app.py': RAISES });
    const received = join(cwd, 'received.log');
    const socket = join(cwd, 'log');
    const config = `
module(load="imuxsock" SysSock.Use="off")
template(name="all" type="string" string="%syslogfacility-text% %syslogseverity-text% %app-name% %procid%%msg%\\n")
input(type="imuxsock" Socket="${socket}")
action(type="omfile" file="${received}" template="all")
`;
    const files = makeProject(t, { 'rsyslog.conf': config });
    const args = ['-n', '-x', '-i', join(files, 'rsyslogd.pid'), '-f', join(files, 'rsyslog.conf')];
    const daemon = spawn(RSYSLOGD ?? '', args, { stdio: 'ignore' });
    t.after(async () => {
      daemon.kill('SIGKILL');
      await once(daemon, 'close');
    });
    await eventually('rsyslog listens', () => existsSync(socket));
    const flags = ['--access-log-syslog', `unix:${socket}?facility=local1`, '--error-log-syslog', `unix:${socket}`];
    const server = await startViaduct(
      t,
      ['app:application', '--access-log', 'json', ...flags, '--processes', '2', '--workers', '2'],
      { cwd },
    );
    await ask(server.port, '/raise');
    const lines = () => (existsSync(received) ? readFileSync(received, 'utf8').split('\n') : []);
    const found = (pattern: RegExp) => eventually(`${pattern}`, () => lines().some((line) => pattern.test(line)));
    await found(/^local1 info viaduct \d+ \{"time":.*"path":"\/raise".*"status":500/);
    await found(/^daemon err viaduct \d+ \{.*ValueError: on purpose.*"request":"GET \/raise"/);
    assert.doesNotMatch(server.output(), /"path"|ValueError/);
  });

  for (const processes of ['1', '2']) {
    it(`reach the journal with their fields, with ${processes} server processes`, { skip: NO_JOURNALD }, async (t) => {
      const journal = await startJournald(t);
      const cwd = makeProject(t, { 'app.py': RAISES });
      const flags = ['--access-log-journal', journal.socket, '--error-log-journal', journal.socket];
      flags.push('--access-log', 'text', '--workers', processes, '--processes', processes);
      const server = await startViaduct(t, ['app:application', ...flags], { cwd });
      await ask(server.port, '/raise');
      const one = async (...matches: string[]) => (await journal.entries(...matches))[0];
      await eventually('the traceback is there', async () => (await one('CODE_FUNC=application')) !== undefined);
      const traceback = await one('CODE_FUNC=application');
      assert.match(`${traceback?.MESSAGE}`, /^Traceback[\s\S]*ValueError: on purpose$/);
      assert.equal(traceback?.PRIORITY, '3');
      assert.equal(traceback.CODE_LINE, '4');
      assert.equal(traceback.VIADUCT_REQUEST, 'GET /raise');
      await eventually('the line is there', async () => (await one('VIADUCT_STATUS=500')) !== undefined);
      const line = await one('VIADUCT_STATUS=500');
      assert.match(`${line?.MESSAGE}`, /^\d\d:\d\d:\d\d 500 GET \/raise /);
      assert.equal(line?.VIADUCT_REQUEST_ID, traceback.VIADUCT_REQUEST_ID);
      assert.equal(line?.VIADUCT_WORKER, traceback.VIADUCT_WORKER);
      await ask(server.port, '/last');
      await server.stop();
      await eventually('the last line is there', async () => (await one('VIADUCT_PATH=/last')) !== undefined);
      assert.doesNotMatch(server.output(), /ValueError/);
    });
  }

  it('are reported on standard error when both logs go to one socket that is stuck', async (t) => {
    const cwd = makeProject(t, { 'app.py': RAISES });
    const socket = join(cwd, 'log');
    await receiveDatagrams(t, socket, { waits: true });
    const flags = ['--access-log-journal', socket, '--error-log-journal', socket, '--workers', '1'];
    const server = await startViaduct(t, ['app:application', ...flags], { cwd });
    const told = /Cannot send the access log to the journal at [^"]*: it is slower than the log/;
    for (let i = 0; i < 2000 && !told.test(server.output()); i += 1) await ask(server.port, `/?${'x'.repeat(2000)}`);
    await eventually('it is told', () => told.test(server.output()));
    process.kill(server.pid, 'SIGTERM');
    assert.equal((await server.exited).code, 0);
  });

  it('get every line before the server processes end, also if they read slowly', async (t) => {
    const cwd = makeProject(t, { 'app.py': RAISES });
    const socket = join(cwd, 'log');
    const received = await receiveDatagrams(t, socket, { waits: true });
    const flags = ['--access-log-journal', socket, '--processes', '2', '--workers', '2'];
    const server = await startViaduct(t, ['app:application', ...flags], { cwd });
    const count = 300; // more than fits in the buffers of the system
    for (let i = 0; i < count; i += 1) await ask(server.port, `/?${'x'.repeat(1000)}`);
    process.kill(server.pid, 'SIGTERM');
    await eventually('it listens no more', async () => !(await accepts(server.port)));
    received.read();
    assert.equal((await server.exited).code, 0);
    await eventually('all are there', () => received.datagrams().length === count);
  });

  it('stop with the server, also one that is killed', async (t) => {
    const cwd = makeProject(t, { 'app.py': RAISES });
    const socket = join(cwd, 'log');
    const received = await receiveDatagrams(t, socket);
    const server = await startViaduct(t, ['app:application', '--access-log-journal', socket, '--workers', '1'], {
      cwd,
    });
    await ask(server.port, '/');
    await eventually('it is there', () => received.datagrams().length === 1);
    const running = () =>
      readdirSync('/proc').filter((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(`datagrams.py\0${socket}`);
        } catch {
          return false; // it is no process, or has ended
        }
      });
    assert.equal(running().length, 1);
    process.kill(server.pid, 'SIGKILL');
    await eventually('it has ended', () => running().length === 0);
  });
});
