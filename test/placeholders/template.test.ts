import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ViaductError } from '../../src/errors.ts';
import { placeholders } from '../../src/placeholders/maps.ts';
import type { Moment } from '../../src/placeholders/placeholder.ts';
import { STANDARD_PLACEHOLDERS } from '../../src/placeholders/placeholders.ts';
import { fillTemplate, parseTemplate, templateOfPlain } from '../../src/placeholders/template.ts';
import { requestOf } from '../support/handler.ts';

const REQUEST = requestOf({
  method: 'POST',
  path: '/a%20b',
  query: 'q=1+2&q=3&na%6De=%C3%BC%0D%0A&empty=&flag&q%5B%5D=x',
  host: 'Shop.example:8443',
  headers: ['Host', 'Shop.example:8443', 'X-A', '1', 'x-a', '2', 'Cookie', 'theme=dark; id="7"', 'X-Bytes', '\xc3\xbc'],
  peer: {
    secure: true,
    localAddress: '203.0.113.1',
    localPort: 443,
    tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', serverName: 'shop.example' },
    clientCertificate: { subject: 'CN=Jané', issuer: 'CN=CA', serial: '0A', fingerprint256: 'AB:CD', verified: true },
  },
});

function filled(text: string, moment: Moment = 'request', request = REQUEST, groups = ['one', '']): string {
  const place = { setting: 'test', moment, groups: { names: ['first', ''], areEncoded: true } };
  const answer = { status: 404, lines: 'Set-Cookie: a\r\nX-B: 1\r\nx-b: 2\r\n', bodyBytes: 12, durationMs: 1.23456 };
  return fillTemplate(parseTemplate(text, STANDARD_PLACEHOLDERS, place), request, answer, groups);
}

describe('a template', () => {
  const values: readonly (readonly [text: string, filled: string])[] = [
    ['{method} {scheme}://{host}{uri}', `POST https://Shop.example:8443/a%20b?${REQUEST.query}`],
    ['{hostname} {port} {path} {query} {protocol}', `shop.example 8443 /a%20b ${REQUEST.query} HTTP/1.1`],
    ['{client.address}:{client.port}', '192.0.2.1:5000'],
    ['{server.address}:{server.port}', '203.0.113.1:443'],
    ['{tls.version} {tls.cipher} {tls.server_name}', 'TLSv1.3 TLS_AES_256_GCM_SHA384 shop.example'],
    ['{tls.client.verified} {tls.client.subject} {tls.client.issuer}', 'true CN=Jan\xc3\xa9 CN=CA'],
    ['{tls.client.serial} {tls.client.fingerprint}', '0A AB:CD'],
    ['{header.X-A} {header.x-bytes} {header.Absent}', '1, 2 \xc3\xbc '],
    ['{cookie.theme} {cookie.id} {cookie.absent}', 'dark "7" '],
    ['{query.q} {query.name} {query.empty} {query.flag} {query.q[]}', '1 2 \xc3\xbc\r\n   x'],
    ['{1} {first} {2}', 'one one '],
    [
      '{"a":"{method}"} {} { {{method} {{{method} {{ method }} {A} {a-b}',
      '{"a":"POST"} {} { {method} {POST {{ method }} {A} {a-b}',
    ],
  ];
  for (const [text, expected] of values) {
    it(`fills in ${text}`, () => assert.equal(filled(text), expected));
  }

  it('has the method and the host in one spelling, as applications read them', () => {
    const request = requestOf({ method: 'post', host: 'Shop.Example.:8443' });
    assert.equal(filled('{method} {hostname} {host}', 'request', request), 'POST shop.example Shop.Example.:8443');
  });

  it('has the path as routes compare it', () => {
    for (const [path, decoded] of [
      ['/%61dmin//x%2Fy', '/admin/x/y'],
      ['/%C3%BC', '/\xc3\xbc'],
      ['/a/%2e%2e/b', ''],
    ] as const)
      assert.equal(filled('{path.decoded}', 'request', requestOf({ path })), decoded);
  });

  it('has the id of the request, the same each time', () => {
    assert.match(filled('{request.id}'), /^[0-9a-f]{12}-/);
    assert.equal(filled('{request.id}'), filled('{request.id}'));
  });

  it('has the time in UTC', () => {
    assert.match(filled('{time}'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.match(filled('{time.unix}'), /^\d{10}$/);
    assert.match(filled('{time.unix_ms}'), /^\d{13}$/);
    assert.match(filled('{time.http}'), /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/);
  });

  it('has what is known of the answer', () => {
    assert.equal(filled('{status} {response.header.X-B} {response.header.No}|', 'response'), '404 1, 2 |');
    assert.equal(filled('{body_bytes} {duration_ms} {worker}{queue_ms}{python_ms}{reason}{route}', 'end'), '12 1.235 ');
  });

  it('has empty values for what a connection without TLS does not have', () => {
    const text = '{tls.version}{tls.cipher}{tls.server_name}{tls.client.verified}{tls.client.subject}{server.address}';
    assert.equal(filled(text, 'request', requestOf()), '');
    assert.equal(
      filled('{port} {server.port}|{client.port}', 'request', requestOf({ peer: { remotePort: 0 } })),
      '80 |',
    );
  });

  it('can stand for any plain text', () => {
    for (const text of ['{path}', '{{path}', '{{{1}} {header.X} {', '{"a":{"b":1}}', '{A}', '{map.none}'])
      assert.equal(filled(templateOfPlain(text)), text);
  });

  const refused: readonly (readonly [text: string, message: RegExp])[] = [
    ['{pth}', /\{pth\} in test "\{pth\}": there is no such placeholder; did you mean \{path\}\?/],
    ['{client.adress}', /did you mean \{client\.address\}\?/],
    ['{map.nam}', /no such placeholder/],
    ['{header.}', /^$/],
    ['{header.a b}', /^$/],
    ['{header.X:Y}', /no such placeholder/],
    ['{frist}', /did you mean \{first\}\?/],
    ['{3}', /no such placeholder/],
    ['{0}', /no such placeholder/],
    ['{01}', /no such placeholder/],
    ['{constructor}', /no such placeholder/],
    ['{status}', /there is no response yet/],
    ['{response.header.X}', /there is no response yet/],
    ['{duration_ms}', /only the access log knows it/],
  ];
  for (const [text, message] of refused) {
    if (message.source === '^$') it(`leaves ${text}`, () => assert.equal(filled(text), text));
    else
      it(`is refused with ${text}`, () => {
        assert.throws(
          () => filled(text),
          (error) => error instanceof ViaductError && error.code === 'SETTINGS' && message.test(error.message),
        );
      });
  }

  it('is refused if a group has the name of a placeholder', () => {
    const place = { setting: 'test', groups: { names: ['path'], areEncoded: true } };
    assert.throws(() => parseTemplate('{path}', STANDARD_PLACEHOLDERS, place), /a group of the pattern has the name/);
    assert.equal(parseTemplate('{host}', STANDARD_PLACEHOLDERS, place).length, 1);
  });

  it('knows the names of maps', () => {
    const known = placeholders({ colour: { source: '{host}', default: 'red' } });
    assert.throws(() => parseTemplate('{map.color}', known, { setting: 'test' }), /did you mean \{map\.colour\}\?/);
  });
});
