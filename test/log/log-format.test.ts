import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import type { Request } from '../../src/http/message.ts';
import { newRecord } from '../../src/http/request-record.ts';
import { compileLogFormat } from '../../src/log/log-format.ts';
import { placeholders } from '../../src/placeholders/maps.ts';
import { ALL_BYTES, requestOf } from '../support/handler.ts';

/** The end of the response: 10 October 2000, 20:55:38.120 UTC. It started 2.5 s before. */
const NOW = Date.UTC(2000, 9, 10, 20, 55, 38, 120);
const MS = 2500.125;

/** The example of Apache's documentation, with the fields of a browser. */
const HEADERS = [
  ...['Host', 'www.example.com:8080', 'Referer', 'http://www.example.com/start.html'],
  ...['User-Agent', 'Mozilla/4.08 [en] (Win98; I ;Nav)', 'Authorization', `Basic ${btoa('frank:secret')}`],
  ...['Cookie', 'a=1; sessionid=x=y; b=2', 'X-Forwarded-For', '192.0.2.1'],
];

const RECORD = {
  ...newRecord(),
  ...{ worker: 4711, queueUs: 2_000_000, pythonUs: 1500, id: 'abc-1', reason: 'worker died' },
  lines: 'Content-Type: text/html\r\nX-Served-By: shop\r\n',
};

function line(template: string, parts: Partial<Request> = {}, status = 200, bodyBytes = 2326): string {
  const peer = { ...requestOf().peer, remoteAddress: '127.0.0.1', secure: true };
  const request = requestOf({
    ...{ path: '/apache_pb.gif', query: 'q=1', protocol: 'HTTP/1.0', host: 'www.example.com:8080' },
    ...{ headers: HEADERS, record: RECORD, peer, ...parts },
  });
  const text = compileLogFormat(template)(request, status, bodyBytes, MS);
  assert.ok(text.endsWith('\n'));
  return text.slice(0, -1);
}

/** Directives of Apache 2.4 (mod_log_config, "Custom Log Formats") and what the request above has for them. */
const APACHE: readonly (readonly [string, string])[] = [
  ['%%', '%'],
  ['%a', '127.0.0.1'],
  ['%B', '2326'],
  ['%b', '2326'],
  ['%{sessionid}C', 'x=y'],
  ['%{absent}C', '-'],
  ['%D', '2500125'],
  ['%h', '127.0.0.1'],
  ['%H', 'HTTP/1.0'],
  ['%{Referer}i', 'http://www.example.com/start.html'],
  ['%{referer}i', 'http://www.example.com/start.html'],
  ['%{X-Absent}i', '-'],
  ['%l', '-'],
  ['%L', 'abc-1'],
  ['%m', 'GET'],
  ['%{content-type}o', 'text/html'],
  ['%{X-Served-By}o', 'shop'],
  ['%{X-Absent}o', '-'],
  ['%p', '8080'],
  ['%P', '4711'],
  ['%q', '?q=1'],
  ['%r', 'GET /apache_pb.gif?q=1 HTTP/1.0'],
  ['%s', '200'],
  ['%>s', '200'],
  ['%<s', '200'],
  ['%t', '[10/Oct/2000:20:55:35 +0000]'],
  ['%{%d/%b/%Y %T}t', '10/Oct/2000 20:55:35'],
  [
    '%{%Y-%m-%dT%H:%M:%S%z %a %e %y %F %D %s %Z %%}t',
    '2000-10-10T20:55:35+0000 Tue 10 00 2000-10-10 10/10/00 971211335 UTC %',
  ],
  ['%{sec}t', '971211335'],
  ['%{msec}t', '971211335619'],
  ['%{usec}t', '971211335619000'],
  ['%{msec_frac}t', '619'],
  ['%{usec_frac}t', '619000'],
  ['%{begin:sec}t', '971211335'],
  ['%{end:%T}t', '20:55:38'],
  ['%T', '2'],
  ['%{s}T', '2'],
  ['%{ms}T', '2500'],
  ['%{us}T', '2500125'],
  ['%u', 'frank'],
  ['%U', '/apache_pb.gif'],
  ['%v', 'www.example.com'],
  ['%V', 'www.example.com'],
  ['%{queue_ms}n', '2000'],
  ['%{python_ms}n', '1.5'],
  ['%{duration_ms}n', '2500.125'],
  ['%{worker}n', '4711'],
  ['%{request_id}n', 'abc-1'],
  ['%{reason}n', 'worker died'],
  ['%400,501{User-agent}i', '-'],
  ['%200,304{User-agent}i', 'Mozilla/4.08 [en] (Win98; I ;Nav)'],
  ['%!200,304,302{Referer}i', '-'],
  ['%!404>s', '200'],
  ['a\\tb\\n\\"\\\\', 'a\tb\n"\\'],
];

/** Atoms of gunicorn (docs/settings, `access_log_format`). */
const GUNICORN: readonly (readonly [string, string])[] = [
  ['%(h)s', '127.0.0.1'],
  ['%(l)s', '-'],
  ['%(u)s', 'frank'],
  ['%(t)s', '[10/Oct/2000:20:55:35 +0000]'],
  ['%(r)s', 'GET /apache_pb.gif?q=1 HTTP/1.0'],
  ['%(m)s', 'GET'],
  ['%(U)s', '/apache_pb.gif'],
  ['%(q)s', 'q=1'],
  ['%(H)s', 'HTTP/1.0'],
  ['%(s)s', '200'],
  ['%(B)s', '2326'],
  ['%(b)s', '2326'],
  ['%(f)s', 'http://www.example.com/start.html'],
  ['%(a)s', 'Mozilla/4.08 [en] (Win98; I ;Nav)'],
  ['%(T)s', '2'],
  ['%(M)s', '2500'],
  ['%(D)s', '2500125'],
  ['%(L)s', '2.500125'],
  ['%(p)s', '<4711>'],
  ['%({x-forwarded-for}i)s', '192.0.2.1'],
  ['%({X-Served-By}o)s', 'shop'],
  ['%({REMOTE_ADDR}e)s', '127.0.0.1'],
  ['%({REQUEST_METHOD}e)s', 'GET'],
  ['%({REQUEST_URI}e)s', '/apache_pb.gif?q=1'],
  ['%({HTTP_X_FORWARDED_FOR}e)s', '192.0.2.1'],
  ['%({wsgi.url_scheme}e)s', 'https'],
  ['%({queue_ms}n)s', '2000'],
];

describe('a template of the access log', () => {
  beforeEach(() => mock.timers.enable({ apis: ['Date'], now: NOW }));
  afterEach(() => mock.timers.reset());

  for (const [directive, value] of APACHE)
    it(`has ${JSON.stringify(directive)} of Apache`, () => assert.equal(line(`<${directive}>`), `<${value}>`));

  for (const [atom, value] of GUNICORN)
    it(`has ${atom} of gunicorn`, () => assert.equal(line(`<${atom}>`), `<${value}>`));

  it('is the combined log format of Apache', () => {
    assert.equal(
      line('%h %l %u %t \\"%r\\" %>s %b \\"%{Referer}i\\" \\"%{User-agent}i\\"'),
      '127.0.0.1 - frank [10/Oct/2000:20:55:35 +0000] "GET /apache_pb.gif?q=1 HTTP/1.0" 200 2326 "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"',
    );
  });

  it('is the default of gunicorn', () => {
    assert.equal(
      line('%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"'),
      '127.0.0.1 - frank [10/Oct/2000:20:55:35 +0000] "GET /apache_pb.gif?q=1 HTTP/1.0" 200 2326 "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"',
    );
  });

  it('has a dash for what is absent', () => {
    const parts = { headers: [], record: newRecord(), host: '', query: '' };
    assert.equal(
      line('%u %b %P %{queue_ms}n %{python_ms}n %{worker}n %{reason}n %{x}o %v', parts, 304, 0),
      '- - - - - - - - -',
    );
    assert.equal(line('[%q][%(q)s]', parts), '[][]');
  });

  it('takes the port from the scheme if the host has none', () => {
    assert.equal(line('%p', { host: 'example.org' }), '443');
  });

  it('is one line of visible ASCII when clients send any bytes', () => {
    const headers = [
      'Referer',
      ALL_BYTES,
      'Cookie',
      `a=${ALL_BYTES.replaceAll(/[;,]/g, '')}`,
      'Authorization',
      `Basic ${btoa(ALL_BYTES)}`,
    ];
    const parts = { method: ALL_BYTES, path: ALL_BYTES, query: ALL_BYTES, host: ALL_BYTES, headers };
    const text = line(
      '%r %m %U %q %(q)s %u %v %V %{Referer}i %{a}C %({HTTP_REFERER}e)s %({REQUEST_URI}e)s %(f)s',
      parts,
    );
    assert.match(text, /^[\x20-\x7e]+$/);
  });

  for (const [template, directive] of [
    ['%h %Z', '%Z'],
    ['%A', '%A'],
    ['%{X}e', '%{X}e'],
    ['%{hours}T', '%{hours}T'],
    ['%{%Q}t', '%{%Q}t'],
    ['%{nothing}n', '%{nothing}n'],
    ['%^ti', '%^ti'],
    ['%(x)s', '%(x)s'],
    ['%(h)d', '%(h)d'],
    ['%(h', '%(h'],
    ['%({SECRET}e)s', '%({SECRET}e)s'],
    ['100%', '%'],
    ['%200', '%200'],
    ['%é', '%é'],
  ] as const)
    it(`refuses ${template}`, () => {
      assert.throws(() => compileLogFormat(template), {
        code: 'SETTINGS',
        message: `Cannot use ${JSON.stringify(directive)} in access_log_format: there is no such directive`,
      });
    });

  it('has placeholders beside directives', () => {
    assert.equal(
      line('{client.address} "{header.Referer}" {cookie.none} {{path} {reason}'),
      '127.0.0.1 "http://www.example.com/start.html" - {path} worker died',
    );
    assert.equal(
      line('%m{path}%%{status}{body_bytes}x{duration_ms}{worker}'),
      'GET/apache_pb.gif%2002326x2500.1254711',
    );
    assert.equal(line('{request.id} {response.header.X-Served-By}'), 'abc-1 shop');
    assert.throws(() => compileLogFormat('{pth}'), /did you mean \{path\}/);
  });

  it('has the texts of maps', () => {
    const known = placeholders({
      kind: { source: '{header.User-agent}', patterns: [{ pattern: 'Win98', value: '{{old}' }] },
    });
    assert.equal(compileLogFormat('{map.kind}', known)(requestOf({ headers: HEADERS }), 200, 1, 1), '{old}\n');
  });

  it('escapes values of clients', () => {
    const query = 'q=%0A%22%5C%1B%C3%BC';
    const made = compileLogFormat('{query.q} {header.X} {cookie.c}')(
      requestOf({ query, headers: ['X', '"\x85\t', 'Cookie', 'c=\\"'] }),
      200,
      0,
      0,
    );
    assert.equal(made, '\\x0A\\x22\\x5C\\x1B\\xC3\\xBC \\x22\\x85\\x09 \\x5C\\x22\n');
  });
});
