import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readImported } from '../../src/cli/import/open-site.ts';
import { type ImportedFile, importFile } from '../../src/import/import-file.ts';
import { reportText } from '../../src/import/report-text.ts';
import type { Lifetime } from '../support/lifetime.ts';
import { makeProject } from '../support/project.ts';

const UNIT = `[Service]
ExecStart=/srv/old/bin/gunicorn old:app
ExecStart=
ExecStart=/srv/shop/bin/gunicorn shop.wsgi
`;

async function imported(
  t: Lifetime,
  file: string,
  text: string,
): Promise<Omit<ImportedFile, 'report'> & { readonly report: string }> {
  const cwd = makeProject(t, {});
  writeFileSync(join(cwd, file), text);
  const one = await importFile({ file, kind: null, cwd, outputDirectory: null, readImported, variablesIn: () => [] });
  return { ...one, report: reportText(one, new Set(), true).lines.join('\n') };
}

function server(directives: string, before = ''): string {
  return `http { ${before}\nserver { listen 8080; root /srv/www;\n${directives}\n} }\n`;
}

describe('an unusual configuration becomes settings that the server takes', () => {
  it('redirects to a map whose texts are not addresses', async (t) => {
    const map = 'map $uri $moved { /a default; /b /new; }';
    const { toml, report } = await imported(t, 'nginx.conf', server('location / { return 301 $moved; }', map));
    assert.doesNotMatch(toml, /route\.redirect/);
    assert.match(report, /return 301 \$moved: not carried over: it is neither a path nor a URL/);
  });

  it('maps a constant, or gives no variable', async (t) => {
    for (const [map, reason] of [
      ['map /x $there { default 1; }', 'its source is not a variable'],
      ['map $uri "" { default 1; }', 'it names no variable'],
    ] as const) {
      const { toml, report } = await imported(t, 'nginx.conf', server('', map));
      assert.doesNotMatch(toml, /\[map/);
      assert.ok(report.includes(reason), report);
    }
  });

  it('has a pattern that matches everything', async (t) => {
    const { toml } = await imported(t, 'nginx.conf', server('location ~ "" { return 204; }'));
    assert.match(toml, /path_pattern = "\^"/);
  });

  it('has types that are not valid', async (t) => {
    const { toml, report } = await imported(
      t,
      'nginx.conf',
      server('location /f/ { types { text/plain txt; location go; } }'),
    );
    assert.match(toml, /types = \{ txt = "text\/plain" \}/);
    assert.match(report, /what is not an extension or a media type is left out/);
  });

  it('has a path for a backend that has no counterpart, and options of the backend', async (t) => {
    const block = 'location ~ ^/a { proxy_pass http://127.0.0.1:8000/b; proxy_read_timeout 5s; }';
    const { toml, report } = await imported(t, 'nginx.conf', server(block));
    assert.doesNotMatch(toml, /proxy/);
    assert.match(report, /the route answers 404|not carried over/);
  });

  it('asks a check of access on a socket', async (t) => {
    const blocks = 'location / { auth_request /_in; }\nlocation = /_in { proxy_pass http://unix:/run/in.sock:/in; }';
    const { toml, report } = await imported(t, 'nginx.conf', server(blocks));
    assert.doesNotMatch(toml, /forward_auth/);
    assert.match(report, /nobody may come in/);
  });

  it('rewrites redirects to a path with other letters than ASCII', async (t) => {
    const { toml } = await imported(t, 'nginx.conf', server('location /é/ { proxy_pass http://127.0.0.1:8000/x; }'));
    assert.match(toml, /to = "\/%C3%A9\/"/);
  });

  it('takes a command of systemd back', async (t) => {
    const { toml } = await imported(t, 'app.service', UNIT);
    assert.match(toml, /shop\.wsgi/);
    assert.doesNotMatch(toml, /old/);
  });

  it('reports that slashes are joined', async (t) => {
    const { report } = await imported(t, 'nginx.conf', server('merge_slashes off;'));
    assert.match(report, /\/\/x gets what \/x gets/);
  });

  it('has files at a path that belongs to a location of a shorter path', async (t) => {
    const blocks = 'location /a/b/ { alias /srv/other/; }\nlocation ^~ / { }\nlocation ~ x { return 204; }';
    const { toml } = await imported(t, 'nginx.conf', server(blocks));
    assert.match(toml, /path = "\/a\/b" .*\nstatic = "\/srv\/www\/a"/);
    assert.match(toml, /path = "\*" [\s\S]*\nstatic = "\/srv\/www" /);
  });

  it('rewrites the path before a location is chosen, and stops there', async (t) => {
    const blocks =
      'rewrite ^/old/ /new/page break;\nlocation /old/ { return 200 old; }\nlocation /new/ { return 403; }';
    const { toml } = await imported(t, 'nginx.conf', server(blocks));
    assert.match(toml, /pattern = "\^\/old\/"[\s\S]*status = 403/);
  });

  it('sends backends neither fields nor content', async (t) => {
    const blocks =
      'location / { proxy_pass http://127.0.0.1:1; proxy_pass_request_headers off; proxy_pass_request_body off; }';
    const { report } = await imported(t, 'nginx.conf', server(blocks));
    assert.match(report, /proxy_pass_request_headers off: .*backends get the client's fields/);
    assert.match(report, /proxy_pass_request_body off: .*backends get the content/);
  });
});
