import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errorsOf, load } from './project.ts';

describe('the site in a settings file', { concurrency: true }, () => {
  it('is null if no file has its keys', async (t) => {
    assert.equal((await load(t, { files: { 'viaduct.toml': 'workers = 2\n' } })).site, null);
  });

  it('is parsed: one value becomes a list, times become milliseconds, true becomes the default options', async (t) => {
    const toml =
      '[[route]]\npath = "/a/*"\nproxy = "http://127.0.0.1:1"\nproxy_options = { connect_timeout_ms = "2s" }\ncompression = true\n';
    const { site } = await load(t, { files: { 'viaduct.toml': toml } });
    const [route] = site?.route ?? [];
    assert.deepEqual(route?.path, ['/a/*']);
    assert.equal(route?.proxy_options.connect_timeout_ms, 2000);
    assert.equal(route?.proxy_options.response_timeout_ms, 60_000);
    assert.deepEqual(route?.compression, { bytes_min: 1024 });
  });

  it('has ranges of statuses, one or a list, for health checks', async (t) => {
    const statuses = async (status: string) => {
      const toml = `[[route]]\nproxy_options = { health = { path = "/"${status} } }\n`;
      const { site } = await load(t, { files: { 'viaduct.toml': toml } });
      return site?.route[0]?.proxy_options.health?.status;
    };
    assert.deepEqual(await statuses(''), [[200, 399]]);
    assert.deepEqual(await statuses(', status = 204'), [[204, 204]]);
    assert.deepEqual(await statuses(', status = "200-299"'), [[200, 299]]);
    assert.deepEqual(await statuses(', status = [200, "300-302"]'), [
      [200, 200],
      [300, 302],
    ]);
  });

  it('comes from viaduct.toml key by key before pyproject.toml, with the location of each key', async (t) => {
    const files = {
      'viaduct.toml': 'sendfile = "a"\n',
      'pyproject.toml': '[tool.viaduct]\nsendfile = "b"\nhttps_redirect = true\n',
    };
    const { site, siteEntries } = await load(t, { files });
    assert.deepEqual(site?.sendfile, ['a']);
    assert.deepEqual(site?.https_redirect, { port: 443 });
    assert.equal(siteEntries.get('https_redirect')?.location.position(['https_redirect']), 'pyproject.toml:3');
  });

  const invalid: [string, string, RegExp][] = [
    [
      'an unknown key of a route',
      '[[route]]\nstatic_option = {}\n',
      /route\[1\]\.static_option \(viaduct\.toml:2\): there is no such key; did you mean static_options\?/,
    ],
    [
      'a setting of the whole file below a route',
      '[[route]]\nstatic = "."\nworkers = 2\n',
      /route\[1\]\.workers \(viaduct\.toml:3\): there is no such key here; write workers above all tables/,
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
    ['a feature that is a number', 'compression = 3\n', /compression = 3 \(viaduct\.toml:1\)/],
    [
      'a text instead of the option that a feature needs',
      'rate_limit = "5/min"\n',
      /rate_limit = "5\/min" \(viaduct\.toml:1\): it must be false, a table with rate, or a list of these: \{ rate = "5\/min" \}$/,
    ],
    [
      'a time as a text without a unit',
      '[[route]]\nrequest_timeout_ms = "30"\n',
      /route\[1\]\.request_timeout_ms = "30" \(viaduct\.toml:2\): it has no unit: write 30 without quotes for milliseconds/,
    ],
    [
      'reversed ends of a range',
      '[apps.a]\ntarget = "a"\nworkers = { min = 5, max = 2 }\n',
      /apps\.a\.workers\.min = 5 \(viaduct\.toml:3\): it is more than max, which is 2$/,
    ],
    [
      'an extension with a dot',
      '[[route]]\nstatic = "."\nstatic_options = { types = { ".html" = "text/plain" } }\n',
      /route\[1\]\.static_options\.types\.\.html .*: its name must be an extension in lower case, without a dot/,
    ],
    [
      'a type that is not a media type',
      '[[route]]\nstatic = "."\nstatic_options = { default_type = "html" }\n',
      /default_type = "html" .*: it must be a media type, such as text\/plain/,
    ],
    [
      'a feature that needs options',
      'rate_limit = true\n',
      /Cannot use rate_limit = true \(viaduct\.toml:1\): it must be false, a table with rate, or a list of these$/,
    ],
    [
      'a limit without a rate in a list',
      'rate_limit = [{ rate = "1/s" }, { burst = 2 }]\n',
      /Cannot use rate_limit\[2\] \(viaduct\.toml:1\): it needs the key rate/,
    ],
    [
      'a list of limits without any',
      'request_limit = []\n',
      /Cannot use request_limit = \[\] .*: it must be true, false, a table or a list of tables$/,
    ],
    [
      'a number instead of a list',
      '[[route]]\nhost = 3\n',
      /host = 3 \(viaduct\.toml:2\): it must be a host name, .+, or a list$/,
    ],
    ['a number instead of a table', 'apps = 3\n', /apps = 3 \(viaduct\.toml:1\): it must be a table$/],
    [
      'the name of an application',
      '[apps."a b"]\ntarget = "x"\n',
      /apps\.a b \(viaduct\.toml:1\): its name must be of letters, digits, - and _$/,
    ],
    ['a missing key', '[apps.x]\nworkers = 1\n', /Cannot use apps\.x \(viaduct\.toml:1\): it needs the key target/],
    [
      'a key of digits, which is not an item of a list',
      '[[route]]\nerror_pages = { routes = { 404 = "sorry" } }\n',
      /route\[1\]\.error_pages\.routes\.404 = "sorry" \(viaduct\.toml:2\): it must be a path/,
    ],
    [
      'a host of a map that no host matches',
      '[map.a]\nsource = "{host}"\nhosts = { "*.*" = "x" }\n',
      /map\.a\.hosts\.\*\.\* .*: its name must be a host name, /,
    ],
    [
      'a condition that nothing meets',
      '[[route]]\nwhen = { "{path}" = [] }\n',
      /route\[1\]\.when\.\{path\} = \[\] .*: it must be a text, a list of texts, or a table/,
    ],
    [
      'a schedule without a time',
      '[[schedule]]\ncommand = "true"\n',
      /Cannot use schedule\[1\].* \(viaduct\.toml:1\): it needs cron or every_ms/,
    ],
    ['a route that is not a table', 'route = [1]\n', /route\[1\] = 1 \(viaduct\.toml:1\)/],
    [
      'an item of a list',
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
  for (const [name, toml, expected] of invalid) {
    it(`is refused with its location for ${name}`, async (t) => {
      const lines = await errorsOf(t, { files: { 'viaduct.toml': toml } });
      assert.equal(lines.length, 1, lines.join('\n'));
      assert.match(lines[0] ?? '', expected);
    });
  }

  it('is refused when a settings module exports nothing, or fails', async (t) => {
    const [nothing] = await errorsOf(t, { files: { 'viaduct.config.ts': 'export default 1;\n' } });
    assert.match(nothing ?? '', /viaduct\.config\.ts.+default export/);
    const [failing] = await errorsOf(t, { files: { 'viaduct.config.mjs': 'throw new Error("why");\n' } });
    assert.match(failing ?? '', /viaduct\.config\.mjs.+why/);
  });
});
