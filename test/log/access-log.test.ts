import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import type { Request } from '../../src/http/message.ts';
import { type AccessLog, type AccessLogFormat, createAccessLog } from '../../src/log/access-log.ts';
import { ALL_BYTES, requestOf } from '../support/handler.ts';

/** 9 November 2023, 07:08:09 UTC. */
const NOW = Date.UTC(2023, 10, 9, 7, 8, 9, 42);

class Sink {
  readonly written: string[] = [];
  takes = true;
  #onDrain: (() => void)[] = [];

  write(text: string): boolean {
    this.written.push(text);
    return this.takes;
  }

  once(_: 'drain', listener: () => void): void {
    this.#onDrain.push(listener);
  }

  drain(): void {
    this.takes = true;
    for (const listener of this.#onDrain.splice(0)) listener();
  }

  get text(): string {
    return this.written.join('');
  }
}

function open(format: AccessLogFormat, sink: Sink, onDropped: (lines: number) => void = () => {}): AccessLog {
  const log = createAccessLog({ format, sink, onDropped });
  assert.ok(log !== null);
  return log;
}

/** The line of one request that took no time. */
function line(format: AccessLogFormat, parts: Partial<Request>, status = 200, bodyBytes = 0): string {
  const sink = new Sink();
  const log = open(format, sink);
  const peer = { ...requestOf().peer, remoteAddress: '192.0.2.7' };
  log.onAnswered(requestOf({ host: 'example.org', peer, ...parts }), status, bodyBytes, performance.now());
  log.flush();
  return sink.text;
}

const HEADERS = [
  'Host',
  'example.org',
  'User-Agent',
  'curl/8.0',
  'Referer',
  'https://example.org/a',
  'user-agent',
  'second',
];

describe('the access log', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setTimeout', 'Date'], now: NOW }));
  afterEach(() => mock.timers.reset());

  it('does not exist when it is off', () => {
    const sink = new Sink();
    assert.equal(createAccessLog({ format: 'off', sink, onDropped: () => assert.fail() }), null);
    assert.deepEqual(sink.written, []);
  });

  it('is one line for people as text', () => {
    assert.match(
      line('text', { method: 'POST', path: '/a/b', query: 'q=1' }, 302, 17),
      /^07:08:09 302 POST \/a\/b\?q=1 17 B 0\.\d ms\n$/,
    );
  });

  it('is one object in one line as JSON', () => {
    const text = line('json', { path: '/a', query: 'q=1', headers: HEADERS }, 404, 1234);
    const entry = JSON.parse(text) as Record<string, unknown>;
    assert.equal(text.indexOf('\n'), text.length - 1);
    assert.equal(typeof entry.duration_ms, 'number');
    delete entry.duration_ms;
    assert.match(String(entry.request_id), /^[0-9a-f]{12}-[0-9a-z]+$/);
    delete entry.request_id;
    assert.deepEqual(entry, {
      time: '2023-11-09T07:08:09.042Z',
      remote_address: '192.0.2.7',
      method: 'GET',
      host: 'example.org',
      path: '/a',
      query: 'q=1',
      status: 404,
      body_bytes: 1234,
      user_agent: 'curl/8.0',
      referer: 'https://example.org/a',
      protocol: 'HTTP/1.1',
    });
  });

  it('is what nginx and Apache write as combined', () => {
    assert.equal(
      line('combined', { path: '/a', query: 'q=1', headers: HEADERS }, 200, 1234),
      '192.0.2.7 - - [09/Nov/2023:07:08:09 +0000] "GET /a?q=1 HTTP/1.1" 200 1234 "https://example.org/a" "curl/8.0"\n',
    );
  });

  it('has a dash for absent values as combined', () => {
    const peer = { ...requestOf().peer, remoteAddress: '' };
    assert.equal(
      line('combined', { method: 'HEAD', protocol: 'HTTP/1.0', peer }, 304, 0),
      '- - - [09/Nov/2023:07:08:09 +0000] "HEAD / HTTP/1.0" 304 0 "-" "-"\n',
    );
  });

  for (const format of ['text', 'json', 'combined'] as const) {
    it(`is one line of visible ASCII as ${format} when clients send any bytes`, () => {
      const headers = ['User-Agent', ALL_BYTES, 'Referer', ALL_BYTES];
      const text = line(format, { method: ALL_BYTES, path: ALL_BYTES, query: ALL_BYTES, host: ALL_BYTES, headers });
      assert.match(text, /^[\x20-\x7e]+\n$/);
    });
  }

  it('escapes as nginx does in quotes, so that no field ends early', () => {
    const headers = ['User-Agent', 'a" 200 1 "b\\x\n127.0.0.1 - \x1b[2J\x9b\xff'];
    const text = line('combined', { headers });
    const agent = 'a\\x22 200 1 \\x22b\\x5Cx\\x0A127.0.0.1 - \\x1B[2J\\x9B\\xFF';
    assert.ok(text.endsWith(`"-" "${agent}"\n`), text);
    assert.equal(text.split('"').length - 1, 6);
  });

  it('keeps every byte as JSON', () => {
    const { path, user_agent } = JSON.parse(line('json', { path: ALL_BYTES, headers: ['user-agent', ALL_BYTES] }));
    assert.equal(path, ALL_BYTES);
    assert.equal(user_agent, ALL_BYTES);
  });

  it('writes lines together, a tenth of a second after the first line', () => {
    const sink = new Sink();
    const log = open('text', sink);
    for (let i = 0; i < 3; i += 1) log.onAnswered(requestOf(), 200, 0, performance.now());
    mock.timers.tick(99);
    assert.equal(sink.written.length, 0);
    mock.timers.tick(1);
    assert.equal(sink.written.length, 1);
    assert.equal(sink.text.split('\n').length, 4);
    mock.timers.tick(1000);
    assert.equal(sink.written.length, 1);
  });

  it('writes at once when many lines wait', () => {
    const sink = new Sink();
    const log = open('text', sink);
    for (let i = 0; i < 100; i += 1)
      log.onAnswered(requestOf({ path: `/${'x'.repeat(1000)}` }), 200, 0, performance.now());
    assert.equal(sink.written.length, 1);
  });

  it('keeps a limited number of lines while its reader is slow, counts the others, and continues', () => {
    const sink = new Sink();
    const dropped: number[] = [];
    const log = open('text', sink, (lines) => dropped.push(lines));
    const answer = (count: number): void => {
      for (let i = 0; i < count; i += 1)
        log.onAnswered(requestOf({ path: `/${'x'.repeat(999)}` }), 200, 0, performance.now());
    };
    sink.takes = false;
    answer(1);
    mock.timers.tick(100);
    assert.equal(sink.written.length, 1);
    answer(1000);
    mock.timers.tick(60_000);
    assert.equal(sink.written.length, 1, 'nothing is written before drain');
    sink.drain();
    assert.equal(sink.written.length, 2);
    const kept = sink.text.split('\n').length - 1;
    assert.ok(sink.text.length < 200_000, `${sink.text.length}`);
    assert.deepEqual(dropped, [1001 - kept]);
    answer(1);
    mock.timers.tick(100);
    assert.equal(sink.text.split('\n').length - 1, kept + 1);
    assert.equal(dropped.length, 1);
  });

  it('writes all waiting lines when the server ends, even to a slow reader', () => {
    const sink = new Sink();
    sink.takes = false;
    const log = open('text', sink);
    log.onAnswered(requestOf(), 200, 0, performance.now());
    log.flush();
    log.onAnswered(requestOf(), 200, 0, performance.now());
    log.flush();
    assert.equal(sink.text.split('\n').length - 1, 2);
  });
});
