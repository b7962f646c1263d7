import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { syslogMessage } from '../../src/log/syslog-message.ts';
import { SyslogOutput } from '../../src/log/syslog-output.ts';
import { parseSyslogTarget } from '../../src/log/syslog-target.ts';
import { freePort } from '../support/peer.ts';
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
  const told: string[] = [];
  const made = new SyslogOutput(log, parseSyslogTarget('error_log_syslog', `tcp://127.0.0.1:${port}`));
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
