import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createLog, type Fields } from '../../src/log/log.ts';
import { ALL_BYTES } from '../support/handler.ts';

function written(format: 'text' | 'json', level: 'info' | 'warn' | 'error', message: string, fields?: Fields): string {
  let text = '';
  const write = (line: string): void => {
    text += line;
  };
  const log = createLog(format, { writableLength: 0, write });
  log[level](message, fields);
  return text;
}

describe('the log as text', () => {
  it('has the time, and the level when it is not info', () => {
    assert.match(written('text', 'info', 'Started'), /^\d\d:\d\d:\d\d Started\n$/);
    assert.match(written('text', 'warn', 'Slow'), /^\d\d:\d\d:\d\d warn: Slow\n$/);
    assert.match(written('text', 'error', 'Broken'), /^\d\d:\d\d:\d\d error: Broken\n$/);
  });

  it('has the fields after the first line and indents the other lines', () => {
    const text = written('text', 'error', 'Broken\n  File "a.py"\nValueError', {
      worker: 12,
      request: 'GET /a b',
      path: '/a',
    });
    assert.equal(
      text.slice('07:08:09 '.length),
      'error: Broken worker=12 request="GET /a b" path=/a\n           File "a.py"\n         ValueError\n',
    );
  });

  it('puts a field in quotes when it could look like other fields', () => {
    assert.match(written('text', 'info', 'x', { request: 'GET / worker=1' }), / request="GET \/ worker=1"\n$/);
    assert.match(written('text', 'info', 'x', { request: 'a"b\nc' }), / request="a\\"b\\nc"\n$/);
  });

  it('never shows text of a client as an entry', () => {
    const forged = 'bad value\r\n07:08:09 error: forged\n07:08:09 forged\r07:08:09 forged';
    const [first, ...more] = written('text', 'error', forged, { request: forged }).split('\n').slice(0, -1);
    assert.match(first as string, /^\d\d:\d\d:\d\d error: bad value request="/);
    assert.equal(more.length, 2);
    for (const line of more) assert.match(line, /^ {9}\S/);
  });

  it('never lets text of a client control the terminal', () => {
    const text = written('text', 'error', `${ALL_BYTES}\u202e\u2066\u2028`, { field: `${ALL_BYTES}\u202e` });
    assert.doesNotMatch(text, /[^\P{Cc}\n\t]|\p{Bidi_Control}|\u2028/u);
    assert.ok(text.includes('\\x1B') && text.includes('\\x9B') && text.includes('\\u{202E}'), text);
  });

  it('does not escape ordinary text', () => {
    const message = 'Überraschung: naïve 日本語 👨‍👩‍👧 "quoted" C:\\path\tend';
    assert.ok(written('text', 'info', message).includes(message));
  });
});

describe('the log as JSON', () => {
  it('is one object in one line, with time, level, message and the fields', () => {
    const text = written('json', 'warn', 'Slow\nvery', { worker: 12 });
    const { time, ...others } = JSON.parse(text) as { time: string };
    assert.deepEqual(others, { level: 'warn', message: 'Slow\nvery', worker: 12 });
    assert.equal(new Date(time).toISOString(), time);
    assert.equal(text.indexOf('\n'), text.length - 1);
  });

  it('is visible ASCII and keeps every character', () => {
    const text = written('json', 'info', `${ALL_BYTES}\u202e👨‍👩‍👧`);
    assert.match(text, /^[\x20-\x7e]+\n$/);
    assert.equal((JSON.parse(text) as { message: string }).message, `${ALL_BYTES}\u202e👨‍👩‍👧`);
  });
});

describe('the log on a stream whose reader is slow', () => {
  it('drops and counts entries while too much waits, and reports the number when there is room again', () => {
    const written: string[] = [];
    const stream = { writableLength: 0, write: (text: string) => written.push(text) };
    const log = createLog('text', stream);
    log.info('one');
    stream.writableLength = 2 * 1024 * 1024;
    log.error('two');
    log.error('three');
    assert.equal(written.length, 1);
    stream.writableLength = 0;
    log.info('four');
    log.info('five');
    assert.equal(written.length, 4);
    assert.match(written[1] as string, /warn: .+ dropped.+ entries=2\n$/);
    assert.match(written[2] as string, / four\n$/);
  });
});
