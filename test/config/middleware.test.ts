import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type MiddlewareEntry, parseMiddleware } from '../../src/config/middleware.ts';
import { SETTINGS } from '../../src/config/settings.ts';
import { formatValue } from '../../src/config/value.ts';
import { jsonSchema } from '../../src/site/schema/json-schema.ts';
import { errorsOf, load } from './project.ts';

const python = (path: string, options = {}): MiddlewareEntry => ({ language: 'python', path, options });
const builtin = (name: string, options = {}): MiddlewareEntry => ({ language: 'builtin', name, options });
const module = (path: string, name = '', options = {}): MiddlewareEntry => ({
  language: 'typescript',
  module: path,
  export: name,
  options,
});

describe('an item of a list of middleware', () => {
  const valid: readonly (readonly [raw: unknown, entry: MiddlewareEntry])[] = [
    ['whitenoise.middleware:WhiteNoise', python('whitenoise.middleware:WhiteNoise')],
    ['around:Holder.inner', python('around:Holder.inner')],
    ['größe:項目', python('größe:項目')],
    [{ use: 'a:b' }, python('a:b')],
    [{ use: 'a:b', options: undefined }, python('a:b')],
    ['viaduct:request-id', builtin('request-id')],
    [{ use: 'viaduct:timing', options: { digits: 2 } }, builtin('timing', { digits: 2 })],
    ['./timing.ts', module('/base/timing.ts')],
    ['../timing.mts', module('/timing.mts')],
    ['/srv/timing.js', module('/srv/timing.js')],
    ['middleware/timing.mjs', module('/base/middleware/timing.mjs')],
    ['./middleware/timing', module('/base/middleware/timing')],
    ['./timing.ts#timing', module('/base/timing.ts', 'timing')],
    ['timing.ts#default', module('/base/timing.ts', 'default')],
    ['./c#/timing.ts', module('/base/c#/timing.ts')],
    ['./c#/timing.ts#a', module('/base/c#/timing.ts', 'a')],
    [
      { use: './timing.ts#timing', options: { skip: ['/a'], nested: { on: true, off: null } } },
      module('/base/timing.ts', 'timing', { skip: ['/a'], nested: { on: true, off: null } }),
    ],
  ];
  for (const [raw, value] of valid) {
    it(`can be ${JSON.stringify(raw)}`, () => {
      assert.deepEqual(parseMiddleware(raw, '/base'), { value });
    });
  }

  const invalid: readonly (readonly [name: string, raw: unknown, message: RegExp])[] = [
    ['a number', 3, /^must be MODULE:NAME .+ or a table with that as use$/],
    ['an array', ['a:b'], /^must be MODULE:NAME/],
    ['empty', '', /^must be MODULE:NAME/],
    ['a module alone', 'whitenoise', /^must be MODULE:NAME[^;]+$/],
    ['written with dots only', 'whitenoise.middleware.WhiteNoise', /did you mean whitenoise\.middleware:WhiteNoise\?$/],
    ['a call', 'a.b:c()', /^must not be called, because Viaduct calls it: write a\.b:c/],
    ['a call with arguments', 'a:c(root="x")', /^must not be called, because Viaduct calls it: write a:c/],
    ['a Python file', './around.py', /names a Python file: write it as MODULE:NAME/],
    ['a Python file with a name', 'around.py:Named', /names a Python file/],
    ['a Python file with an export', './around.py#Named', /names a Python file/],
    ['relative Python', '.around:Named', /^must be MODULE:NAME/],
    ['a name with a space', 'a: b', /^must be MODULE:NAME/],
    ['two colons', 'a:b:c', /^must be MODULE:NAME/],
    ['a directory', './middleware/', /^must be MODULE:NAME/],
    ['an export without a name', './timing.ts#', /the name of an export after #/],
    ['an export that is not a name', './timing.ts#a-b', /the name of an export after #/],
    ['a built-in without a name', 'viaduct:', /^must be MODULE:NAME/],
    ['a built-in in camel case', 'viaduct:requestId', /^must be MODULE:NAME/],
    ['a table without use', { options: {} }, /as use$/],
    ['a table with another key', { use: 'a:b', option: {} }, /^has "option", but takes use and options only$/],
    ['a table with a number as use', { use: 1 }, /^must be MODULE:NAME/],
    ['a list as options', { use: 'a:b', options: ['x'] }, /^must have a table as options$/],
    ['a date in options', { use: 'a:b', options: { since: new Date(0) } }, /^has options\.since, which is not a text/],
    ['a function in options', { use: 'a:b', options: { on: () => {} } }, /^has options\.on, /],
    ['an infinite number', { use: 'a:b', options: { list: [{ x: Number.POSITIVE_INFINITY }] } }, /options\.list\.0\.x/],
    ['a bigint', { use: 'a:b', options: { x: 1n } }, /options\.x/],
  ];
  for (const [name, raw, message] of invalid) {
    it(`is refused when it is ${name}`, () => {
      const parsed = parseMiddleware(raw, '/base');
      assert.match('problem' in parsed ? parsed.problem : JSON.stringify(parsed), message);
    });
  }

  it('is refused when its options contain themselves', () => {
    const options: Record<string, unknown> = {};
    options.again = options;
    assert.ok('problem' in parseMiddleware({ use: 'a:b', options }, '/base'));
  });
});

describe('the middleware of the main application', { concurrency: true }, () => {
  it('comes from viaduct.toml in order, with paths relative to the file', async (t) => {
    const toml = `middleware = [
  "viaduct:request-id",
  "./around/timing.ts#timing",
  { use = "a.b:C", options = { root = "assets", prefix = "/s/", max_age = 60, deep = { list = [1, 2.5, true] } } },
]
`;
    const { settings, cwd, origins } = await load(t, {
      files: { 'deploy/site.toml': toml },
      args: ['--config', 'deploy/site.toml'],
    });
    assert.deepEqual(settings.middleware, [
      builtin('request-id'),
      module(join(cwd, 'deploy/around/timing.ts'), 'timing'),
      python('a.b:C', { root: 'assets', prefix: '/s/', max_age: 60, deep: { list: [1, 2.5, true] } }),
    ]);
    assert.equal(origins.get('middleware'), 'deploy/site.toml:1');
  });

  it('can be tables, or one text', async (t) => {
    const tables = '[[middleware]]\nuse = "a:b"\n\n[[middleware]]\nuse = "c:d"\n[middleware.options]\nx = 1\n';
    const { settings } = await load(t, { files: { 'viaduct.toml': tables } });
    assert.deepEqual(settings.middleware, [python('a:b'), python('c:d', { x: 1 })]);
    const single = await load(t, { files: { 'viaduct.toml': 'middleware = "a:b"\n' } });
    assert.deepEqual(single.settings.middleware, [python('a:b')]);
  });

  it('comes from pyproject.toml, a settings module, a variable or flags', async (t) => {
    const files = { 'pyproject.toml': '[tool.viaduct]\nmiddleware = [{ use = "a:b", options = { x = 1 } }]\n' };
    const lists = await Promise.all([
      load(t, { files }),
      load(t, {
        files: {
          'viaduct.config.ts':
            "import { defineConfig } from 'viaduct/config';\nexport default defineConfig({ middleware: [{ use: 'a:b', options: { x: 1 } }] });\n",
        },
      }),
      load(t, { files, env: { VIADUCT_MIDDLEWARE: 'viaduct:x, a:b' } }),
      load(t, { files, env: { VIADUCT_MIDDLEWARE: 'c:d' }, args: ['--middleware', 'x.ts', '--middleware', 'a:b'] }),
    ]);
    assert.deepEqual(
      lists.map(({ settings, cwd }) => JSON.parse(JSON.stringify(settings.middleware).replaceAll(cwd, '/cwd'))),
      [
        [python('a:b', { x: 1 })],
        [python('a:b', { x: 1 })],
        [builtin('x'), python('a:b')],
        [module('/cwd/x.ts'), python('a:b')],
      ],
    );
  });

  it('is empty by default, or when a list is empty', async (t) => {
    assert.deepEqual((await load(t, {})).settings.middleware, []);
    const files = { 'viaduct.toml': 'middleware = []\n', 'pyproject.toml': '[tool.viaduct]\nmiddleware = "a:b"\n' };
    assert.deepEqual((await load(t, { files })).settings.middleware, []);
  });

  it('is refused with the location of each invalid item', async (t) => {
    const toml = '[[middleware]]\nuse = "a.b"\n[[middleware]]\nuse = "a:b"\n[[middleware]]\nuse = "a:b"\noption = 1\n';
    const lines = await errorsOf(t, { files: { 'viaduct.toml': toml } });
    assert.equal(lines.length, 2, lines.join('\n'));
    assert.match(lines[0] ?? '', /^Cannot use middleware = .*"a\.b".* \(viaduct\.toml:1\): it must be MODULE:NAME/);
    assert.match(lines[1] ?? '', /^Cannot use middleware = .+ \(viaduct\.toml:5\): it has "option"/);
  });

  it('is refused with a reason when Python comes before other middleware, in every source', async (t) => {
    const why = /: it must come before a:b: Python middleware runs in the worker, directly around the application/;
    const toml = 'workers = 1\nmiddleware = ["viaduct:first", "a:b", "c:d", "./late.ts"]\n';
    const [line, ...more] = await errorsOf(t, { files: { 'viaduct.toml': toml } });
    assert.match(line ?? '', /^Cannot use middleware = "\.\/late\.ts" \(viaduct\.toml:2\)/);
    assert.match(line ?? '', why);
    assert.deepEqual(more, []);
    const [flag] = await errorsOf(t, { args: ['--middleware', 'a:b', '--middleware', 'viaduct:late'] });
    assert.match(flag ?? '', /^Cannot use --middleware "viaduct:late": /);
    assert.match(flag ?? '', why);
  });

  it('is refused with its key when a settings module has a value that is not plain data', async (t) => {
    for (const value of ['() => 1', '1n', 'new Map()']) {
      const text = `export default { middleware: [{ use: 'a:b', options: { on: ${value} } }] };\n`;
      const [line] = await errorsOf(t, { files: { 'viaduct.config.mjs': text } });
      assert.match(
        line ?? '',
        /^Cannot use middleware\[1\] = .+ \(viaduct\.config\.mjs\): it has options\.on, which is not a text/,
      );
    }
  });

  it('is formatted as configurations write it', async (t) => {
    const args = ['--middleware', 'viaduct:x', '--middleware', '/srv/x.ts#y'];
    const { settings } = await load(t, { args });
    assert.equal(formatValue(SETTINGS.middleware, settings.middleware), 'viaduct:x, /srv/x.ts#y');
    assert.equal(formatValue(SETTINGS.middleware, [python('a:b', { x: [1] })]), 'a:b {"x":[1]}');
  });
});

describe('the middleware of another application', { concurrency: true }, () => {
  it('comes from its table, as texts and tables', async (t) => {
    const toml = '[apps.x]\ntarget = "x:y"\nmiddleware = ["./m.ts", { use = "a:b", options = { x = 1 } }]\n';
    const { site, settings } = await load(t, { files: { 'viaduct.toml': toml } });
    assert.deepEqual(site?.apps.x?.middleware, ['./m.ts', { use: 'a:b', options: { x: 1 } }]);
    assert.deepEqual(settings.middleware, []);
  });

  const invalid: readonly (readonly [name: string, toml: string, message: RegExp])[] = [
    ['an item', 'middleware = ["a:b", "c.d"]', /apps\.x\.middleware\[2\] = "c\.d" \(viaduct\.toml:3\): .+ mean c:d\?$/],
    ['the only item', 'middleware = "c.d"', /apps\.x\.middleware = "c\.d" \(viaduct\.toml:3\): it must be MODULE:NAME/],
    ['a number as item', 'middleware = [3]', /apps\.x\.middleware\[1\] = 3 \(viaduct\.toml:3\): it must be/],
    [
      'the order',
      'middleware = ["a:b", "./m.ts"]',
      /middleware\[2\] = "\.\/m\.ts" \(viaduct\.toml:3\): it must come before/,
    ],
    [
      'a key',
      '[[apps.x.middleware]]\nuse = "a:b"\noption = {}',
      /middleware\[1\]\.option \(viaduct\.toml:5\).+options\?$/,
    ],
    [
      'options',
      'middleware = [{ use = "a:b", options = { x = nan } }]',
      /\(viaduct\.toml:3\): it has options\.x, which/,
    ],
    [
      'the name of the key',
      'middlewares = ["a:b"]',
      /apps\.x\.middlewares \(viaduct\.toml:3\).+did you mean middleware\?$/,
    ],
  ];
  for (const [name, toml, message] of invalid) {
    it(`is refused with its location for ${name}`, async (t) => {
      const lines = await errorsOf(t, { files: { 'viaduct.toml': `[apps.x]\ntarget = "x:y"\n${toml}\n` } });
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.match(lines[0] ?? '', message);
    });
  }
});

describe('the JSON Schema', () => {
  it('describes middleware at the top and in [apps]', () => {
    const { properties } = jsonSchema() as { properties: Record<string, { anyOf?: unknown[] }> };
    assert.ok(Array.isArray(properties.middleware?.anyOf));
    assert.match(JSON.stringify(properties.apps), /"middleware":\{"description":"[^"]+","anyOf"/);
  });
});
