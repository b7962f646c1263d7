import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { encode } from '../support/http-message.ts';
import { headingsOf, readPage, sectionOf, tableRows } from '../support/pages.ts';
import { freePort } from '../support/peer.ts';
import { makeProject } from '../support/project.ts';
import { SocketClient } from '../support/socket-client.ts';
import { BIN, runViaduct, startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const PAGE = readPage('troubleshooting.md');
const STATUSES = headingsOf(PAGE)
  .filter(({ title }) => /^\d{3} /.test(title))
  .map(({ title }) => title);

/** A row of the page, by the status and words of its first cell, and what makes Viaduct send it. */
interface Case {
  readonly status: number;
  readonly row: string;
  readonly ask: (servers: Servers) => Promise<string>;
  /** What the server's log has. */
  readonly logs?: RegExp;
}

interface Servers {
  /** Python. */
  readonly app: Viaduct;
  /** The address of `app` that speaks SCGI. */
  readonly scgiPort: number;
  /** Routes without Python. */
  readonly web: Viaduct;
}

/** What needs a full disk, or a network that loses packets. */
const ELSEWHERE = ['500 large content', '504 no connection to any backend in time'];

const APP = `
import os, time
def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/raise":
        raise ValueError("on purpose")
    if path == "/contract":
        start_response("200 OK", [("Bad Name", "x")])
        return []
    if path == "/die":
        os._exit(9)
    if path.startswith("/hold"):
        time.sleep(float(environ["QUERY_STRING"]))
    headers = {"/loop": [("X-Accel-Redirect", "/loop")], "/outside": [("X-Sendfile", "/etc/passwd")]}.get(path, [])
    start_response("200 OK", headers)
    return [environ["wsgi.input"].read() or b"hello"]
`;

const APP_CONFIG = `
access_log = "json"
sendfile = ["files"]
body_bytes_max = 1000
header_timeout_ms = "300ms"
body_timeout_ms = "300ms"
queue_max = 0
lane_depth_max = 1
graceful_timeout_ms = "500ms"
[[route]]
path = "/small"
body_bytes_max = 100
[[route]]
path = "/loop"
internal = true
app = "main"
[[route]]
path = "/hold-too-long"
request_timeout_ms = "300ms"
[[route]]
path = "/enter"
rewrite = { pattern = "^/enter$", to = "/loop" }
`;

const webConfig = (port: number, deafPort: number) => `
access_log = "json"
header_bytes_max = "128KiB"
[[route]]
path = "/redirected"
https_redirect = true
respond = { body = "x" }
[[route]]
path = "/password"
basic_auth = { users = { a = "$scrypt$ln=15,r=8,p=3$S5Jfq+/uuHhBcdkMtoeyYw$cwqfGr8vDab6AF/mTqHjIvXpYNpW3rpZjbWFo0FpRro" } }
respond = { body = "x" }
${['401', '403', '500']
  .map(
    (answer) => `[[route]]
path = "/ask/${answer}"
forward_auth = { url = "http://127.0.0.1:${port}/${answer}", timeout_ms = 5000 }
respond = { body = "x" }
`,
  )
  .join('')}
[[route]]
path = "/ask/slow"
forward_auth = { url = "http://127.0.0.1:${port}/slow", timeout_ms = 300 }
respond = { body = "x" }
[[route]]
path = "/private"
access = { allow = ["10.0.0.0/8"] }
respond = { body = "x" }
[[route]]
path = "/api"
cors = { origins = ["https://a.example"] }
respond = { body = "x" }
[[route]]
path = "/files/*"
static = "files"
[[route]]
path = "/internal/*"
internal = true
static = "files"
[[route]]
path = "/rate"
rate_limit = { per = "route", rate = "1/min", burst = 1 }
respond = { body = "x" }
[[route]]
path = "/few429"
request_limit = { per = "route", max = 1, status = 429 }
proxy = "http://127.0.0.1:${port}"
[[route]]
path = "/few503"
request_limit = { per = "route", max = 1 }
proxy = "http://127.0.0.1:${port}"
[[route]]
path = "/uwsgi"
proxy = "uwsgi://127.0.0.1:${port}"
[[route]]
path = "/left"
proxy = "http://127.0.0.1:${port}"
[[route]]
path = "/refused"
proxy = "http://127.0.0.1:9"
proxy_options = { failures_max = 1 }
[[route]]
path = "/slow"
proxy = "http://127.0.0.1:${port}"
proxy_options = { response_timeout_ms = 300 }
[[route]]
path = "/deaf"
proxy = "http://127.0.0.1:${deafPort}"
proxy_options = { idle_timeout_ms = 300 }
[[route]]
path = "/one"
proxy = "http://127.0.0.1:${port}"
proxy_options = { connections_max = 1, queue_max = 0 }
[[route]]
path = "/maintenance"
maintenance = { enabled = true }
respond = { body = "x" }
`;

/** Everything that the server at `port` answers to `octets`, until it closes. */
async function tell(port: number, octets: string | Buffer): Promise<string> {
  const client = await SocketClient.open(port);
  client.send(octets);
  await client.untilClosed();
  client.close();
  return client.received;
}

const fields = (...pairs: (readonly [string, string])[]) => ({ headers: pairs });
const app =
  (target: string, request = {}) =>
  (servers: Servers) =>
    tell(servers.app.port, encode(target, request));
const web =
  (target: string, request = {}) =>
  (servers: Servers) =>
    tell(servers.web.port, encode(target, request));
const raw = (octets: string) => (servers: Servers) => tell(servers.app.port, octets);
const chunks = (content: string) => ({ method: 'POST', headers: [['Transfer-Encoding', 'chunked']], body: content });
const scgi = (variables: Readonly<Record<string, string>>) => (servers: Servers) => {
  const all = {
    CONTENT_LENGTH: '',
    SCGI: '1',
    REQUEST_METHOD: 'POST',
    REQUEST_URI: '/scgi',
    PATH_INFO: '/scgi',
    ...variables,
  };
  const text = Object.entries(all)
    .map(([name, value]) => `${name}\0${value}\0`)
    .join('');
  return tell(servers.scgiPort, `${text.length}:${text},`);
};
/** The second of two requests. */
const again = (target: string) => async (servers: Servers) => {
  await web(target)(servers);
  return web(target)(servers);
};
/** A second request while the first still runs. */
const second = (target: string) => async (servers: Servers) => {
  const client = await SocketClient.open(servers.web.port);
  client.send(encode(`${target}?first`));
  await eventually('the first one runs', () => held.has(`${target}?first`));
  const answer = await web(target)(servers);
  client.close();
  return answer;
};

/** More requests than may wait for a password to be verified. */
async function manyPasswords({ web: { port } }: Servers): Promise<string> {
  const clients = await Promise.all(Array.from({ length: 80 }, () => SocketClient.open(port)));
  for (const [index, client] of clients.entries()) {
    const credential = Buffer.from(`a:wrong${index}`).toString('base64');
    client.send(encode('/password', fields(['Authorization', `Basic ${credential}`])));
  }
  const refused = () => clients.find(({ received }) => received.startsWith('HTTP/1.1 503'));
  await eventually('one is refused', () => refused() !== undefined);
  const answer = refused()?.received ?? '';
  for (const client of clients) client.close();
  return answer;
}

/** What the backend has not answered yet. */
const held = new Set<string>();

const CASES: readonly Case[] = [
  { status: 400, row: 'the head of the request', ask: raw('GET /malformed HTTP/1.1\r\n\r\n') },
  { status: 400, row: 'the content of the request', ask: app('/chunk', chunks('x\r\n')) },
  { status: 400, row: 'the path has a segment', ask: app('/a/../b') },
  {
    status: 400,
    row: 'a redirection needs the host',
    ask: ({ web: { port } }) => tell(port, 'GET /redirected HTTP/1.0\r\n\r\n'),
  },
  {
    status: 400,
    row: 'over a CGI protocol',
    ask: scgi({ HTTP_X: 'a\u0001' }),
    logs: /A request of a front-end proxy was refused/,
  },
  { status: 401, row: 'name or password', ask: web('/password') },
  { status: 401, row: 'the authentication service', ask: web('/ask/401') },
  { status: 403, row: "the client's address", ask: web('/private') },
  {
    status: 403,
    row: 'a preflight',
    ask: web('/api', {
      method: 'OPTIONS',
      ...fields(['Origin', 'https://b.example'], ['Access-Control-Request-Method', 'GET']),
    }),
  },
  { status: 403, row: 'the authentication service', ask: web('/ask/403') },
  { status: 404, row: 'a mount of static files', ask: web('/files/.env') },
  { status: 404, row: 'no route takes', ask: web('/nowhere') },
  { status: 404, row: 'a client asks for an', ask: web('/internal/a.txt') },
  { status: 404, row: '`X-Accel-Redirect`', ask: app('/outside'), logs: /X-Sendfile/ },
  { status: 405, row: 'the method is', ask: raw('TRACE /traced HTTP/1.1\r\nHost: a\r\n\r\n') },
  { status: 405, row: 'a method other', ask: web('/files/a.txt', { method: 'POST', body: '' }) },
  { status: 408, row: 'the head', ask: raw('GET /late HTTP/1.1\r\n') },
  {
    status: 408,
    row: 'the content arrives',
    ask: raw('POST /late-content HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n'),
  },
  {
    status: 411,
    row: 'over uwsgi',
    ask: scgi({ HTTP_TRANSFER_ENCODING: 'chunked' }),
    logs: /A request of a front-end proxy was refused/,
  },
  { status: 412, row: '`If-Match`', ask: web('/files/a.txt', fields(['If-Match', '"x"'])) },
  { status: 413, row: '`Content-Length` is larger', ask: app('/declared', { method: 'POST', body: 'x'.repeat(1001) }) },
  { status: 413, row: 'content in chunks', ask: app('/chunks', chunks(`3e9\r\n${'x'.repeat(1001)}\r\n0\r\n\r\n`)) },
  {
    status: 413,
    row: 'the content is larger than the limit of a route',
    ask: app('/small', { method: 'POST', body: 'x'.repeat(101) }),
  },
  { status: 414, row: 'the request line', ask: app(`/${'long'.repeat(3000)}`) },
  { status: 416, row: 'a client asks', ask: web('/files/a.txt', fields(['Range', 'bytes=100-200'])) },
  { status: 417, row: '`Expect`', ask: app('/expects', fields(['Expect', 'something'])) },
  {
    status: 429,
    row: 'a client, or all',
    ask: again('/rate'),
  },
  { status: 429, row: 'too many requests run', ask: second('/few429') },
  { status: 431, row: 'the header lines', ask: app('/fields', fields(['X', 'x'.repeat(40_000)])) },
  {
    status: 431,
    row: 'there are too many',
    ask: app('/fields', fields(...Array.from({ length: 101 }, () => ['X', 'x'] as const))),
  },
  { status: 431, row: 'trailers', ask: app('/trailers', chunks(`0\r\nX: ${'x'.repeat(9000)}\r\n\r\n`)) },
  { status: 431, row: 'the variables', ask: web('/uwsgi', fields(['X', 'x'.repeat(70_000)])) },
  {
    status: 500,
    row: 'the application raised',
    ask: app('/raise'),
    logs: /Traceback.*ValueError: on purpose.*"GET \/raise"/,
  },
  { status: 500, row: "the application broke WSGI's", ask: app('/contract'), logs: /Bad Name/ },
  { status: 500, row: 'more than ten', ask: app('/enter'), logs: /Cannot follow X-Accel-Redirect/ },
  {
    status: 501,
    row: 'the request has a transfer',
    ask: app('/coded', { method: 'POST', ...fields(['Transfer-Encoding', 'gzip, chunked']), body: '0\r\n\r\n' }),
  },
  { status: 501, row: "the method's name", ask: raw('LONG'.repeat(3000)) },
  { status: 502, row: 'a backend refused', ask: web('/refused'), logs: /Cannot get a response from backend.*connect/ },
  { status: 502, row: 'a worker died', ask: app('/die'), logs: /worker .* died with exit code 9/ },
  { status: 502, row: 'the authentication service', ask: web('/ask/500'), logs: /Cannot ask/ },
  { status: 503, row: 'no backend is available', ask: web('/refused'), logs: /Cannot choose a backend/ },
  { status: 503, row: 'more requests wait for a backend', ask: second('/one') },
  { status: 503, row: 'too many requests run', ask: second('/few503') },
  { status: 503, row: 'maintenance', ask: web('/maintenance') },
  { status: 503, row: 'more than 64 passwords', ask: manyPasswords },
  {
    status: 504,
    row: 'a backend does not take',
    ask: web('/deaf', { method: 'POST', body: Buffer.alloc(20_000_000) }),
    logs: /accepted no content in time/,
  },
  {
    status: 504,
    row: 'the application does not start',
    ask: app('/hold-too-long?1'),
    logs: /it took too long.*It was here/,
  },
  { status: 504, row: 'the authentication service', ask: web('/ask/slow'), logs: /Cannot ask/ },
  { status: 504, row: 'a backend does not answer', ask: web('/slow'), logs: /no response in time/ },
  { status: 505, row: 'the major version', ask: raw('GET /version HTTP/3.0\r\nHost: a\r\n\r\n') },
];

/** Rows that the last tests have, after which the server is of no use. */
const LAST = ['502 a request still ran', '503 more requests wait for a worker'];

const titleOf = (status: number) => STATUSES.find((title) => title.startsWith(`${status} `)) ?? '';
const rowsOf = (status: number) => tableRows(sectionOf(PAGE, titleOf(status)));

describe('a status of docs/troubleshooting.md', () => {
  const backend = createServer((request, response) => {
    const { url = '' } = request;
    if (/first|slow/.test(url)) {
      held.add(url);
      return;
    }
    response.writeHead(/^\/\d{3}$/.test(url) ? Number(url.slice(1)) : 200).end('backend');
  });
  /** Takes connections and reads nothing. */
  const deaf = createTcpServer({ pauseOnConnect: true }, (socket) => last.push(() => socket.destroy()));
  const last: (() => unknown)[] = [];
  let servers: Servers;

  before(async () => {
    for (const server of [backend, deaf]) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const [port, deafPort] = [backend, deaf].map((server) => (server.address() as AddressInfo).port) as [
      number,
      number,
    ];
    const t = { after: (task: () => unknown) => last.push(task) };
    const [appPort, scgiPort] = [await freePort(), await freePort()];
    const files = { 'files/a.txt': 'text', 'files/.env': 'secret' };
    const [first, other] = await Promise.all([
      startViaduct(t, ['--workers', '1', '--threads', '1'], {
        cwd: makeProject(t, { 'app.py': APP, 'viaduct.toml': APP_CONFIG, ...files }),
        listen: `127.0.0.1:${appPort},scgi://127.0.0.1:${scgiPort}`,
      }),
      startViaduct(t, ['web'], { cwd: makeProject(t, { 'viaduct.toml': webConfig(port, deafPort), ...files }) }),
    ]);
    last.push(first.stop, other.stop);
    servers = { app: { ...first, port: appPort }, scgiPort, web: other };
  });

  after(async () => {
    backend.closeAllConnections();
    backend.close();
    deaf.close();
    for (const task of last.reverse()) await task();
  });

  it('has a link in the table at the top', () => {
    const linked = [...PAGE.slice(0, PAGE.indexOf('\n## ')).matchAll(/\[(\d{3})\]\(#/g)].map(([, status]) => status);
    assert.deepEqual(
      linked,
      STATUSES.map((title) => title.slice(0, 3)),
    );
  });

  it('has a test for each row', () => {
    const tested = [...CASES.map(({ status, row }) => `${status} ${row}`), ...ELSEWHERE, ...LAST];
    const rows = STATUSES.flatMap((title) =>
      tableRows(sectionOf(PAGE, title)).map(([cell = '']) => `${title.slice(0, 3)} ${cell}`),
    );
    for (const row of rows) assert.equal(tested.filter((words) => row.startsWith(words)).length, 1, row);
    assert.equal(tested.length, rows.length);
  });

  for (const { status, row, ask, logs } of CASES) {
    it(`is sent when ${row}: ${status}`, async () => {
      const [, , log = ''] = rowsOf(status).find(([cell = '']) => cell.startsWith(row)) ?? [];
      const output = () => servers.app.output() + servers.web.output();
      const count = () => output().split(`"status":${status},"body_bytes"`).length - 1;
      const before = count();
      const answer = await ask(servers);
      assert.match(answer, new RegExp(`^(HTTP/1\\.1|Status:) ${status} `));
      const isRefused = log.includes('both logs');
      if (isRefused || log.includes('access log')) await eventually('the access log has it', () => count() > before);
      else {
        await app('/after')(servers);
        await eventually('what came later is there', () => output().includes('"/after"'));
        assert.equal(count(), before, 'the access log has nothing');
      }
      assert.equal(/server's log/.test(log), logs !== undefined, log);
      const refused = new RegExp(`A request was refused: .*"status":${status}`);
      if (isRefused) await eventually("the server's log has it", () => refused.test(output()));
      if (logs !== undefined) await eventually(`the log has ${logs}`, () => logs.test(output()));
    });
  }

  it('is 499 in the access log when the client leaves', async () => {
    const client = await SocketClient.open(servers.web.port);
    client.send(encode('/left?first-left'));
    await eventually('it runs', () => held.has('/left?first-left'));
    client.close();
    await eventually('the access log has it', () => /first-left","status":499,/.test(servers.web.output()));
  });

  it('is sent when more requests wait for a worker: 503, and when a request still ran at the end: 502', async () => {
    const client = await SocketClient.open(servers.app.port);
    client.send(encode('/hold?20'));
    await eventually('no worker is free', async () => /too many requests are waiting/.test(await app('/x')(servers)));
    process.kill(servers.app.pid, 'SIGTERM');
    await servers.app.exited;
    assert.match(servers.app.output(), /Requests still ran/);
    assert.match(servers.app.output(), /"path":"\/hold","query":"20","status":502,/);
    client.close();
  });
});

describe('a connection of docs/troubleshooting.md', () => {
  it('is closed without an answer, and the log says why', async (t) => {
    const [tls, proxied, cgi] = [await freePort(), await freePort(), await freePort()];
    const config = 'trusted_proxies = []\ntls_self_signed = true\n[[route]]\nrespond = { body = "x" }\n';
    const server = await startViaduct(t, ['web'], {
      cwd: makeProject(t, { 'viaduct.toml': config }),
      listen: `https://127.0.0.1:${tls},127.0.0.1:${proxied}?proxy_protocol=on,scgi://127.0.0.1:${cgi}`,
      env: { XDG_CACHE_HOME: makeProject(t, {}) },
    });
    const rows = tableRows(sectionOf(PAGE, 'The connection closes without an answer'));
    assert.equal(rows.filter(([, , log = '']) => log.includes('A connection was refused')).length, 3);
    for (const [port, log] of [
      [tls, /A connection was refused: TLS/],
      [proxied, /A connection was refused: .*PROXY/],
      [
        cgi,
        /A connection was refused: .*trusted.*(uwsgi|SCGI|FastCGI|scgi)|A connection was refused: (?!.*(TLS|PROXY))/,
      ],
    ] as const) {
      assert.doesNotMatch(await tell(port, encode('/')), /^HTTP/);
      await eventually(`${log}`, () => log.test(server.output()));
    }
  });
});

describe('a message of docs/troubleshooting.md', () => {
  const exampleIn = (title: string) => /^```text\n(.*)\n```$/m.exec(sectionOf(PAGE, title))?.[1] ?? '';

  it('is printed when there is no application, or the module does not exist', async (t) => {
    const cwd = makeProject(t, { 'notes.txt': '' });
    const { output, code } = await runViaduct(cwd);
    assert.ok(output.includes(exampleIn('The application is not found').replace('/srv/shop', cwd)), output);
    assert.equal(code, 1);
    assert.match(
      (await runViaduct(cwd, 'shop.wsgi:application')).output,
      /Cannot import "shop\.wsgi:application": there is no module shop/,
    );
  });

  it('is printed when the address is in use, or the right to it is missing', async (t) => {
    const cwd = makeProject(t, { 'viaduct.toml': '[[route]]\nrespond = { body = "x" }\n' });
    const server = await startViaduct(t, ['web'], { cwd });
    const { output } = await runViaduct(cwd, 'web', '--listen', `127.0.0.1:${server.port}`);
    assert.ok(output.includes(exampleIn('The address is in use').replace('8000', `${server.port}`)), output);
    if (process.getuid?.() !== 0 || process.platform !== 'linux') return;
    const args = ['--reuid', '65534', '--regid', '65534', '--clear-groups', process.execPath, BIN, 'web'];
    const options = ['--listen', '127.0.0.1:80', '--proxy', 'http://127.0.0.1:9'];
    const { stderr } = spawnSync('setpriv', [...args, ...options], { cwd: '/', encoding: 'utf8', timeout: 30_000 });
    if (/setpriv|Cannot find module/.test(stderr)) return; // this user may not read the program
    assert.ok(stderr.includes(exampleIn('Permission denied')), stderr);
  });
});
