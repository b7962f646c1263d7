import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Backend, backendAuthority, backendName, parseBackend } from '../../src/proxy/backend.ts';

describe('parseBackend', () => {
  const good: [string, Backend, string, string][] = [
    ['http://127.0.0.1:9000', { host: '127.0.0.1', port: 9000 }, 'http://127.0.0.1:9000', '127.0.0.1:9000'],
    ['http://app.internal/', { host: 'app.internal', port: 80 }, 'http://app.internal', 'app.internal'],
    ['http://[::1]:81', { host: '::1', port: 81 }, 'http://[::1]:81', '[::1]:81'],
    ['https://a.test', { host: 'a.test', port: 443, tls: {} }, 'https://a.test', 'a.test'],
    ['https://a.test:80', { host: 'a.test', port: 80, tls: {} }, 'https://a.test:80', 'a.test:80'],
    ['h2c://a.test:81', { host: 'a.test', port: 81, protocol: 'http2' }, 'h2c://a.test:81', 'a.test:81'],
    ['h2://a.test', { host: 'a.test', port: 443, protocol: 'http2', tls: {} }, 'h2://a.test', 'a.test'],
    [
      'h2c://unix:/run/app.sock',
      { host: '', port: 0, path: '/run/app.sock', protocol: 'http2' },
      'h2c://unix:/run/app.sock',
      'localhost',
    ],
    ['uwsgi://a.test:80', { host: 'a.test', port: 80, protocol: 'uwsgi' }, 'uwsgi://a.test:80', 'a.test:80'],
    ['unix:/run/app.sock', { host: '', port: 0, path: '/run/app.sock' }, 'unix:/run/app.sock', 'localhost'],
  ];
  for (const [text, backend, name, authority] of good) {
    it(`parses ${text}`, () => {
      assert.deepEqual(parseBackend(text), backend);
      assert.deepEqual([backendName(backend), backendAuthority(backend)], [name, authority]);
    });
  }

  it('applies the TLS options to backends with TLS only', () => {
    assert.deepEqual(parseBackend('https://a.test', { verify: false })?.tls, { verify: false });
    assert.deepEqual(parseBackend('h2://a.test', { verify: false })?.tls, { verify: false });
    assert.equal(parseBackend('h2c://a.test', { verify: false })?.tls, undefined);
    assert.equal(parseBackend('http://a.test', { verify: false })?.tls, undefined);
  });

  const bad = [
    '',
    'a.test:80',
    'ftp://a',
    'http://',
    'http://a:0',
    'http://a:65536',
    'http://a/path',
    'http://a?q',
    'http://u@a',
  ];
  for (const text of [...bad, 'http://[1.2.3.4]', 'http://a b', 'http://a\r\nb', 'unix:', 'unix:relative']) {
    it(`rejects ${JSON.stringify(text)}`, () => assert.equal(parseBackend(text), null));
  }
});
