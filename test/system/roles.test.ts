import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startBackend } from '../support/backend.ts';
import { encodeRequest, variablesOf } from '../support/cgi-frames.ts';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { SocketClient } from '../support/socket-client.ts';
import { runViaduct, startViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const APP = `def application(environ, start_response):
    body = (environ["REMOTE_ADDR"] + " " + environ["SCRIPT_NAME"] + " " + environ["PATH_INFO"]).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
`;

describe('the application server alone', { concurrency: 2 }, () => {
  it('serves the application without the routes and files of a web server', async (t) => {
    const cwd = makeProject(t, {
      'app.py': APP,
      'viaduct.toml':
        'compression = true\nstatic = { "/files/" = "." }\n[[route]]\npath = "/moved"\nredirect = "/there"\n',
    });
    const server = await startViaduct(t, ['app', '--workers', '1', '--access-log', 'off'], { cwd });
    assert.match(server.output(), /settings {4}the application server alone ignores: compression, route/);
    for (const path of ['/moved', '/files/app.py'])
      assert.equal((await ask(server.port, path)).body, `127.0.0.1  ${path}`);
  });

  it('runs what is beside the application, and the web server alone does not', async (t) => {
    const config = '[[process]]\ncommand = "sh -c \\"echo here; exec sleep 600\\""\n';
    const cwd = makeProject(t, { 'app.py': APP, 'viaduct.toml': config });
    const server = await startViaduct(t, ['app', '--workers', '1'], { cwd });
    await eventually('it runs', () => /"message":"here","sidecar":"sh"/.test(server.output()));
    const web = await startViaduct(t, ['web', '--static', '/=.'], { cwd });
    assert.match(web.output(), /settings {4}the web server alone ignores: process, schedule/);
    assert.doesNotMatch(web.output(), /sidecar/);
  });

  for (const processes of [1, 2]) {
    it(`serves several protocols at several addresses with ${processes === 1 ? 'one server process' : 'two server processes'}, even while it reloads`, async (t) => {
      const cwd = makeProject(t, { 'app.py': APP });
      const args = ['app', '--workers', '2', '--access-log', 'off', '--processes', `${processes}`];
      const server = await startViaduct(t, args, {
        cwd,
        listen: 'uwsgi://127.0.0.1:0,scgi://127.0.0.1:0,fastcgi://127.0.0.1:0',
      });
      const ports = ['uwsgi', 'scgi', 'fastcgi'].map((name) =>
        Number(new RegExp(`${name}://127\\.0\\.0\\.1:(\\d+)`).exec(server.output())?.[1]),
      );
      let reloading = true;
      process.kill(server.pid, 'SIGHUP');
      void eventually('the server has reloaded', () => /reload/i.test(server.output())).then(() => {
        reloading = false;
      });
      let rounds = 0;
      while (reloading || rounds < 20) {
        rounds += 1;
        for (const [i, protocol] of (['uwsgi', 'scgi', 'fastcgi'] as const).entries()) {
          const client = await SocketClient.open(ports[i] as number);
          client.send(
            encodeRequest(protocol, variablesOf({ SCRIPT_NAME: '/s', PATH_INFO: '/p', REQUEST_URI: '/s/p' })),
          );
          await client.untilClosed();
          assert.match(client.received, /192\.0\.2\.7 \/s \/p/);
        }
      }
    });
  }

  it('accepts a CGI protocol from trusted addresses only', async (t) => {
    const cwd = makeProject(t, { 'app.py': APP, 'viaduct.toml': 'trusted_proxies = ["10.9.8.7"]\n' });
    const server = await startViaduct(t, ['app', '--workers', '1'], { cwd, listen: 'uwsgi://127.0.0.1:0' });
    const port = Number(/uwsgi:\/\/127\.0\.0\.1:(\d+)/.exec(server.output())?.[1]);
    const client = await SocketClient.open(port);
    client.send(encodeRequest('uwsgi', variablesOf()));
    await client.untilClosed();
    assert.equal(client.received, '');
    await eventually('the log reports it', () =>
      /the address is not trusted with requests over uwsgi/.test(server.output()),
    );
  });

  for (const header of [
    'PROXY TCP4 203.0.113.9 10.0.0.1 5000 80\r\n',
    '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xcb\0\x71\x09\x0a\0\0\x01\x13\x88\0\x50',
  ]) {
    it(`accepts a PROXY header of version ${header.startsWith('PROXY') ? 1 : 2} before FastCGI, and trusts the variables about the client`, async (t) => {
      const cwd = makeProject(t, { 'app.py': APP });
      const server = await startViaduct(t, ['app', '--workers', '1', '--access-log', 'off'], {
        cwd,
        listen: 'fastcgi://127.0.0.1:0?proxy_protocol=on',
      });
      const port = Number(/fastcgi:\/\/127\.0\.0\.1:(\d+)/.exec(server.output())?.[1]);
      const client = await SocketClient.open(port);
      client.send(header + encodeRequest('fastcgi', variablesOf()));
      await client.untilClosed();
      assert.match(client.received, /192\.0\.2\.7 {2}\//);
    });
  }
});

describe('the web server alone', { concurrency: 2 }, () => {
  it('sends requests without a route to the backends of its command line', async (t) => {
    const backend = await startBackend(t, () => 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nbackend');
    const cwd = makeProject(t, {
      'app.py': APP,
      'viaduct.toml': '[[route]]\npath = "/own"\nrespond = { body = "own" }\n',
    });
    const url = `http://127.0.0.1:${backend.port}`;
    const server = await startViaduct(t, ['web', '--proxy', url, '--access-log', 'off'], { cwd });
    assert.deepEqual([(await ask(server.port, '/')).body, (await ask(server.port, '/own')).body], ['backend', 'own']);
    assert.doesNotMatch(server.output(), /application/);
  });

  it('serves the files of its command line before its backends', async (t) => {
    const backend = await startBackend(t, () => 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nbackend');
    const cwd = makeProject(t, { 'files/a.txt': 'a file' });
    const url = `http://127.0.0.1:${backend.port}`;
    for (const [prefix, other] of [
      ['/static/', 404],
      ['/', 200],
    ] as const) {
      const args = ['web', '--proxy', url, '--static', `${prefix}=files`, '--access-log', 'off'];
      const server = await startViaduct(t, args, { cwd });
      assert.equal((await ask(server.port, `${prefix}a.txt`)).body, 'a file');
      assert.equal((await ask(server.port, `${prefix}b.txt`)).status, other);
      assert.equal((await ask(server.port, '/elsewhere')).body, 'backend');
    }
  });

  for (const [args, message] of [
    [['web'], /Cannot serve: there is no route, no backend and no directory of files\nAdd --proxy/],
    [['web', 'app:application'], /Cannot serve "app:application": the web server alone runs no application/],
    [['web', '--proxy', 'http://a/path'], /Cannot use --proxy "http:\/\/a\/path": it must be a backend such as/],
    [['web', '--proxy', 'a:9000'], /Cannot use --proxy "a:9000": it must be a backend such as/],
    [['app', '--listen', 'uwsgi://127.0.0.1'], /Cannot use --listen "uwsgi:\/\/127\.0\.0\.1": it must be/],
  ] as const) {
    it(`reports the error: viaduct ${args.join(' ')}`, async (t) => {
      const { code, output } = await runViaduct(makeProject(t, { 'app.py': APP }), ...args);
      assert.notEqual(code, 0);
      assert.match(output, message);
    });
  }
});
