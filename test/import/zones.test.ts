import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { ask } from '../support/http-client.ts';
import type { Lifetime } from '../support/lifetime.ts';
import { NO_NGINX } from '../support/nginx.ts';
import { freePort } from '../support/peer.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { eventually } from '../support/wait.ts';
import { startImported } from './judge/imported-server.ts';
import { startRealNginx } from './judge/real-nginx.ts';

/** Starts nginx, or Viaduct with the imported settings. */
type Start = (t: Lifetime, configuration: string) => Promise<void>;

const SERVERS: readonly (readonly [string, Start])[] = [
  [
    'nginx',
    async (t, configuration) => {
      const nginx = await startRealNginx(t, temporaryDirectory(t), configuration);
      if (typeof nginx === 'string') throw new Error(nginx);
    },
  ],
  [
    'Viaduct',
    async (t, configuration) => {
      const { report } = await startImported(t, temporaryDirectory(t), `http {\n${configuration}}\n`);
      assert.deepEqual(report.lines(['dangerous', 'closed', 'not carried over']), [], 'nothing is lost');
    },
  ],
];

for (const [name, start] of SERVERS) {
  describe(`a zone that locations share, in ${name}`, { skip: NO_NGINX }, () => {
    it('counts the requests of a client together, with the burst of each location', async (t) => {
      const port = await freePort();
      await start(
        t,
        `limit_req_zone $binary_remote_addr zone=slow:1m rate=1r/m;
limit_req_zone $binary_remote_addr$uri zone=each:1m rate=1r/m;
limit_req_zone $server_name zone=site:1m rate=1r/m;
limit_req_zone $binary_remote_addr zone=client:1m rate=1r/m;
limit_req_zone $arg_key zone=key:1m rate=1r/m;
limit_req_status 429;
server {
  listen 127.0.0.1:${port};
  server_name one;
  location /both { limit_req zone=client burst=2 nodelay; limit_req zone=key; error_page 404 =200 @end; }
  location /client { limit_req zone=client burst=2 nodelay; error_page 404 =200 @end; }
  location /short { limit_req zone=slow burst=1 nodelay; error_page 404 =200 @end; }
  location /long { limit_req zone=slow burst=3 nodelay; error_page 404 =200 @end; }
  location /each { limit_req zone=each; error_page 404 =200 @end; }
  location /site { limit_req zone=site; error_page 404 =200 @end; }
  location @end { return 200 passed; }
}
server {
  listen 127.0.0.1:${port};
  server_name two;
  location /long { limit_req zone=slow burst=3 nodelay; error_page 404 =200 @end; }
  location /site { limit_req zone=site; error_page 404 =200 @end; }
  location @end { return 200 passed; }
}
`,
      );
      const statusOf = async (host: string, path: string, client = '127.0.0.1') =>
        (await ask(port, path, { host }, client)).status;
      const requests = [
        ...['/short', '/long', '/short', '/long'].map((path) => ['one', path] as const),
        ...[['two', '/long'] as const, ['one', '/long'] as const, ['two', '/long'] as const],
        ...['/each/a', '/each/a', '/each/b', '/each/b'].map((path) => ['one', path] as const),
        ...[['one', '/site'] as const, ['one', '/site'] as const, ['two', '/site'] as const, ['two', '/site'] as const],
      ];
      const both = [
        '/both?key=a',
        '/both?key=a',
        '/both?key=b',
        '/both?key=b',
        '/both?key=c',
        '/both?key=d',
        '/client',
      ];
      const ofBoth: number[] = [];
      for (const path of both) ofBoth.push(await statusOf('one', path));
      assert.deepEqual(ofBoth, [200, 429, 200, 429, 200, 429, 429], 'what one limit refuses counts for none');
      const statuses: number[] = [];
      for (const [host, path] of requests) statuses.push(await statusOf(host, path));
      assert.deepEqual(statuses, [200, 200, 429, 200, 200, 429, 429, 200, 429, 200, 429, 200, 429, 200, 429]);
      assert.equal(await statusOf('one', '/short', '127.0.0.2'), 200, 'another client');
    });

    it('counts the requests that run in all of them, with the limit of each location', async (t) => {
      const waiting: ServerResponse[] = [];
      const backend = createServer((_request, response) => void waiting.push(response)).listen(0, '127.0.0.1');
      t.after(() => void backend.close());
      await once(backend, 'listening');
      const { port: backendPort } = backend.address() as AddressInfo;
      const port = await freePort();
      await start(
        t,
        `limit_conn_zone $binary_remote_addr zone=each:1m;
limit_conn_zone $arg_key zone=key:1m;
limit_conn_zone $server_name zone=site:1m;
server {
  listen 127.0.0.1:${port};
  server_name one;
  proxy_http_version 1.1;
  location /one { limit_conn each 1; proxy_pass http://127.0.0.1:${backendPort}; }
  location /two { limit_conn each 2; proxy_pass http://127.0.0.1:${backendPort}; }
  location /both { limit_conn each 3; limit_conn key 1; limit_conn site 5; proxy_pass http://127.0.0.1:${backendPort}; }
}
`,
      );
      const running = [ask(port, '/two')];
      await eventually('the first request runs', () => waiting.length === 1);
      assert.equal((await ask(port, '/one')).status, 503);
      running.push(ask(port, '/two'));
      await eventually('the second request runs', () => waiting.length === 2);
      assert.equal((await ask(port, '/two')).status, 503);
      running.push(ask(port, '/one', {}, '127.0.0.2'));
      await eventually('a request of another client runs', () => waiting.length === 3);
      running.push(ask(port, '/both?key=a'));
      await eventually('a request within three limits runs', () => waiting.length === 4);
      assert.equal((await ask(port, '/both?key=b')).status, 503, 'the client has three requests');
      for (const number of [1, 2, 3, 4]) running.push(ask(port, `/both?key=${number}`, {}, `127.0.1.${number}`));
      await eventually('all keys have a request', () => waiting.length === 8);
      assert.equal((await ask(port, '/both?key=a', {}, '127.0.0.3')).status, 503, 'the key has one');
      assert.equal((await ask(port, '/both?key=f', {}, '127.0.0.3')).status, 503, 'the site has five');
      for (const response of waiting) response.end('done');
      assert.deepEqual(
        (await Promise.all(running)).map(({ status }) => status),
        Array.from({ length: 8 }, () => 200),
      );
    });
  });
}
