import { deepEqual, throws } from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ViaductError } from '../../src/errors.ts';
import { parseAddress } from '../../src/listen/address.ts';

describe('an address with a scheme or options', () => {
  const tcp = { kind: 'tcp', host: '0.0.0.0', port: 443 } as const;
  for (const [text, expected] of [
    ['https://0.0.0.0:443', { ...tcp, secure: true }],
    ['https://0.0.0.0:443/', { ...tcp, secure: true }],
    ['https://0.0.0.0', { ...tcp, secure: true }],
    ['http://0.0.0.0', { ...tcp, port: 80 }],
    ['http://[::1]', { kind: 'tcp', host: '::1', port: 80 }],
    ['https://[::1]:8443', { kind: 'tcp', host: '::1', port: 8443, secure: true }],
    ['https://:8443', { ...tcp, port: 8443, secure: true }],
    ['https://8443', { kind: 'tcp', host: '127.0.0.1', port: 8443, secure: true }],
    ['https://fd:3', { kind: 'fd', fd: 3, secure: true }],
    ['https://unix:/run/a.sock', { kind: 'unix', path: '/run/a.sock', secure: true }],
    ['0.0.0.0:443?proxy_protocol=on', { ...tcp, proxyProtocol: true }],
    ['0.0.0.0:443?proxy_protocol=off', tcp],
    ['[::]:443?ipv6only=on', { kind: 'tcp', host: '::', port: 443, ipv6Only: true }],
    ['[::]:443?ipv6only=off', { kind: 'tcp', host: '::', port: 443 }],
    ['unix:/a?mode=660', { kind: 'unix', path: '/a', mode: 0o660 }],
    [
      'unix:/a?mode=0600&owner=www-data:web&proxy_protocol=on',
      { kind: 'unix', path: '/a', mode: 0o600, owner: { user: 'www-data', group: 'web' }, proxyProtocol: true },
    ],
    ['unix:/a?owner=:33', { kind: 'unix', path: '/a', owner: { user: null, group: '33' } }],
    ['unix:/a?owner=33', { kind: 'unix', path: '/a', owner: { user: '33', group: null } }],
  ] as const) {
    it(`is read from ${text}`, () => deepEqual(parseAddress(text), expected));
  }

  for (const text of [
    'https://',
    'https:',
    'ftp://0.0.0.0:21',
    'https://host:99999',
    'https://host/path',
    'host:80/',
    '0.0.0.0:80?mode=660',
    '0.0.0.0:80?',
    'unix:/a?mode=999',
    'unix:/a?mode=',
    'unix:/a?owner=',
    'unix:/a?owner=a:b:c',
    'unix:/a?color=red',
    '80?proxy_protocol=yes',
    '80?ipv6only=on',
    '[::1]:80?ipv6only=on',
  ]) {
    it(`is not ${JSON.stringify(text)}`, () =>
      throws(
        () => parseAddress(text),
        (error) => error instanceof ViaductError && error.code === 'USAGE' && error.advice !== '',
      ));
  }
});
