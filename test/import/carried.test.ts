import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import type { Probe } from '../../src/import/check/outcome.ts';
import { NO_OPENSSL } from '../support/certificates.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { NO_NGINX } from '../support/nginx.ts';
import { askBoth } from './judge/ask-both.ts';
import type { RealResponse } from './judge/ask-nginx.ts';
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
