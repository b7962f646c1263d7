import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import type { Probe } from '../../src/import/check/outcome.ts';
import { startBackend } from '../support/backend.ts';
import { NO_OPENSSL } from '../support/certificates.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { NO_NGINX } from '../support/nginx.ts';
import { askBoth } from './judge/ask-both.ts';
import type { RealResponse } from './judge/ask-nginx.ts';
import { startCgiStub } from './judge/cgi-stubs.ts';
import { contentOf } from './judge/content.ts';
import { type Place, preparePlace } from './judge/place.ts';

interface Case {
  readonly title: string;
  /** Directives of a server with files below ROOT. BACKEND is the address of a backend. */
  readonly directives: string;
  /** Directives beside the server. */
  readonly http?: string;
  readonly host?: string;
  readonly targets: readonly string[];
}

const CASES: readonly Case[] = [
  {
    title: 'a rewrite of a server to a path without a location',
    directives: 'rewrite ^/old/(.*)$ /a/b/$1 last; location /app/ { proxy_pass http://BACKEND; }',
    targets: ['/old/c.css', '/old/none', '/a/b/c.css'],
  },
  {
    title: 'a rewrite of a server to a backend',
    directives:
      'rewrite ^/old/(.*)$ /app/$1 last; location /app/ { proxy_pass http://BACKEND; } location / { return 404; }',
    targets: ['/old/x', '/old/x?a=1', '/old/a%20b', '/app/x', '/other'],
  },
  {
    title: 'a rewrite of a server to a path that a backend replaces',
    directives: 'rewrite ^/old/(.*)$ /app/$1 last; location /app/ { proxy_pass http://BACKEND/api/; }',
    targets: ['/old/x', '/old/x?a=1', '/old/', '/app/x'],
  },
  {
    title: 'a rewrite of a server to an alias',
    directives: 'rewrite ^/old/(.*)$ /files/$1 last; location /files/ { alias ROOT/a/; }',
    targets: ['/old/b/c.css', '/old/none', '/files/b/c.css', '/a/b/c.css'],
  },
  {
    title: 'a rewrite of a server under a condition',
    directives: 'if ($arg_old) { rewrite ^ /app/x last; } location /app/ { proxy_pass http://BACKEND; }',
    targets: ['/a/b/c.css', '/a/b/c.css?old=1', '/app/y?old=0'],
  },
  {
    title: 'a pattern deep within a location with ^~',
    directives:
      'location ^~ /a/ { location /a/b/ { location ~ [.]css$ { return 200 css; } } } location ~ [.]css$ { return 404; } location ~ b { return 403; }',
    targets: ['/a/b/c.css', '/a/b/none', '/a/index.html', '/x.css', '/b'],
  },
  {
    title: 'connections that are closed without a response',
    directives:
      'add_header X-A 1 always; location /drop { return 444; } location /text { return 444 text; } location /if { if ($arg_bad) { return 444; } return 200 good; } location /missing { error_page 404 = @drop; } location @drop { return 444; } location /denied { deny all; error_page 403 /drop; }',
    targets: ['/drop', '/text', '/if', '/if?bad=1', '/missing', '/denied', '/a/b/c.css'],
  },
  {
    title: 'an error page with a variable in its path',
    directives:
      'error_page 404 /a/$arg_page.html; error_page 403 =200 /a/b/c.css?from=$host; location = /a/index.html { } location /closed { deny all; } location /missing { }',
    targets: ['/missing?page=index', '/closed', '/missing?page=none'],
  },
  {
    title: 'an error page that redirects',
    directives:
      'error_page 403 https://login.example/in?from=$host; error_page 404 =301 $scheme://other.example/; location /closed { deny all; } location /missing { }',
    targets: ['/closed', '/missing', '/a/b/c.css'],
  },
  {
    title: 'a redirect to a host with a group of the name',
    directives: 'server_name ~^(?<shop>[^.]+)[.]old[.]example$; return 301 $scheme://$shop.new.example$request_uri;',
    host: 'anna.old.example',
    targets: ['/a?b=1', '/'],
  },
  {
    title: 'a name beside a pattern, which gives the group of the pattern no value',
    directives: 'server_name anna.example ~^(?<shop>[^.]+)[.]example$; return 200 "[$shop]";',
    host: 'anna.example',
    targets: ['/'],
  },
  {
    title: 'an authentication service whose path has variables',
    directives:
      'location /a/ { auth_request /auth; } location = /auth { internal; proxy_pass http://BACKEND/check/$host?from=$arg_user; }',
    targets: ['/a/b/c.css', '/a/b/c.css?user=anna'],
  },
];

describe('nginx and the imported settings', { skip: NO_NGINX || NO_OPENSSL }, () => {
  const suite = suiteLifetime();
  let place: Place;

  before(async () => {
    place = await preparePlace(suite);
  });

  for (const { title, directives, http = '', host = 'example.org', targets } of CASES) {
    it(`answer the same for ${title}`, async () => {
      const [port] = place.ports;
      const [backend = ''] = place.stubs.http;
      const root = join(place.directory, 'www');
      const server = `server { listen 127.0.0.1:${port}; root ROOT; ${directives} }\n`;
      const text = `${http}\n${server}`.replaceAll('BACKEND', backend).replaceAll('ROOT', root);
      const probes = targets.map((target) => probeOf(target, port, host));
      const { nginx, viaduct, report, toml } = await askBoth(suite, text, probes, place);
      assert.deepEqual(report, []);
      for (const [index, target] of targets.entries())
        assert.deepEqual(seen(viaduct[index] ?? null), seen(nginx[index] ?? null), `${target}\n${toml}`);
    });
  }

  it('list no directory if the index is a path elsewhere', async () => {
    const [port] = place.ports;
    const http = `server { listen 127.0.0.1:${port}; root ${join(place.directory, 'www')}; autoindex on;
      location /a/ { index c.css /a/index.html; } location / { index none.html; } }\n`;
    const probes = ['/a/b/', '/a/', '/'].map((target) => probeOf(target, port, 'example.org'));
    const { nginx, viaduct, told, report } = await askBoth(suite, http, probes, place);
    const lists = (response: RealResponse | null): boolean => /<title>Index of/.test(`${response?.body}`);
    assert.deepEqual(
      [...nginx, ...viaduct].map((response) => response?.status),
      [200, 200, 200, 200, 404, 200],
    );
    assert.deepEqual([...nginx.map(lists), viaduct.map(lists)[1]], [false, false, true, false]);
    assert.deepEqual(seen(viaduct[0] ?? null), seen(nginx[0] ?? null));
    assert.match(report.join('\n'), /index c\.css \/a\/index\.html: not carried over: .+ not listed$/);
    assert.deepEqual(
      told.findings.filter(({ difference }) => difference.kind !== 'another answer'),
      [],
    );
  });

  it('ask an authentication service the same', async () => {
    const asked: string[] = [];
    const service = await startBackend(suite, (head) => {
      asked.push(head.split(' ')[1] ?? '');
      return 'HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n';
    });
    const [port] = place.ports;
    const location = (path: string, query: string) =>
      `location = /ask${path} { internal; proxy_pass http://127.0.0.1:${service.port}/check?${query}; }
       location /${path}/ { auth_request /ask${path}; alias ${join(place.directory, 'www')}/; }`;
    const http = `server { listen 127.0.0.1:${port};
      ${location('last', 'host=$host&uri=$request_uri')} ${location('first', 'uri=$request_uri&host=$host')} }\n`;
    // nginx asks again for the index of a directory, and Viaduct cleans paths for all backends
    const rests = ['c', 'c?x=1&y=%262+3', 'b/c%2E%20css?d', 'c?uri=/other', 'c?a=/b?c', 'c?a=\'"[]{}|^`\\;,$'];
    const targets = ['last', 'first'].flatMap((path) => rests.map((rest) => `/${path}/${rest}`));
    const probes = targets.map((target) => probeOf(target, port, 'example.org'));
    const { report, toml } = await askBoth(suite, http, probes, place);
    assert.deepEqual(report, []);
    assert.equal(asked.length, 2 * targets.length);
    assert.deepEqual(asked.slice(targets.length).sort(), asked.slice(0, targets.length).sort(), toml);
  });

  it('give a program the script of the path, and the rest of it', async () => {
    const program = await startCgiStub(suite, 'fastcgi');
    const [port] = place.ports;
    const names = ['SCRIPT_FILENAME', 'SCRIPT_NAME', 'PATH_INFO'];
    const locationOf = (path: string, split: string) =>
      `location ${path} { fastcgi_split_path_info ${split}; include /etc/nginx/fastcgi_params; fastcgi_pass ${program};
        fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_param PATH_INFO $fastcgi_path_info; }`;
    const http = `server { listen 127.0.0.1:${port}; root /srv/site;
      ${locationOf('~ [.]php(/|$)', '^(.+?[.]php)(/.*)$')} ${locationOf('/cgi/', '^(/cgi/[^/]+)(/.*)$')} }\n`;
    const targets = ['/a/x.php/b/c?d', '/x.php', '/a.php/b.php/c', '/%C3%A9.php/x%20y', '/cgi/run/x', '/cgi/run'];
    const probes = targets.map((target) => probeOf(target, port, 'example.org'));
    const { nginx, viaduct, report, toml } = await askBoth(suite, http, probes, place);
    assert.deepEqual(report, []);
    const sent = (response: RealResponse | null | undefined): unknown[] => {
      const all = JSON.parse(response?.body.toString('latin1') ?? '{}') as Record<string, string>;
      return names.map((name) => all[name] ?? null);
    };
    for (const [index, target] of targets.entries())
      assert.deepEqual(sent(viaduct[index]), sent(nginx[index]), `${target}\n${toml}`);
    assert.deepEqual(sent(viaduct[0]), ['/srv/site/a/x.php', '/a/x.php', '/b/c']);
  });
});

/** What of an answer is compared. */
function seen(response: RealResponse | null) {
  const location = response?.fields.find(([name]) => name.toLowerCase() === 'location')?.[1] ?? null;
  return { status: response?.status ?? null, location, content: contentOf(response) };
}

function probeOf(target: string, port: number, host: string): Probe {
  const address = `127.0.0.1:${port}`;
  const client = { client: '127.0.0.1', authorized: true, method: 'GET' };
  return { address, secure: false, ...client, target, fields: [['Host', host]] };
}
