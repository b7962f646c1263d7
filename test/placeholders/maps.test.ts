import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MapOptions } from '../../src/placeholders/map-table.ts';
import { placeholders } from '../../src/placeholders/maps.ts';
import { fillTemplate, parseTemplate } from '../../src/placeholders/template.ts';
import { requestOf } from '../support/handler.ts';

const MAPS: Readonly<Record<string, MapOptions>> = {
  site: {
    source: '{host}',
    values: { 'exact.example': 'exact', 'shop.example:81': 'port' },
    hosts: { 'shop.example': 'shop', '*.example': 'below', '*.b.example': 'deeper' },
    default: 'none',
  },
  anyCase: { source: '{path}', values: { '/Old': 'new' }, caseless: true },
  page: {
    source: '{path}',
    patterns: [
      { pattern: '^/u/(?<user>[^/]+)/(.*)$', value: '{user}:{2}@{method}' },
      { pattern: '^/u/', value: 'user' },
    ],
  },
  from: {
    source: '{header.X-From}',
    values: { '10.0.0.9': 'exact' },
    ranges: { '10.0.0.0/8': 'office {method}', '10.1.0.0/16': 'lab', loopback: 'here' },
    patterns: [{ pattern: '^1', value: 'pattern' }],
    default: 'elsewhere',
  },
  both: {
    source: '{map.site} {header.X-Kind}',
    values: { 'exact x': '{map.page}', 'none ü': 'umlaut' },
    default: '{{n}',
  },
};

function found(name: string, changes: Parameters<typeof requestOf>[0]): string {
  const template = parseTemplate(`{map.${name}}`, placeholders(MAPS), { setting: 'test' });
  return fillTemplate(template, requestOf(changes));
}

describe('a map', () => {
  const cases: readonly (readonly [name: string, changes: Parameters<typeof requestOf>[0], value: string])[] = [
    ['site', { host: 'exact.example' }, 'exact'],
    ['site', { host: 'shop.example:81' }, 'port'],
    ['site', { host: 'SHOP.example.:8000' }, 'shop'],
    ['site', { host: 'a.shop.example' }, 'below'],
    ['site', { host: 'x.a.b.example' }, 'deeper'],
    ['site', { host: '' }, 'none'],
    ['site', { host: `${'a.'.repeat(5000)}example` }, 'none'],
    ['site', { host: 'constructor' }, 'none'],
    ['page', { path: '/u/jane/a/b', method: 'PUT' }, 'jane:a/b@PUT'],
    ['page', { path: '/u/' }, 'user'],
    ['page', { path: '/' }, ''],
    ['from', { headers: ['X-From', '10.0.0.9'] }, 'exact'],
    ['from', { headers: ['X-From', '10.2.0.9'] }, 'office GET'],
    ['from', { headers: ['X-From', '10.1.0.9'] }, 'lab'],
    ['from', { headers: ['X-From', '::1'] }, 'here'],
    ['from', { headers: ['X-From', '192.0.2.1'] }, 'pattern'],
    ['from', { headers: ['X-From', 'nobody'] }, 'elsewhere'],
    ['anyCase', { path: '/oLD' }, 'new'],
    ['anyCase', { path: '/older' }, ''],
    ['both', { host: 'exact.example', headers: ['X-Kind', 'x'], path: '/u/' }, 'user'],
    ['both', { host: '', headers: ['x-kind', '\xc3\xbc'] }, 'umlaut'],
    ['both', {}, '{n}'],
  ];
  for (const [name, changes, value] of cases) {
    it(`${name} has "${value}" for ${JSON.stringify(changes)}`, () => assert.equal(found(name, changes), value));
  }

  const refused: readonly (readonly [maps: Readonly<Record<string, MapOptions>>, message: RegExp])[] = [
    [{ a: { source: 'path', values: { '/a': 'x' } } }, /map\.a\.source "path": it has no placeholder/],
    [{ a: { source: '{map.a}' } }, /map\.a: it needs itself: map\.a → map\.a/],
    [
      {
        a: { source: '{path}', values: { x: '{map.b}' } },
        b: { source: '{map.c}' },
        c: { source: '{host}', patterns: [{ pattern: 'x', value: '{map.a}' }] },
      },
      /map\.a → map\.b → map\.c → map\.a/,
    ],
    [{ a: { source: '{hots}' } }, /\{hots\} in map\.a\.source/],
    [{ a: { source: '{host}', values: { x: '{1}' } } }, /\{1\} in map\.a\.values/],
    [{ a: { source: '{status}' } }, /no response yet/],
    [{ a: { source: '{host}', patterns: [{ pattern: '(', value: '' }] } }, /map\.a\.patterns/],
    [{ a: { source: '{host}', patterns: [{ pattern: '(.)', value: '{2}' }] } }, /\{2\}/],
    [{ a: { source: '{map.b}' } }, /\{map\.b\}.*no such placeholder/],
  ];
  for (const [maps, message] of refused) {
    it(`is refused: ${JSON.stringify(maps)}`, () => assert.throws(() => placeholders(maps), message));
  }

  it('may have the text of a placeholder of another map', () => {
    const known = placeholders({
      a: { source: '{host}', default: '{{map.b}' },
      b: { source: '{map.a}', default: 'b' },
    });
    assert.equal(fillTemplate(parseTemplate('{map.a} {map.b}', known, { setting: 'test' }), requestOf()), '{map.b} b');
  });
});
