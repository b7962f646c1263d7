import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SITE_KEYS } from '../../src/config/site/keys.ts';
import { siteSchema } from '../../src/config/site/schema.ts';
import { load, mistakesOf } from './project.ts';

describe('the site in a settings file', { concurrency: true }, () => {
  it('has the keys that are known without its schema', () => {
    assert.deepEqual([...SITE_KEYS].sort(), Object.keys(siteSchema.shape).sort());
  });

  it('is null where no file has any of it', async (t) => {
    assert.equal((await load(t, { files: { 'viaduct.toml': 'workers = 2\n' } })).site, null);
  });

  it('is understood: one value is a list, times are milliseconds, true is a feature as it is', async (t) => {
    const toml =
      '[[route]]\npath = "/a/*"\nproxy = "http://127.0.0.1:1"\nproxy_options = { connect_timeout_ms = "2s" }\ncompression = true\n';
    const { site } = await load(t, { files: { 'viaduct.toml': toml } });
    const [route] = site?.route ?? [];
    assert.deepEqual(route?.path, ['/a/*']);
    assert.equal(route?.proxy_options.connect_timeout_ms, 2000);
    assert.equal(route?.proxy_options.response_timeout_ms, 60_000);
    assert.deepEqual(route?.compression, {});
  });

  it('comes from viaduct.toml key by key before pyproject.toml, with relative paths from each', async (t) => {
    const files = {
      'viaduct.toml': 'sendfile = "a"\n',
      'pyproject.toml': '[tool.viaduct]\nsendfile = "b"\nhttps_redirect = true\n',
    };
    const { site, siteEntries } = await load(t, { files });
    assert.deepEqual(site?.sendfile, ['a']);
    assert.deepEqual(site?.https_redirect, {});
    assert.equal(siteEntries.get('https_redirect')?.place(['https_redirect']), 'pyproject.toml:3');
  });

  const wrong: [string, string, RegExp][] = [
    [
      'an unknown key of a route',
      '[[route]]\nstatic_option = {}\n',
      /route\[1\]\.static_option \(viaduct\.toml:2\): there is no such key; did you mean static_options\?/,
    ],
    [
      'an unknown key of a feature',
      'compression = { types = "text/html", min = 1 }\n',
      /compression\.min \(viaduct\.toml:1\): there is no such key/,
    ],
    [
      'a value of a feature',
      'rate_limit = { rate = "1/s", burst = 0 }\n',
      /rate_limit\.burst = 0 \(viaduct\.toml:1\): it must be a whole number from 1/,
    ],
    ['a feature that is neither', 'compression = 3\n', /compression = 3 \(viaduct\.toml:1\)/],
    ['what is missing', '[apps.x]\nworkers = 1\n', /Cannot use apps\.x \(viaduct\.toml:1\): it needs target/],
    ['a route that is no table', 'route = [1]\n', /route\[1\] = 1 \(viaduct\.toml:1\)/],
    [
      'one of a list',
      '[[route]]\nhost = ["a.org", "a b"]\n',
      /route\[1\]\.host\[2\] = "a b" \(viaduct\.toml:2\): it must be a host name/,
    ],
    [
      'a time',
      '[[route]]\nproxy_options = { idle_timeout_ms = "soon" }\n',
      /idle_timeout_ms = "soon" \(viaduct\.toml:2\): it must be a time/,
    ],
    ['a misspelt key of the site', '[[rout]]\n', /"rout".+did you mean route\?/],
  ];
  for (const [what, toml, expected] of wrong) {
    it(`is refused with its place for ${what}`, async (t) => {
      const lines = await mistakesOf(t, { files: { 'viaduct.toml': toml } });
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.match(lines[0] ?? '', expected);
    });
  }

  it('is refused when a module of settings exports nothing, or fails', async (t) => {
    const [nothing] = await mistakesOf(t, { files: { 'viaduct.config.ts': 'export default 1;\n' } });
    assert.match(nothing ?? '', /viaduct\.config\.ts.+default export/);
    const [failing] = await mistakesOf(t, { files: { 'viaduct.config.mjs': 'throw new Error("why");\n' } });
    assert.match(failing ?? '', /viaduct\.config\.mjs.+why/);
  });
});
