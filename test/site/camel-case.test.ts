import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { camelCase, fileKey } from '../../src/config/setting.ts';
import { settingNames } from '../../src/config/settings.ts';
import type { UnknownKey } from '../../src/config/site-entries.ts';
import { camelCaseKeys } from '../../src/site/schema/camel-case.ts';
import { siteReader } from '../../src/site/schema/site-reader.ts';
import { errorsOf, load } from '../config/project.ts';

const { toFileKeys, fromFileKeys } = camelCaseKeys;
const SITE_KEYS = siteReader.keys;

interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
}

const SCHEMA = JSON.parse(readFileSync('docs/viaduct.schema.json', 'utf8')) as JsonSchema;

/** Names as users choose them, which no mapping may touch. */
const CHOSEN = ['my_app', 'X_Real-IP', 'rate_limit', '4xx'];

/** A value with every key that a schema has, each spelled by `spell`. */
function sample(schema: JsonSchema, spell: (key: string) => string): unknown {
  const { properties, additionalProperties, items, anyOf = [] } = schema;
  if (properties !== undefined) {
    return Object.fromEntries(
      Object.entries(properties).map(([key, inner]) => [spell(key), sample(inner, spell)] as const),
    );
  }
  if (typeof additionalProperties === 'object') {
    return Object.fromEntries(CHOSEN.map((name) => [name, sample(additionalProperties, spell)] as const));
  }
  if (items !== undefined) return [sample(items, spell), sample(items, spell)];
  const inner = anyOf.map((alternative) => sample(alternative, spell));
  return inner.find((value) => typeof value === 'object') ?? 'value';
}

/** The keys that lead to every value inside `value`. */
function pathsIn(value: unknown): PropertyKey[][] {
  if (typeof value !== 'object' || value === null) return [[]];
  const keys: PropertyKey[] = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  return [
    [],
    ...keys.flatMap((key) => pathsIn((value as Record<PropertyKey, unknown>)[key]).map((path) => [key, ...path])),
  ];
}

describe('keys in camelCase', () => {
  const properties = SCHEMA.properties ?? {};

  it('are the names of the settings', () => {
    const names = Object.keys(properties).filter((key) => !SITE_KEYS.has(key));
    assert.ok(names.length > 30);
    assert.deepEqual(
      names.map(camelCase),
      settingNames().filter((name) => name !== 'config'),
    );
    assert.deepEqual(names.map(camelCase).map(fileKey), names);
  });

  it('become the keys of TOML and back, each key of the JSON Schema at its place', () => {
    let count = 0;
    for (const key of SITE_KEYS) {
      const schema = properties[key] as JsonSchema;
      const inToml = sample(schema, (name) => name);
      const inTypeScript = sample(schema, camelCase);
      const unknown: UnknownKey[] = [];
      assert.deepEqual(toFileKeys(key, inTypeScript, unknown), inToml);
      assert.deepEqual(unknown, []);
      const spelled = pathsIn(inToml).map((path) => fromFileKeys([key, ...path]));
      assert.deepEqual(
        spelled,
        pathsIn(inTypeScript).map((path) => [camelCase(key), ...path]),
      );
      count += spelled.length;
    }
    assert.ok(count > 500, `${count}`);
  });

  it('are the only ones: a key of TOML is unknown, and so is every key that the schema does not have', () => {
    for (const key of SITE_KEYS) {
      const unknown: UnknownKey[] = [];
      const inToml = sample(properties[key] as JsonSchema, (name) => name);
      toFileKeys(key, inToml, unknown);
      for (const { keys, known } of unknown) {
        assert.match(String(keys.at(-1)), /_/);
        assert.ok(known.includes(camelCase(String(keys.at(-1)))), String(keys));
        assert.equal(new Set(known).size, known.length);
      }
    }
  });

  it('change only in plain objects: other values stay unchanged', () => {
    for (const value of [new Map([['a_b', 1]]), new URL('http://a/'), /a_b/, 'rate_limit', null, 3, true]) {
      assert.equal(toFileKeys('apps', value, []), value);
    }
  });
});

describe('a settings file in TypeScript', { concurrency: 4 }, () => {
  const config = (text: string) => ({ files: { 'viaduct.config.mjs': `export default ${text};\n` } });

  it('has settings and routes in camelCase, and names of the user as they are', async (t) => {
    const { settings, site } = await load(
      t,
      config(`{
        headerTimeoutMs: '7s',
        static: { '/my_files/': 'my_files' },
        middleware: [{ use: 'a:b', options: { x_for: 1, deepKey: { snake_case: 2 } } }],
        trustedProxies: ['10.0.0.0/8'],
        apps: { my_app: { target: 'a:b', middleware: { use: 'c:d', options: { x_host: 1 } } } },
        errorPages: { pages: { '4xx': 'a.html' } },
        route: [{
          pathPattern: '^/x',
          matchHeaders: { X_Key: '*' },
          matchQuery: { api_key: '1' },
          app: 'my_app',
          proxy: [{ url: 'http://127.0.0.1:1', weight: 2 }],
          proxyOptions: { connectTimeoutMs: '2s', params: { SCRIPT_FILENAME: '/a' }, sticky: { secretFile: 's', maxAgeS: 9 } },
          staticOptions: { cacheControl: [{ pattern: '*.css', value: 'no-cache' }], headers: { X_A: 'b' } },
          rateLimit: { rate: '1/s', per: { header: 'X_Key' } },
          headers: { set: { Content_Thing: 'c' }, request: { remove: ['X_B'] } },
          bodyBytesMax: '1MiB',
        }],
      }`),
    );
    assert.equal(settings.headerTimeoutMs, 7000);
    assert.equal(settings.static[0]?.urlPrefix, '/my_files/');
    assert.deepEqual(settings.middleware[0]?.options, { x_for: 1, deepKey: { snake_case: 2 } });
    assert.deepEqual(settings.trustedProxies, ['10.0.0.0/8']);
    assert.deepEqual(site?.apps.my_app?.middleware, [{ use: 'c:d', options: { x_host: 1 } }]);
    assert.deepEqual(site?.error_pages?.pages, { '4xx': 'a.html' });
    const [route] = site?.route ?? [];
    assert.deepEqual(route?.match_headers, { X_Key: '*' });
    assert.deepEqual(route?.match_query, { api_key: '1' });
    assert.equal(route?.proxy_options.connect_timeout_ms, 2000);
    assert.deepEqual(route?.proxy_options.params, { SCRIPT_FILENAME: '/a' });
    assert.deepEqual(route?.proxy_options.sticky?.secret_file, 's');
    assert.deepEqual(route?.static_options.cache_control, [{ pattern: '*.css', value: 'no-cache' }]);
    assert.deepEqual(route?.static_options.headers, { X_A: 'b' });
    assert.deepEqual(route?.rate_limit?.[0]?.per, { header: 'X_Key' });
    assert.deepEqual(route?.headers?.set, { Content_Thing: 'c' });
    assert.deepEqual(route?.headers?.request.remove, ['X_B']);
    assert.equal(route?.body_bytes_max, 1024 * 1024);
  });

  it('takes undefined for absent', async (t) => {
    const { site, settings } = await load(
      t,
      config('{ workers: undefined, tls: undefined, route: [{ path: "/a", rateLimit: undefined, name: undefined }] }'),
    );
    assert.equal(settings.threads, 4);
    assert.deepEqual(site?.route[0]?.path, ['/a']);
  });

  const F = String.raw`\(viaduct\.config\.mjs\)`;
  const cases: readonly [what: string, text: string, message: RegExp][] = [
    [
      'an unknown setting',
      '{ headerTimeOutMs: 1 }',
      RegExp(`^Cannot use setting "headerTimeOutMs" ${F}: there is no such setting; did you mean headerTimeoutMs\\?$`),
    ],
    [
      'a setting as TOML spells it',
      '{ header_timeout_ms: 1 }',
      RegExp(
        `^Cannot use setting "header_timeout_ms" ${F}: there is no such setting; did you mean headerTimeoutMs\\?$`,
      ),
    ],
    ['what another server calls it', '{ clientMaxBodySize: 1 }', /did you mean bodyBytesMax\?$/],
    [
      'a key of the site as TOML spells it',
      '{ rate_limit: { rate: "1/s" } }',
      /"rate_limit".+did you mean rateLimit\?$/,
    ],
    ['the name of the file', '{ config: "x.toml" }', /only --config and VIADUCT_CONFIG can name a settings file$/],
    [
      'a key of a route as TOML spells it',
      '{ route: [{ path: "/" }, { rate_limit: true }] }',
      RegExp(`^Cannot use route\\[2\\]\\.rate_limit ${F}: there is no such key; did you mean rateLimit\\?$`),
    ],
    [
      'an unknown key deep inside',
      '{ route: [{ proxyOptions: { health: { path: "/", intervalMS: 1 } } }] }',
      RegExp(
        `^Cannot use route\\[1\\]\\.proxyOptions\\.health\\.intervalMS ${F}: there is no such key; did you mean intervalMs\\?$`,
      ),
    ],
    [
      'an unknown key below a name of the user',
      '{ apps: { my_app: { target: "a:b", worker: 1 } } }',
      RegExp(`^Cannot use apps\\.my_app\\.worker ${F}: there is no such key; did you mean workers\\?$`),
    ],
    [
      'a wrong value of a setting',
      '{ gracefulTimeoutMs: "soon" }',
      RegExp(`^Cannot use gracefulTimeoutMs = "soon" ${F}: it must be a time`),
    ],
    [
      'a wrong item of a list',
      '{ listen: ["8000", "here:there"] }',
      RegExp(`^Cannot use listen\\[2\\] = "here:there" ${F}: it must be`),
    ],
    [
      'a wrong value of a route',
      '{ route: [{}, { rateLimit: { rate: "1/s", burst: 0 } }] }',
      RegExp(`^Cannot use route\\[2\\]\\.rateLimit\\.burst = 0 ${F}: it must be a whole number from 1`),
    ],
    [
      'a wrong table, as it is written',
      '{ route: [{ proxyOptions: { sticky: { maxAgeS: 1 } } }] }',
      RegExp(`^Cannot use route\\[1\\]\\.proxyOptions\\.sticky = {"maxAgeS":1} ${F}: it must have either a secret`),
    ],
    [
      'a missing key',
      '{ securityHeaders: { hsts: {} } }',
      RegExp(`^Cannot use securityHeaders\\.hsts ${F}: it needs the key maxAgeS$`),
    ],
    [
      'a wrong value at a name of the user',
      '{ headers: { set: { X_Name: 3 } } }',
      RegExp(`^Cannot use headers\\.set\\.X_Name = 3 ${F}: it must be a text`),
    ],
  ];
  for (const [what, text, message] of cases) {
    it(`is refused, with the names that it has in TypeScript, for ${what}`, async (t) => {
      const lines = await errorsOf(t, config(text));
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.match(lines[0] ?? '', message);
    });
  }
});
