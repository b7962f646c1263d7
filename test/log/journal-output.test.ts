import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { JournalOutput } from '../../src/log/journal-output.ts';
import { createLog } from '../../src/log/log.ts';
import { datagramsTo, journalFields, NO_JOURNALD, receiveDatagrams, startJournald } from '../support/datagrams.ts';
import { requestOf } from '../support/handler.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { eventually } from '../support/wait.ts';

function journalAt(path: string, { log = 'server' as 'access' | 'server', python = 'python3' } = {}) {
  const told: string[] = [];
  const output = new JournalOutput(log, datagramsTo(path, python));
  output.events = {
    onFailed: (reason) => told.push(`failed: ${reason}`),
    onRecovered: (lines, reason) => told.push(`recovered: ${lines} lost, ${reason}`),
  };
  return { output, log: createLog('json', output), told };
}

async function receiver(t: TestContext, options = {}) {
  const path = join(temporaryDirectory(t), 'socket');
  const received = await receiveDatagrams(t, path, options);
  return { path, ...received };
}

/** The longest datagram (socket(7)). */
const LIMIT = '/proc/sys/net/core/wmem_default';
const LARGE_DATAGRAMS =
  !existsSync(LIMIT) || Number(readFileSync(LIMIT, 'latin1')) > 500_000 ? 'datagrams may be larger here' : false;

const TRACEBACK = `Traceback (most recent call last):
  File "/srv/shop/wsgi.py", line 3, in application
    return basket(environ)
  File "/srv/shop/views.py", line 12, in basket
    raise ValueError("a\nMESSAGE=forged")
ValueError: a
MESSAGE=forged
`;

describe("an entry in systemd's journal", () => {
  it('has the fields of an entry of the log, and the place of a traceback', async (t) => {
    const { path, datagrams } = await receiver(t);
    const { log } = journalAt(path);
    log.error(TRACEBACK, { worker: 4711, request: 'GET /basket', request_id: 'r-1', route: 'shop' });
    log.warn('one\ttab, \x1b[31mred');
    await eventually('both are there', () => datagrams().length === 2);
    const [first, second] = datagrams().map(({ data }) => journalFields(data));
    assert.deepEqual(first, {
      MESSAGE: TRACEBACK.trimEnd(),
      PRIORITY: '3',
      SYSLOG_FACILITY: '3',
      SYSLOG_IDENTIFIER: 'viaduct',
      SYSLOG_PID: `${process.pid}`,
      CODE_FILE: '/srv/shop/views.py',
      CODE_LINE: '12',
      CODE_FUNC: 'basket',
      VIADUCT_LOG: 'server',
      VIADUCT_WORKER: '4711',
      VIADUCT_REQUEST: 'GET /basket',
      VIADUCT_REQUEST_ID: 'r-1',
      VIADUCT_ROUTE: 'shop',
    });
    assert.equal(second?.MESSAGE, 'one\ttab, \\x1B[31mred');
    assert.equal(second?.PRIORITY, '4');
  });

  it('has what the server knows of an answered request, and no field for what it does not know', async (t) => {
    const { path, datagrams } = await receiver(t);
    const { output } = journalAt(path, { log: 'access' });
    const request = requestOf({ method: 'GET', path: '/basket', query: 'a=1', host: 'shop.example.org' });
    Object.assign(request.record, { worker: 4711, queueUs: 402, pythonUs: 2615, route: 'shop', reason: 'exception' });
    output.writeRequest('the line', request, 500, 60, 3.2144);
    await eventually('it is there', () => datagrams().length === 1);
    const { SYSLOG_PID, VIADUCT_REQUEST_ID, ...fields } = journalFields(datagrams()[0]?.data ?? Buffer.alloc(0));
    assert.match(VIADUCT_REQUEST_ID ?? '', /./);
    assert.equal(SYSLOG_PID, `${process.pid}`);
    const { protocol, peer } = request;
    assert.deepEqual(fields, {
      MESSAGE: 'the line',
      PRIORITY: '6',
      SYSLOG_FACILITY: '3',
      SYSLOG_IDENTIFIER: 'viaduct',
      VIADUCT_LOG: 'access',
      VIADUCT_STATUS: '500',
      VIADUCT_METHOD: 'GET',
      VIADUCT_HOST: 'shop.example.org',
      VIADUCT_PATH: '/basket',
      VIADUCT_QUERY: 'a=1',
      VIADUCT_PROTOCOL: protocol,
      ...(peer.remoteAddress === '' ? {} : { VIADUCT_REMOTE_ADDRESS: peer.remoteAddress }),
      VIADUCT_BODY_BYTES: '60',
      VIADUCT_DURATION_MS: '3.214',
      VIADUCT_ROUTE: 'shop',
      VIADUCT_WORKER: '4711',
      VIADUCT_QUEUE_MS: '0.402',
      VIADUCT_PYTHON_MS: '2.615',
      VIADUCT_REASON: 'exception',
    });
  });

  it('is a sealed file if it is too long for a datagram', { skip: LARGE_DATAGRAMS }, async (t) => {
    const { path, datagrams } = await receiver(t);
    const { log } = journalAt(path);
    log.info('€€€\n'.repeat(60_000));
    await eventually('it is there', () => datagrams().length === 1);
    const [first] = datagrams();
    assert.equal(first?.sealed, true);
    assert.equal(journalFields(first.data).MESSAGE, '€€€\n'.repeat(60_000).trimEnd());
  });

  it('is cut if it is very long', async (t) => {
    const { path, datagrams } = await receiver(t);
    journalAt(path).log.info('x'.repeat(300_000));
    await eventually('it is there', () => datagrams().length === 1);
    assert.match(journalFields(datagrams()[0]?.data ?? Buffer.alloc(0)).MESSAGE ?? '', /^x{262138} \[cut\]$/);
  });

  it('is cut if it is long only when its control characters are escaped', async (t) => {
    const { path, datagrams } = await receiver(t);
    const { log, told } = journalAt(path);
    log.error('\u202e'.repeat(200_000));
    await eventually('it is there', () => datagrams().length === 1);
    assert.match(journalFields(datagrams()[0]?.data ?? Buffer.alloc(0)).MESSAGE ?? '', /^(\\u\{202E\})+[^ ]* \[cut\]$/);
    assert.deepEqual(told, []);
  });

  it('is lost and counted while nobody listens, which is reported once, and again when somebody does', async (t) => {
    const path = join(temporaryDirectory(t), 'socket');
    const { log, told, output } = journalAt(path);
    for (let i = 0; i < 10; i += 1) log.info(`line ${i}`);
    await eventually('all are lost', () => output.lost.lines === 10);
    assert.deepEqual(told, ['failed: ENOENT: no such file or directory']);
    const first = await receiveDatagrams(t, path);
    log.info('again');
    await eventually('it is there', () => first.datagrams().length === 1);
    assert.deepEqual(told.slice(1), ['recovered: 10 lost, ENOENT: no such file or directory']);
    await first.stop();
    const second = await receiveDatagrams(t, path);
    log.info('to the new one');
    await eventually('it is there', () => second.datagrams().length === 1);
    assert.equal(told.length, 2, 'nothing was lost');
  });

  it('is lost above a limit if the journal does not read; the rest arrives in order', async (t) => {
    const { path, datagrams, read } = await receiver(t, { waits: true });
    const { log, told, output } = journalAt(path);
    const count = 3000;
    for (let i = 0; i < count; i += 1) log.info(`${i} ${'x'.repeat(2000)}`);
    assert.deepEqual(told, ['failed: it is slower than the log']);
    const { lines } = output.lost;
    assert.ok(lines > 0 && lines < count, `${lines} of ${count}`);
    read();
    await eventually('the rest is there', () => datagrams().length === count - lines);
    const numbers = datagrams().map(({ data }) => Number.parseInt(journalFields(data).MESSAGE ?? '', 10));
    assert.deepEqual(numbers, Array.from(numbers.keys()));
    await eventually('it is told', () => told.length === 2);
    assert.equal(told[1], `recovered: ${lines} lost, it is slower than the log`);
  });

  it('is lost if the process that sends it is killed; a later one starts another', async (t) => {
    const { path, datagrams } = await receiver(t);
    const killing = join(temporaryDirectory(t), 'python');
    writeFileSync(killing, '#!/bin/sh\necho on purpose >&2\nkill -9 $$\n', { mode: 0o755 });
    const { log, told, output } = journalAt(path, { python: killing });
    log.info('one');
    await eventually('it is told', () => told.length === 1);
    assert.deepEqual(told, ['failed: datagrams.py ended of SIGKILL: on purpose']);
    log.info('two');
    assert.equal(output.lost.lines, 2, 'no other process starts at once');
    writeFileSync(killing, '#!/bin/sh\nexec python3 "$@"\n', { mode: 0o755 });
    await eventually('another one has started', () => {
      log.info('again');
      return datagrams().length > 0;
    });
    await eventually('it is told', () => told.length === 2);
  });

  it('is lost if the process cannot be started, for whatever reason', async (t) => {
    const { path } = await receiver(t);
    const tooLong = `/${'x'.repeat(200_000)}`; // Node throws E2BIG, as it does ENOMEM
    const { log, told, output } = journalAt(path, { python: tooLong });
    log.info('one');
    log.info('two');
    await eventually('it is told', () => told.length === 1);
    assert.match(told[0] ?? '', /E2BIG|ENAMETOOLONG/);
    await eventually('both are lost', () => output.lost.lines === 2);
  });

  it('is lost if its process answers what nobody asked; the next one starts afresh', async (t) => {
    const { path, datagrams } = await receiver(t);
    const lying = join(temporaryDirectory(t), 'python');
    writeFileSync(lying, "#!/bin/sh\nprintf '\\0\\0\\0'\nexec sleep 60\n", { mode: 0o755 });
    const { log, told, output } = journalAt(path, { python: lying });
    log.info('one');
    await eventually('it is killed', () => {
      log.info('further');
      return told.some((line) => line.includes('SIGKILL'));
    });
    writeFileSync(lying, '#!/bin/sh\nexec python3 "$@"\n', { mode: 0o755 });
    await eventually('another one works', () => {
      log.info('again');
      return datagrams().length > 0;
    });
    const lost = output.lost.lines;
    log.info('last');
    await eventually('it is there', () => datagrams().some(({ data }) => journalFields(data).MESSAGE === 'last'));
    assert.equal(output.lost.lines, lost);
  });

  it('is lost if the path of the socket is too long for the system, which is reported', async (t) => {
    const { log, told } = journalAt(join(temporaryDirectory(t), 'x'.repeat(120)));
    log.info('one');
    await eventually('it is told', () => told.length === 1);
    assert.match(told[0] ?? '', /^failed: ENAMETOOLONG: /);
  });

  it('is lost if there is no interpreter', async (t) => {
    const { path } = await receiver(t);
    const { log, told } = journalAt(path, { python: '/nowhere/python3' });
    log.info('one');
    await eventually('it is told', () => told.length === 1);
    assert.match(told[0] ?? '', /^failed: \/nowhere\/python3: .*ENOENT/);
  });
});

describe('systemd-journald', { skip: NO_JOURNALD }, () => {
  it('stores entries with their fields, also a long one', async (t) => {
    const journal = await startJournald(t);
    const { log } = journalAt(journal.socket);
    log.error(TRACEBACK, { worker: 4711, request_id: 'r-1' });
    log.info(`long ${'y'.repeat(240_000)}`, { request_id: 'r-2' });
    await eventually('both are there', async () => (await journal.entries('VIADUCT_LOG=server')).length === 2);
    const [entry] = await journal.entries('VIADUCT_REQUEST_ID=r-1');
    assert.equal(entry?.MESSAGE, TRACEBACK.trimEnd());
    assert.equal(entry.PRIORITY, '3');
    assert.equal(entry.CODE_FUNC, 'basket');
    assert.equal(entry.VIADUCT_WORKER, '4711');
    assert.equal(entry.SYSLOG_IDENTIFIER, 'viaduct');
    assert.equal(entry._TRANSPORT, 'journal');
    const [long] = await journal.entries('VIADUCT_REQUEST_ID=r-2');
    assert.equal(`${long?.MESSAGE}`.length, 240_005);
  });
});
