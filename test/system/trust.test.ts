import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { Connections } from '../../src/http/http1/http1-server.ts';
import type { Request } from '../../src/http/message.ts';
import { Response } from '../../src/http/response.ts';
import { CidrList } from '../../src/http/semantics/cidr.ts';
import { trustProxies } from '../../src/listen/trust/trust-policy.ts';
import { eventually } from '../support/socket-client.ts';

const isProgram = (name: string) =>
  (process.env.PATH ?? '').split(delimiter).some((path) => existsSync(join(path, name)));
const missing = ['nginx', 'curl'].filter((name) => !isProgram(name));
const run = promisify(execFile);

/** Two nginx behind each other, the outer one for the world, in front of a server on a Unix socket. */
const CONFIG = (directory: string, address: string) => `
${process.getuid?.() === 0 ? 'user root;' : ''} daemon off; pid ${directory}/pid; error_log ${directory}/error.log; worker_processes 1;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path ${directory}/t1; proxy_temp_path ${directory}/t2; fastcgi_temp_path ${directory}/t3;
  uwsgi_temp_path ${directory}/t4; scgi_temp_path ${directory}/t5;
  proxy_http_version 1.1;
  server {
    listen unix:${directory}/outer; set_real_ip_from unix:; real_ip_header X-Test-Client;
    location / {
      proxy_pass http://unix:${directory}/inner;
      proxy_set_header Host www.example; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto https; proxy_set_header X-Forwarded-Host ""; proxy_set_header X-Forwarded-Port "";
    }
  }
  server {
    listen unix:${directory}/inner;
    location / {
      proxy_pass http://unix:${address}; proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For "$http_x_forwarded_for, 10.0.0.9";
    }
  }
}`;

describe('behind two nginx', { skip: missing.length > 0 && `${missing.join(', ')} not installed` }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'viaduct-trust-'));
  const address = join(directory, 'server');
  const logged: string[] = [];
  let stop = () => {};

  before(async () => {
    const list = CidrList.parse(['10.0.0.0/8', 'unix']);
    const connections = new Connections({
      receive: trustProxies({ trusted: (client) => list.matches(client) }),
      handle: (request) => Response.text(200, JSON.stringify(shown(request))),
      limits: {},
      onAnswered: ({ peer }) => logged.push(peer.remoteAddress),
      onError: (error) => logged.push(String(error)),
    });
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) =>
      connections.accept(socket, 0),
    );
    server.listen(address);
    await once(server, 'listening');
    writeFileSync(join(directory, 'nginx.conf'), CONFIG(directory, address));
    const nginx = spawn('nginx', [
      '-e',
      join(directory, 'error.log'),
      '-p',
      directory,
      '-c',
      join(directory, 'nginx.conf'),
    ]);
    stop = () => {
      nginx.kill('SIGTERM');
      server.close();
      connections.destroy();
    };
    await eventually(
      'nginx listens',
      () => existsSync(join(directory, 'outer')) && existsSync(join(directory, 'inner')),
    );
  });

  after(() => {
    stop();
    rmSync(directory, { recursive: true, force: true });
  });

  async function ask(socket: string, ...headers: string[]): Promise<ReturnType<typeof shown>> {
    const fields = headers.flatMap((header) => ['-H', header]);
    const args = ['-sS', '--fail', '--unix-socket', join(directory, socket), ...fields, 'http://localhost/'];
    return JSON.parse((await run('curl', args)).stdout);
  }

  it('sees the client, its scheme and host, whatever the client claims', async () => {
    const answer = await ask(
      'outer',
      'X-Test-Client: 203.0.113.7',
      'X-Forwarded-For: 127.0.0.1, "',
      'X-Forwarded-Proto: http',
      'X-Forwarded-Host: evil.example',
      'Forwarded: for=127.0.0.1;host=evil.example;proto=http',
    );
    assert.deepEqual(answer, {
      address: '203.0.113.7',
      secure: true,
      host: 'www.example',
      port: '443',
      claims: ['X-Forwarded-For: 203.0.113.7, 10.0.0.9', 'X-Forwarded-Proto: https'],
    });
    assert.equal(logged.at(-1), '203.0.113.7');
  });
});

function shown({ peer, host, headers }: Request) {
  const claims = headers.flatMap((name, i) =>
    i % 2 === 0 && /forwarded|real/i.test(name) ? [`${name}: ${headers[i + 1]}`] : [],
  );
  return { address: peer.remoteAddress, secure: peer.secure, host, port: peer.serverPort, claims };
}
