import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { connect } from 'node:http2';
import { before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { ask } from '../support/http-client.ts';
import { encode } from '../support/http-message.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { missing } from '../support/peer.ts';
import { makeProject } from '../support/project.ts';
import { SocketClient } from '../support/socket-client.ts';
import { startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const run = promisify(execFile);

const PYTHON = `import os, threading

go = threading.Semaphore(0)
kept = []
LINK = ('Link', '</style.css>; rel=preload; as=style')

def application(environ, start_response):
    hint = environ['wsgi.early_hints']
    action = environ['PATH_INFO'].rpartition('/')[2]
    if action == 'go':
        go.release()
    elif action == 'held':
        hint([LINK, ('X-Other', 'D\\u00e9j\\u00e0')])
        go.acquire()
    elif action == 'twice':
        hint([LINK])
        hint([('Link', '</second.js>; rel=preload')])
    elif action == 'fails':
        hint([LINK])
        raise LookupError('behind a hint')
    elif action == 'none':
        hint([])
    elif action == 'name':
        hint([('X-A\\r\\nX-B', 'c')])
    elif action == 'value':
        hint([('X-A', 'b\\r\\n\\r\\nHTTP/1.1 200 OK')])
    elif action == 'hop':
        hint([('Connection', 'close')])
    elif action == 'length':
        hint([('Content-Length', '5')])
    elif action == 'kept':
        kept[0]([LINK])
    elif action == 'dies':
        hint([LINK])
        try:
            open('died', 'x').close()
            os._exit(1)
        except FileExistsError:
            pass
    start_response('200 OK', [('Content-Type', 'text/plain')])
    kept[:] = [hint]
    if action == 'late':
        return late(hint)
    if action == 'started':
        hint([LINK])
    return [b'the answer']

def late(hint):
    yield b'the '
    hint([LINK])
    yield b'answer'
`;

const TYPESCRIPT = `import type { Application, EarlyHints, Header } from 'viaduct';

let go = (): void => {};
let kept: EarlyHints = () => {};
const LINK: Header = ['Link', '</style.css>; rel=preload; as=style'];

export const application: Application = async (environ, startResponse) => {
  const hint = environ['wsgi.early_hints'] as EarlyHints;
  const action = environ.PATH_INFO.slice(environ.PATH_INFO.lastIndexOf('/') + 1);
  if (action === 'go') go();
  else if (action === 'held') {
    const gone = new Promise<void>((resolve) => (go = resolve));
    hint([LINK, ['X-Other', 'D\\u00e9j\\u00e0']]);
    await gone;
  } else if (action === 'twice') {
    hint([LINK]);
    hint([['Link', '</second.js>; rel=preload']]);
  } else if (action === 'fails') {
    hint([LINK]);
    throw new Error('behind a hint');
  } else if (action === 'none') hint([]);
  else if (action === 'name') hint([['X-A\\r\\nX-B', 'c']]);
  else if (action === 'value') hint([['X-A', 'b\\r\\n\\r\\nHTTP/1.1 200 OK']]);
  else if (action === 'hop') hint([['Connection', 'close']]);
  else if (action === 'length') hint([['Content-Length', '5']]);
  else if (action === 'kept') kept([LINK]);
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  kept = hint;
  if (action === 'late') return late(hint);
  if (action === 'started') hint([LINK]);
  return [Buffer.from('the answer')];
};

function* late(hint: EarlyHints) {
  yield Buffer.from('the ');
  hint([LINK]);
  yield Buffer.from('answer');
}
`;

const NODE = `import { fromNode } from 'viaduct/adapters';

export const application = fromNode((req, res) => {
  const isWrong = req.url?.endsWith('wrong');
  res.writeEarlyHints({ link: '</style.css>; rel=preload; as=style', ...(isWrong ? { 'content-length': '5' } : {}) });
  res.end('the answer');
});
`;

const MIDDLEWARE = `import type { Middleware } from 'viaduct';

export const marks: Middleware = (application) => (environ, startResponse) => {
  environ['test.mark'] = 'marked';
  return application(environ, startResponse);
};

export const adds: Middleware = (application) => (environ, startResponse) => {
  const hint = environ['wsgi.early_hints'];
  environ['wsgi.early_hints'] = (headers) => hint?.([...headers, ['X-Added', 'by middleware']]);
  return application(environ, startResponse);
};

export const breaks: Middleware = (application) => (environ, startResponse) => {
  environ['wsgi.early_hints'] = () => {
    throw new Error('a hint that middleware cannot take');
  };
  return application(environ, startResponse);
};

export const removes: Middleware = (application) => (environ, startResponse) => {
  delete environ['wsgi.early_hints'];
  return application(environ, startResponse);
};
`;

const TOML = `target = "./app.ts"
workers = 1
threads = 4
retry_idempotent = true
access_log = "off"

[apps.python]
target = "hints:application"
[apps.node]
target = "./node.ts"
[apps.marked]
target = "hints:application"
middleware = ["./around.ts#marks"]
[apps.added]
target = "hints:application"
middleware = ["./around.ts#adds"]
[apps.broken]
target = "hints:application"
middleware = ["./around.ts#breaks"]
[apps.removed]
target = "hints:application"
middleware = ["./around.ts#removes"]

${['python', 'node', 'marked', 'added', 'broken', 'removed'].map((app) => `[[route]]\npath = "/${app}/*"\napp = "${app}"\n`).join('\n')}`;

const LINK = 'Link: </style.css>; rel=preload; as=style\r\n';

describe('wsgi.early_hints', () => {
  const suite = suiteLifetime();
  let viaduct: Viaduct;

  before(async () => {
    const files = {
      'app.ts': TYPESCRIPT,
      'around.ts': MIDDLEWARE,
      'node.ts': NODE,
      'hints.py': PYTHON,
      'viaduct.toml': TOML,
    };
    const cwd = makeProject(suite, files);
    viaduct = await startViaduct(suite, ['serve'], { cwd });
  });

  const whole = async (target: string, version: '1.0' | '1.1' = '1.1'): Promise<string> => {
    const client = await SocketClient.open(viaduct.port);
    client.send(encode(target, { version }));
    await client.untilClosed();
    return client.received;
  };

  for (const language of ['python', 'typescript']) {
    describe(`in ${language}`, () => {
      it('sends 103 with the headers before the response exists', async () => {
        const client = await SocketClient.open(viaduct.port);
        client.send(encode(`/${language}/held`));
        await client.until(/\r\n\r\n/);
        assert.equal(client.received, `HTTP/1.1 103 Early Hints\r\n${LINK}X-Other: D\u00e9j\u00e0\r\n\r\n`);
        await ask(viaduct.port, `/${language}/go`);
        await client.untilClosed();
        assert.match(client.received, /\r\n\r\nHTTP\/1\.1 200 OK\r\n[\s\S]*the answer$/);
      });

      it('sends one 103 for each call when it is called twice', async () => {
        const [first, second, final] = (await whole(`/${language}/twice`)).split(/(?=HTTP\/1\.1 )/);
        assert.equal(first, `HTTP/1.1 103 Early Hints\r\n${LINK}\r\n`);
        assert.equal(second, 'HTTP/1.1 103 Early Hints\r\nLink: </second.js>; rel=preload\r\n\r\n');
        assert.match(final as string, /^HTTP\/1\.1 200 OK\r\n[\s\S]*the answer$/);
      });

      it('sends 103 after start_response when nothing of the response was sent', async () => {
        assert.match(await whole(`/${language}/started`), /^HTTP\/1\.1 103 [\s\S]*HTTP\/1\.1 200 OK\r\n/);
      });

      it('sends nothing when the response has started', async () => {
        const received = await whole(`/${language}/late`);
        assert.match(received, /^HTTP\/1\.1 200 OK\r\n/);
        assert.doesNotMatch(received, /103|style/);
        assert.match(received, /0\r\n\r\n$/, 'the response is whole');
      });

      it('sends nothing to another client when it is called after its request', async () => {
        await whole(`/${language}/started`);
        assert.match(await whole(`/${language}/kept`), /^HTTP\/1\.1 200 OK\r\n/);
      });

      it('leaves out fields of the connection', async () => {
        assert.match(await whole(`/${language}/hop`), /^HTTP\/1\.1 200 OK\r\n/);
      });

      it('sends nothing when there are no headers', async () => {
        assert.match(await whole(`/${language}/none`), /^HTTP\/1\.1 200 OK\r\n/);
      });

      it('sends nothing to an HTTP/1.0 client', async () => {
        for (const action of ['twice', 'started', 'late'])
          assert.match(await whole(`/${language}/${action}`, '1.0'), /^HTTP\/1\.1 200 OK\r\n/);
      });

      it('is followed by 500 when the application fails', async () => {
        assert.match(await whole(`/${language}/fails`), /^HTTP\/1\.1 103 [\s\S]*\r\n\r\nHTTP\/1\.1 500 /);
      });

      for (const [action, problem] of [
        ['name', 'a name holds CRLF'],
        ['value', 'a value holds CRLF'],
        ['length', 'a field tells of content'],
      ]) {
        it(`raises, and sends nothing, when ${problem}`, async () => {
          assert.match(await whole(`/${language}/${action}`), /^HTTP\/1\.1 500 /);
        });
      }

      it('keeps the order of pipelined requests when each has hints', async () => {
        const client = await SocketClient.open(viaduct.port);
        const request = `GET /${language}/started HTTP/1.1\r\nHost: a\r\n\r\n`;
        client.send(request + request + encode(`/${language}/twice`).toString('latin1'));
        await client.untilClosed();
        const statuses = [...client.received.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
        assert.deepEqual(statuses, ['103', '200', '103', '200', '103', '103', '200']);
      });

      it('is shown by curl', { skip: missing('curl') }, async () => {
        const { stderr, stdout } = await run('curl', ['-sv', `${viaduct.url}/${language}/started`], {
          timeout: 30_000,
        });
        assert.match(stderr, /< HTTP\/1\.1 103 Early Hints\r?\n< Link: <\/style\.css>[\s\S]*< HTTP\/1\.1 200 OK/);
        assert.equal(stdout, 'the answer');
      });

      it('is shown by nghttp over HTTP/2', { skip: missing('nghttp') }, async () => {
        const { stdout } = await run('nghttp', ['-v', `${viaduct.url}/${language}/started`], { timeout: 30_000 });
        assert.match(stdout, /:status: 103[\s\S]*link: <\/style\.css>; rel=preload; as=style[\s\S]*:status: 200/);
      });

      it('sends 103 over HTTP/2 before the response exists, and nothing once it has started', async () => {
        const session = connect(viaduct.url);
        const ended = (path: string) => {
          const stream = session.request({ ':path': `/${language}/${path}` });
          const interim: unknown[] = [];
          stream.on('headers', (fields) => {
            interim.push([fields[':status'], fields.link]);
            if (path === 'held') session.request({ ':path': `/${language}/go` }).resume();
          });
          stream.resume();
          return new Promise((resolve) => stream.on('close', () => resolve(interim)));
        };
        assert.deepEqual(await ended('held'), [[103, '</style.css>; rel=preload; as=style']]);
        assert.equal(((await ended('twice')) as unknown[]).length, 2);
        assert.deepEqual(await ended('late'), []);
        session.close();
      });
    });
  }

  it('is sent again when the worker dies after it and the request is retried', async () => {
    const statuses = [...(await whole('/python/dies')).matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
    assert.deepEqual(statuses, ['103', '103', '200']);
  });

  it('is sent when a Node listener calls writeEarlyHints', async () => {
    const received = await whole('/node/x');
    assert.match(received, /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/style\.css>[^\r]*\r\n\r\nHTTP\/1\.1 200 OK\r\n/i);
    assert.match(received, /the answer/);
    assert.match(await whole('/node/wrong'), /^HTTP\/1\.1 500/);
  });

  it('passes through TypeScript middleware around a Python application', async () => {
    assert.match(await whole('/marked/started'), /^HTTP\/1\.1 103 Early Hints\r\nLink: [^\r]*\r\n\r\nHTTP\/1\.1 200/);
  });

  it('can be changed by TypeScript middleware around a Python application', async () => {
    assert.match(await whole('/added/started'), /^HTTP\/1\.1 103 [\s\S]*X-Added: by middleware\r\n\r\nHTTP\/1\.1 200/);
    assert.match(await whole('/removed/started'), /^HTTP\/1\.1 200/);
  });

  it('leaves the response intact when TypeScript middleware fails with it', async () => {
    assert.match(await whole('/broken/started'), /^HTTP\/1\.1 200/);
    await eventually('the error is logged', () => /a hint that middleware cannot take/.test(viaduct.output()));
  });
});
