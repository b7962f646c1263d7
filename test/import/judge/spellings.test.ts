import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Probe } from '../../../src/import/check/outcome.ts';
import { NO_OPENSSL } from '../../support/certificates.ts';
import { suiteLifetime } from '../../support/lifetime.ts';
import { NO_NGINX } from '../../support/nginx.ts';
import { askBoth } from './ask-both.ts';
import { contentOf } from './content.ts';
import { type Place, preparePlace } from './place.ts';

/** Directives that keep requests for `/a/b…` away from the backend, or lead them to another path of it. */
const GUARDS: readonly (readonly [title: string, directives: string])[] = [
  ['a rewrite of a server to a location that refuses', 'rewrite ^/a/b /refused last;'],
  ['a redirect of a server', 'rewrite ^/a/b(.*)$ /refused$1 permanent;'],
  ['a rewrite in a location', 'location /a/ { rewrite ^/a/b(.*)$ /refused last; proxy_pass http://BACKEND; }'],
  [
    'a rewrite to another path of the backend',
    'location /a/ { rewrite ^/a/(.*)$ /c/$1 break; proxy_pass http://BACKEND; }',
  ],
  ['a path of a backend', 'location /a/ { proxy_pass http://BACKEND/c/; }'],
  ['a path of a backend for a name', 'location /a { proxy_pass http://BACKEND/c; }'],
  ['a condition', 'if ($uri ~ ^/a/b) { return 403; }'],
  [
    'two conditions for the path',
    'location /a/ { if ($uri ~ /b) { rewrite ^/a/b /refused last; } proxy_pass http://BACKEND; }',
  ],
  ['a redirect with the groups of a location', 'location ~ ^/a/(.*)$ { return 301 /refused/$1; }'],
];

const SPELLINGS = ['/a/b', '/a/b/c%20d', '/%61/b', '/a/%62', '//a/b', '/a//b', '/a%2Fb', '/a/b%3Fx', '/a/b%C3%A9'];

describe('another spelling of a path', { skip: NO_NGINX || NO_OPENSSL }, () => {
  const suite = suiteLifetime();
  let place: Place;

  before(async () => {
    place = await preparePlace(suite);
  });

  for (const [title, directives] of GUARDS) {
    it(`does not get past ${title}`, async () => {
      const [port] = place.ports;
      const [backend = ''] = place.stubs.http;
      const http = `server { listen 127.0.0.1:${port}; ${directives.replaceAll('BACKEND', backend)}
        location /refused { return 403; } location / { proxy_pass http://${backend}; } }`;
      const probes = SPELLINGS.map((target) => probeOf(target, port));
      const { nginx, viaduct, toml } = await askBoth(suite, http, probes, place);
      for (const [index, target] of SPELLINGS.entries()) {
        const [was, is] = [nginx[index] ?? null, viaduct[index] ?? null];
        assert.equal(contentOf(is), contentOf(was), `${target}\n${toml}`);
        assert.equal(is?.status, was?.status, `${target}\n${toml}`);
      }
    });
  }
});

function probeOf(target: string, port: number): Probe {
  const fields = [['Host', 'example.org']] as const;
  return {
    ...{ address: `127.0.0.1:${port}`, secure: false, client: '127.0.0.1', authorized: true, method: 'GET' },
    ...{ target, fields },
  };
}
