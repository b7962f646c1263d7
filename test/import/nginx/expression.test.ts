import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { expressionOf } from '../../../src/import/nginx/expression.ts';
import { parseTemplate } from '../../../src/import/nginx/model/template.ts';
import { fill } from '../../../src/import/nginx/placeholders.ts';
import { readSize, readTime, showSize, showTime } from '../../../src/import/nginx/values.ts';
import { Pattern } from '../../../src/routing/pattern.ts';

describe('an expression', () => {
  it('matches either case where nginx does', () => {
    const expression = expressionOf(String.raw`\.(?:jpe?g|PNG|x[a-c\d_-])$`, true);
    assert.ok('source' in expression);
    const pattern = new Pattern(expression.source, 'test');
    for (const path of ['/a.jpg', '/a.JPEG', '/a.png', '/a.xB', '/a.X_', '/a.x7'])
      assert.ok(pattern.match(path) !== null, path);
    for (const path of ['/a.jpgs', '/a.xd']) assert.equal(pattern.match(path), null, path);
  });

  it('keeps the names of its groups beside it', () => {
    assert.deepEqual(expressionOf(String.raw`^/(?<year>\d+)/(?:x)/([(])/(?P<last>.)`, false), {
      source: String.raw`^/(\d+)/(?:x)/([(])/(.)`,
      groups: ['year', '', 'last'],
    });
  });

  it('may end with a look-ahead for texts that must not follow', () => {
    const expression = expressionOf(String.raw`/\.(?!well-known/acme|a\.b|ab)`, false);
    assert.ok('source' in expression);
    const pattern = new Pattern(expression.source, 'test');
    for (const path of [
      '/.',
      '/.git',
      '/.well-known',
      '/.well-knowm',
      '/.a',
      '/.a-b',
      '/.ac',
      '/.well-known/acme/.git',
    ])
      assert.ok(pattern.match(path) !== null, path);
    for (const path of ['/.well-known/acme', '/.well-known/acme/x', '/.a.b', '/.abc', '/git'])
      assert.equal(pattern.match(path), null, path);
  });

  it('may have a look-around that stands for a second pattern', () => {
    const expression = expressionOf('^/(?!static/)(?<rest>.*)(?<!\\.php)$', true);
    assert.ok('source' in expression);
    const pattern = new Pattern(expression.source, 'test');
    assert.deepEqual(pattern.match('/a.html'), ['a.html']);
    for (const path of ['/STATIC/a', '/a.PHP']) assert.equal(pattern.match(path), null, path);
  });

  for (const source of ['(?=a)', 'a(?!a)b', '(?<=a)b', String.raw`(a)\1`, '(?>a)', 'a++', '[[:alpha:]]', '(a', 'ä']) {
    it(`is refused when it is ${source}`, () => assert.ok('wrong' in expressionOf(source, false)));
  }
});

describe('a template', () => {
  const cases: readonly (readonly [text: string, filled: string | null])[] = [
    ['https://$host$request_uri', 'https://{hostname}{uri}'],
    ['$\x7bscheme}://$server_name/$1?$args', '{scheme}://example.org/{1}?{query}'],
    ['$uri$is_args$args', '{uri}'],
    ['a{host}b{{c.d}$host{ }', 'a{{host}b{{{{c.d}{hostname}{ }'],
    ['/x$is_args$args', '/x?{query}'],
    ['/people/$name', '/people/{2}'],
    ['$request_id', '{request.id}'],
    ['$http_user_agent $cookie_a $arg_b', '{header.User-Agent} {cookie.a} {query.b}'],
    ['$upstream_addr', null],
    ['/{host}', '/{{host}'],
    ['/{"a": 1}', '/{"a": 1}'],
    ['$3', null],
  ];
  for (const [text, filled] of cases) {
    it(`is ${filled ?? 'refused'} for ${text}`, () => {
      const template = fill(parseTemplate(text), { serverName: 'example.org', groups: ['', 'name'] });
      assert.equal('text' in template ? template.text : null, filled);
    });
  }
});

describe('times and sizes', () => {
  it('are read as nginx reads them', () => {
    assert.deepEqual(['60', '1m 30s', '500ms', '1h', '30d', '1M', 'x', ''].map(readTime), [
      60_000,
      90_000,
      500,
      3_600_000,
      2_592_000_000,
      2_592_000_000,
      null,
      null,
    ]);
    assert.deepEqual(['20m', '512k', '1G', '7', '1.5m', 'm'].map(readSize), [
      20_971_520,
      524_288,
      1_073_741_824,
      7,
      null,
      null,
    ]);
  });

  it('are written with the largest unit that fits', () => {
    assert.deepEqual([0, 500, 60_000, 120_000, 90_000].map(showTime), [0, '500ms', '60s', '2min', '90s']);
    assert.deepEqual([0, 1000, 2048, 20_971_520, 1_073_741_824].map(showSize), [0, 1000, '2KiB', '20MiB', '1GiB']);
  });
});
