import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { buildModel } from '../../../../src/import/nginx/model/build-model.ts';
import { probesOf } from '../../../../src/import/nginx/model/probes.ts';
import { parseTree } from '../../../../src/import/nginx/tree.ts';

const PROBES = probesOf(
  buildModel(
    parseTree(
      `map $http_x_kind $kind { bot 1; ~^(x|y)z 2; }
       server { listen 80; server_name example.org; allow 10.0.0.0/8; deny all;
         location /static/ { } location ~ \\.(css|js)$ { } location = /exact { limit_except GET PUT { deny all; } }
         location /kind { add_header X-Kind $kind; auth_basic a; auth_basic_user_file f; } }
       server { listen 8443 ssl; server_name *.example.net; }`,
      'nginx.conf',
    ),
  ),
);

function has(target: string, rest: (probe: (typeof PROBES)[number]) => boolean = () => true): boolean {
  return PROBES.some((probe) => probe.target === target && rest(probe));
}

describe('probesOf', () => {
  it('asks at both sides of paths and patterns', () => {
    for (const target of [
      '/static/',
      '/static',
      '/static/x',
      '/STATIC/',
      '/static/.css',
      '/.js',
      '/exact',
      '/exact/',
      '/exactx',
    ])
      assert.ok(has(target), target);
  });

  it('asks with methods, clients, passwords and the keys of maps', () => {
    assert.ok(has('/exact', ({ method }) => method === 'PUT'));
    assert.ok(has('/exact', ({ method }) => method === 'DELETE'));
    assert.ok(has('/static/', ({ client }) => client === '10.0.0.0'));
    assert.ok(has('/static/', ({ client }) => client === '11.0.0.0'));
    assert.ok(has('/kind', ({ authorized }) => !authorized));
    for (const kind of ['bot', 'BOT', 'xz', 'other'])
      assert.ok(
        has('/kind', ({ fields }) => fields.some(([name, value]) => name === 'X-Kind' && value === kind)),
        kind,
      );
  });

  it('asks each address for its names, and a secure one in clear text', () => {
    const hosts = PROBES.filter(({ address }) => address === '0.0.0.0:8443').flatMap(({ fields }) =>
      fields.map(([, value]) => value),
    );
    for (const host of ['sub.example.net', 'example.net', 'unmatched.invalid']) assert.ok(hosts.includes(host), host);
    assert.ok(PROBES.some(({ address, secure }) => address === '0.0.0.0:8443' && !secure));
  });

  it('asks nothing twice', () => {
    assert.equal(new Set(PROBES.map((probe) => JSON.stringify(probe))).size, PROBES.length);
  });
});
