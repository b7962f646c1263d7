import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { localMessage, syslogMessage } from '../../src/log/syslog-message.ts';
import { SyslogOutput } from '../../src/log/syslog-output.ts';
import { parseSyslogTarget } from '../../src/log/syslog-target.ts';
import { datagramsTo, NO_JOURNALD, receiveDatagrams, startJournald } from '../support/datagrams.ts';
import { freePort } from '../support/peer.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { eventually } from '../support/wait.ts';

/** RFC 5424 section 6: priority, version, time, host, program, process, kind, structured data and text. */
const MESSAGE = /^<(\d+)>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \S+ viaduct (\d+) (access|server) - ([\s\S]*)$/;

interface Receiver {
  readonly port: number;
  readonly server: Server;
  readonly sockets: Socket[];
  /** The texts of whole messages so far, by their lengths. */
  texts(): string[];
}

async function receiver(t: TestContext, port = 0): Promise<Receiver> {
  const sockets: Socket[] = [];
  const blocks: Buffer[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('data', (block) => blocks.push(block));
    socket.on('error', () => {});
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const texts = () => {
    const found: string[] = [];
    let rest = Buffer.concat(blocks);
    for (;;) {
      const head = /^(\d+) /.exec(rest.subarray(0, 8).toString('latin1'));
      if (head === null) return found;
      const start = head[0].length;
      const message = rest.subarray(start, start + Number(head[1]));
      if (message.length < Number(head[1])) return found;
      const text = MESSAGE.exec(message.toString('utf8'))?.[4];
      assert.ok(text !== undefined, message.toString('utf8'));
      found.push(text);
      rest = rest.subarray(start + message.length);
    }
  };
  return { port: (server.address() as AddressInfo).port, server, sockets, texts };
}

function output(log: 'access' | 'server', port: number) {
  return outputTo(log, `tcp://127.0.0.1:${port}`);
}

function outputTo(log: 'access' | 'server', address: string) {
  const told: string[] = [];
  const made = new SyslogOutput(log, parseSyslogTarget('error_log_syslog', address), datagramsTo);
  made.events = {
    onFailed: (reason) => told.push(`failed: ${reason}`),
    onRecovered: (lines, reason) => told.push(`recovered: ${lines} lost, ${reason}`),
  };
  return { output: made, told };
}

describe('the address of a syslog server', () => {
  const parse = (url: string) => parseSyslogTarget('error_log_syslog', url);

  it('is a host with a port, or a path, and may name a facility', () => {
    assert.deepEqual(parse('udp://logs.example.org'), {
      ...{
        url: 'udp://logs.example.org',
        transport: 'udp',
        host: 'logs.example.org',
        port: 514,
        path: '',
        facility: 3,
      },
    });
    const { transport, host, port, facility } = parse('tcp://[2001:db8::1]:6514?facility=local7');
    assert.deepEqual([transport, host, port, facility], ['tcp', '2001:db8::1', 6514, 23]);
    assert.equal(parse('tcp://127.0.0.1').port, 601);
    assert.deepEqual(
      [parse('unix:/run/log.sock').path, parse('unix:/run/log.sock').transport],
      ['/run/log.sock', 'unix'],
    );
  });

  for (const url of [
    ...['', 'logs', 'http://logs', 'udp://', 'udp://logs:0', 'udp://logs:70000', 'udp://a b', 'tcp://user@logs'],
    ...['unix:log.sock', 'udp://logs?facility=mine', 'udp://logs?level=1', 'udp://logs/path', 'tcp://[::1'],
  ]) {
    it(`is not "${url}"`, () => {
      assert.throws(() => parse(url), /Cannot use error_log_syslog ".*": it is not the address of a syslog server/);
    });
  }
});

describe('a syslog message', () => {
  it('has the parts of RFC 5424, and the severity of its level', () => {
    const parts = (level: 'error' | 'warn' | 'info') =>
      MESSAGE.exec(syslogMessage(16, level, 'server', 'a\nb é').toString());
    assert.deepEqual(
      (['error', 'warn', 'info'] as const).map((level) => Number(parts(level)?.[1]) - 16 * 8),
      [3, 4, 6],
    );
    assert.deepEqual(parts('info')?.slice(2), [`${process.pid}`, 'server', 'a\nb é']);
  });

  it('is cut if a receiver would not take it', () => {
    const message = syslogMessage(3, 'error', 'server', 'x'.repeat(100_000));
    assert.equal(message.length, 8192);
    assert.match(message.toString(), /x \[cut\]$/);
  });

  it('has another form for programs on this machine, in local time (syslog(3))', () => {
    const message = localMessage(
      Buffer.from('<131>1 2026-05-04T09:12:33.201Z host.example viaduct 47 server - a\nb - c'),
    );
    const local = new Date('2026-05-04T09:12:33.201Z').toString().slice(4, 24).replace(/ 0/, '  ').replace(/ 2026/, '');
    assert.equal(message.toString(), `<131>${local} viaduct[47]: a\nb - c`);
  });
});

describe('a log that goes to a Unix socket for datagrams, such as /dev/log', () => {
  it('has a datagram for each line and each entry, in the form of syslog(3)', async (t) => {
    const path = join(temporaryDirectory(t), 'log');
    const received = await receiveDatagrams(t, path);
    const { output: log, told } = outputTo('access', `unix:${path}?facility=local0`);
    log.write('one\ntwo\n');
    await eventually('both are there', () => received.datagrams().length === 2);
    log.writeEntry('three\nfour', 'error');
    await eventually('it is there', () => received.datagrams().length === 3);
    const texts = received.datagrams().map(({ data }) => data.toString());
    const head = (priority: number) =>
      `<${priority}>[A-Z][a-z]{2} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d viaduct\\[${process.pid}\\]: `;
    assert.match(texts[0] ?? '', new RegExp(`^${head(134)}one$`));
    assert.match(texts[1] ?? '', new RegExp(`^${head(134)}two$`));
    assert.match(texts[2] ?? '', new RegExp(`^${head(131)}three\\nfour$`));
    assert.deepEqual(told, []);
  });

  it('is there after the socket has come', async (t) => {
    const path = join(temporaryDirectory(t), 'log');
    const { output: log, told } = outputTo('server', `unix:${path}`);
    log.write('early\n');
    await eventually('it is told', () => told.length === 1);
    assert.match(told[0] ?? '', /^failed: .*ENOENT/);
    const received = await receiveDatagrams(t, path);
    await eventually('it is there', () => received.datagrams().length === 1);
    await eventually('it is told', () => told.length === 2);
    assert.match(told[1] ?? '', /^recovered: 0 lost/);
  });

  it('is stored by systemd-journald', { skip: NO_JOURNALD }, async (t) => {
    const journal = await startJournald(t);
    const { output: log } = outputTo('server', `unix:${journal.syslogSocket}`);
    log.writeEntry('over /dev/log', 'warn');
    await eventually('it is there', async () => (await journal.entries('SYSLOG_IDENTIFIER=viaduct')).length === 1);
    const [entry] = await journal.entries('SYSLOG_IDENTIFIER=viaduct');
    assert.equal(entry?.MESSAGE, 'over /dev/log');
    assert.equal(entry.PRIORITY, '4');
    assert.equal(entry.SYSLOG_PID, `${process.pid}`);
  });
});

describe('a log that goes to a syslog server over TCP', () => {
  it('has a message for each line of the access log, and for each entry with its line breaks', async (t) => {
    const { port, texts } = await receiver(t);
    output('access', port).output.write('one\ntwo\n');
    output('server', port).output.writeEntry('Traceback\n  three\n', 'error');
    await eventually('all are there', () => texts().length === 3);
    assert.deepEqual(texts().toSorted(), ['Traceback\n  three', 'one', 'two']);
  });

  it('waits for a server that is away, tells it once, and again when it is there', async (t) => {
    const port = await freePort();
    const { output: log, told } = output('server', port);
    for (let i = 0; i < 100; i += 1) log.write(`line ${i}\n`);
    await eventually('it is told', () => told.length === 1);
    assert.match(told[0] ?? '', /^failed: .*ECONNREFUSED/);
    const { texts } = await receiver(t, port);
    await eventually('all are there', () => texts().length === 100);
    assert.equal(texts()[99], 'line 99');
    await eventually('it is told', () => told.length === 2);
    assert.match(told[1] ?? '', /^recovered: 0 lost, /);
  });

  it('keeps no more than a limit for a server that does not read, and counts the rest', async (t) => {
    const { port, sockets, texts } = await receiver(t);
    const { output: log, told } = output('access', port);
    log.write('first\n');
    await eventually('it is connected', () => texts().length === 1);
    sockets[0]?.pause();
    const line = 'x'.repeat(7000);
    const count = 3000;
    for (let i = 0; i < count; i += 1) log.write(`${line}\n`);
    await eventually('it is told', () => told.length === 1);
    assert.deepEqual(told, ['failed: it is slower than the log']);
    sockets[0]?.resume();
    await eventually('it reads again', () => {
      log.write('again\n');
      return told.length === 2;
    });
    const lost = Number(/^recovered: (\d+) lost/.exec(told[1] ?? '')?.[1]);
    await eventually('the rest is there', () => texts().filter((text) => text === line).length === count - lost);
    assert.ok(lost > 0 && lost < count, `${lost} of ${count}`);
  });

  it('connects again when the server closed the connection', async (t) => {
    const { port, sockets, texts } = await receiver(t);
    const { output: log, told } = output('server', port);
    log.write('before\n');
    await eventually('it is connected', () => texts().length === 1);
    sockets[0]?.destroy();
    await eventually('it is told', () => told.length === 1);
    log.write('after\n');
    await eventually('it is there', () => texts().includes('after'));
    await eventually('it is told', () => told.length === 2);
  });
});
