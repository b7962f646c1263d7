import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Response } from '../../src/http/response.ts';
import { type AnswerRequest, startBackend } from '../support/backend.ts';
import { ask } from '../support/http-client.ts';
import { encode } from '../support/http-message.ts';
import { makeProject } from '../support/project.ts';
import { type Answer, serveHandler } from '../support/serve-handler.ts';
import { SocketClient } from '../support/socket-client.ts';
import { startViaduct } from '../support/viaduct.ts';

/** Fields with which an application directs the server in front of it. */
const CONTROLS = [
  ...['X-Accel-Redirect', 'x-accel-buffering', 'X-ACCEL-Expires', 'X-Accel-Charset', 'X-Accel-Limit-Rate'],
  ...['X-Accel-Foo', 'x-accel-', 'X-Accel-A-Name-That-Is-Longer'],
];
const FIELDS = [...CONTROLS, 'X-Sendfile'].flatMap((name) => [name, '/secret/file']);

const APP = `FIELDS = ${JSON.stringify(FIELDS)}

def application(environ, start_response):
    environ['wsgi.early_hints'](list(zip(FIELDS[::2], FIELDS[1::2])) + [('Link', '</a>')])
    headers = [('X-Kept', 'yes')] + list(zip(FIELDS[::2], FIELDS[1::2]))
    start_response('200 OK', headers)
    if environ['PATH_INFO'] == '/stream':
        return (block for block in (b'a', b'b'))
    if environ['PATH_INFO'] == '/file':
        return environ['wsgi.file_wrapper'](open(__file__, 'rb'))
    return [b'ab']
`;

const TYPED = `export default function app(environ, startResponse) {
  const fields = ${JSON.stringify(FIELDS)};
  startResponse('200 OK', [['X-Kept', 'yes'], ...fields.flatMap((name, i) => i % 2 === 0 ? [[name, fields[i + 1]]] : [])]);
  return [Buffer.from('ab')];
}
`;

/** The names of an answer's fields, in lower case. */
async function namesOf(protocol: 'HTTP/1.1' | 'HTTP/2', port: number, path: string): Promise<readonly string[]> {
  if (protocol === 'HTTP/1.1') return (await ask(port, path)).headers.map(([name]) => name.toLowerCase());
  const session = connect(`http://127.0.0.1:${port}`);
  try {
    return await new Promise<readonly string[]>((resolve, reject) => {
      session.once('error', reject);
      session
        .request({ ':path': path })
        .once('error', reject)
        .once('response', (headers) => resolve(Object.keys(headers)))
        .end();
    });
  } finally {
    session.destroy(); // close() would wait for content that nobody reads
  }
}

/** The names of the fields in all responses to `GET path` and to its request for another protocol, in lower case. */
async function upgradedNames(protocol: 'HTTP/1.1' | 'HTTP/2', port: number, path: string): Promise<readonly string[]> {
  if (protocol === 'HTTP/1.1') {
    const client = await SocketClient.open(port);
    client.send(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
    await client.until(/HTTP\/1\.1 (?:101|200)[\s\S]*\r\n\r\n/);
    client.close();
    return Array.from(client.received.matchAll(/^([^\s:]+):/gm), ([, name = '']) => name.toLowerCase());
  }
  const session = connect(`http://127.0.0.1:${port}`);
  await once(session, 'remoteSettings');
  const stream = session.request(
    { ':method': 'CONNECT', ':protocol': 'websocket', ':path': path, ':scheme': 'http', ':authority': 'a' },
    { endStream: false },
  );
  const names: string[] = [];
  stream.on('headers', (headers) => names.push(...Object.keys(headers)));
  const [headers] = (await once(stream, 'response')) as [object];
  stream.on('error', () => {});
  session.destroy();
  return [...names, ...Object.keys(headers)];
}

function isControl(name: string): boolean {
  return /^x-(?:accel-|sendfile$)/.test(name);
}

/** The octets of a backend that answers with the fields, as HTTP or as a CGI response; to `/http/only/N` with one of them. */
function answerWith(firstLine: string): AnswerRequest {
  const lines = FIELDS.map((text, i) => (i % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('');
  return (request) => {
    const [, only] = /^GET \/http\/only\/(\d+) /.exec(request) ?? [];
    const sent = only === undefined ? lines : `${FIELDS[2 * Number(only)]}: /secret/file\r\n`;
    return `${firstLine}\r\nX-Kept: yes\r\n${sent}Content-Length: 2\r\n\r\nab`;
  };
}

describe('fields for the server in front of the application', { concurrency: 2 }, () => {
  for (const protocol of ['HTTP/1.1', 'HTTP/2'] as const) {
    it(`never reach a client where no internal route is configured, over ${protocol}`, async (t) => {
      const http = await startBackend(t, answerWith('HTTP/1.1 200 OK'));
      const cgi = await startBackend(t, {
        onData: ({ socket }) => void socket.end(answerWith('Status: 200 OK')('', http.connections[0] as never)),
      });
      const routes = `[[route]]\npath = "/http/*"\nproxy = "${http.url}"\n\n[[route]]\npath = "/cgi/*"\nproxy = "scgi://127.0.0.1:${cgi.port}"\n`;
      const typed = '\n[apps.typed]\ntarget = "./app.mjs"\n\n[[route]]\npath = "/typed"\napp = "typed"\n';
      const project = makeProject(t, { 'app.py': APP, 'app.mjs': TYPED, 'viaduct.toml': routes + typed });
      const { port } = await startViaduct(t, [
        'serve',
        'app.py',
        '--chdir',
        project,
        '--config',
        join(project, 'viaduct.toml'),
      ]);
      const alone = Array.from({ length: FIELDS.length / 2 }, (_, i) => `/http/only/${i}`);
      for (const path of ['/', '/stream', '/file', '/http/x', ...alone, '/cgi/x', '/typed']) {
        const names = await namesOf(protocol, port, path);
        assert.ok(names.includes('x-kept'), path);
        assert.deepEqual(names.filter(isControl), [], path);
      }
    });
  }

  for (const protocol of ['HTTP/1.1', 'HTTP/2'] as const) {
    it(`never reach a client in an interim response, or in one that switches protocols, over ${protocol}`, async (t) => {
      const lines = FIELDS.map((text, i) => (i % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('');
      const backend = await startBackend(
        t,
        () =>
          `HTTP/1.1 103 Early Hints\r\nX-Early: yes\r\n${lines}\r\nHTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${lines}X-Kept: yes\r\n\r\n`,
      );
      const internal = '[[route]]\npath = "/secret/*"\ninternal = true\nrespond = { body = "secret" }\n';
      for (const more of ['', internal]) {
        const routes = `[[route]]\npath = "/switch"\nproxy = "${backend.url}"\n\n${more}`;
        const project = makeProject(t, { 'app.py': APP, 'viaduct.toml': routes });
        const { port } = await startViaduct(t, ['serve', project]);
        const names = await upgradedNames(protocol, port, '/switch');
        assert.ok(names.includes('x-kept'), names.join());
        assert.ok(names.includes('x-early'), names.join());
        assert.deepEqual(names.filter(isControl), []);
      }
    });
  }

  it('never reach a client in the early hints of an application', async (t) => {
    const { port } = await startViaduct(t, ['serve', makeProject(t, { 'app.py': APP })]);
    const client = await SocketClient.open(port);
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await client.untilClosed();
    assert.match(client.received, /^HTTP\/1\.1 103 [\s\S]*^Link: <\/a>\r\n[\s\S]*^HTTP\/1\.1 200 /m);
    assert.doesNotMatch(client.received, /^x-(?:accel-|sendfile)/im);
  });

  it('never reach a client of an application without any settings', async (t) => {
    const { port } = await startViaduct(t, ['serve', makeProject(t, { 'app.py': APP })]);
    for (const protocol of ['HTTP/1.1', 'HTTP/2'] as const)
      assert.deepEqual((await namesOf(protocol, port, '/')).filter(isControl), [], protocol);
  });

  it('reach the front-end proxy of the application server alone', async (t) => {
    const { port } = await startViaduct(t, ['app', makeProject(t, { 'app.py': APP })]);
    for (const protocol of ['HTTP/1.1', 'HTTP/2'] as const)
      assert.equal((await namesOf(protocol, port, '/')).filter(isControl).length, FIELDS.length / 2, protocol);
  });

  for (const passesControls of [false, true]) {
    it(`${passesControls ? 'stay in' : 'are removed from'} interim responses, over every protocol`, async (t) => {
      const lines = `Link: </a>\r\n${FIELDS.map((text, i) => (i % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('')}`;
      const hint: Answer = (request) => {
        request.sendInterim(103, lines);
        return Response.text(200, 'done');
      };
      const expected = ['link', ...(passesControls ? CONTROLS.map((name) => name.toLowerCase()) : [])];
      const first = await serveHandler(t, hint, { passesControls });
      const client = await SocketClient.open(first.port);
      client.send(encode('/'));
      await client.untilClosed();
      const [interim = ''] = client.received.split('\r\n\r\n');
      const names = [...interim.toLowerCase().matchAll(/^([a-z-]+): /gm)].map(([, name]) => name);
      assert.deepEqual(
        names.filter((name) => name !== 'x-sendfile'),
        expected,
      );
      assert.equal(names.includes('x-sendfile'), passesControls);
      const second = await serveHandler(t, hint, { protocol: 'HTTP/2', passesControls });
      const session = connect(`http://127.0.0.1:${second.port}`);
      t.after(() => session.destroy());
      const [headers] = await once(session.request({ ':path': '/' }), 'headers');
      assert.deepEqual(
        Object.keys(headers).filter((name) => !/^:|x-sendfile/.test(name)),
        expected,
      );
    });
  }

  it('are removed from the answer of a handler, together with nothing else', async (t) => {
    const answer = () => Response.fromHeaders(200, ['X-Accel', 'a', ...FIELDS, 'X-Sendfiles', 'b'], Buffer.from('ab'));
    const server = await serveHandler(t, answer);
    const { headers, body } = await ask(server.port, '/');
    assert.deepEqual(
      headers.map(([name]) => name.toLowerCase()).filter((name) => name.startsWith('x-')),
      ['x-accel', 'x-sendfiles'],
    );
    assert.equal(body, 'ab');
  });
});
