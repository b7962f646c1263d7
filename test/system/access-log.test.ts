import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import type { LiveRequest } from '../../src/server/live-requests.ts';
import { callControl } from '../support/control-api.ts';
import { ask } from '../support/http-client.ts';
import { freePort } from '../support/peer.ts';
import { makeProject } from '../support/project.ts';
import { SocketClient } from '../support/socket-client.ts';
import { startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually, isRunning } from '../support/wait.ts';

/** `/hold` runs until the file `release` appears. */
const APP = `
import os, signal, time
def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/hold":
        open("held", "w").close()
        while not os.path.exists("release"):
            time.sleep(0.01)
    if path == "/sleep":
        time.sleep(0.3)
    if path == "/die":
        os.kill(os.getpid(), signal.SIGKILL)
    if path == "/raise":
        raise ValueError("on purpose")
    if path == "/errors":
        environ["wsgi.errors"].write("from the view\\n")
        time.sleep(0.3)
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-Served-By", "shop")])
    return [repr((environ.get("viaduct.request_id"), environ.get("viaduct.queue_ms"))).encode()]
`;

const LOGGING_APP = `
import logging, time
def application(environ, start_response):
    logging.getLogger("shop").warning("sold", extra={"request_id": "of the shop"})
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["viaduct.request_id"].encode()]
`;

interface Entry {
  readonly path: string;
  readonly status: number;
  readonly duration_ms: number;
  readonly request_id?: string;
  readonly worker?: number;
  readonly queue_ms?: number;
  readonly python_ms?: number;
  readonly reason?: string;
}

interface Served {
  readonly server: Viaduct;
  readonly cwd: string;
  /** The line of the access log about this path. */
  entry(path: string): Promise<Entry>;
  /** The first entry of the server's log whose message contains `text`. */
  logged(text: string): Promise<Readonly<Record<string, unknown>>>;
}

/** Serves `APP` with one worker of one thread. `config` is what viaduct.toml has beside the access log. */
async function serve(t: TestContext, config = '', files: Readonly<Record<string, string>> = {}): Promise<Served> {
  const settings = `access_log = "json"\ncontrol = "control.sock"\n${config}`;
  const cwd = makeProject(t, { 'app.py': APP, 'viaduct.toml': settings, ...files });
  const server = await startViaduct(t, ['--workers', '1', '--threads', '1'], { cwd });
  const find = async <T>(what: string, matches: (entry: T) => boolean): Promise<T> => {
    let found: T | undefined;
    await eventually(`${what} is in the log`, () => {
      const lines = server.output().split('\n').slice(0, -1);
      found = lines
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as T)
        .find(matches);
      return found !== undefined;
    });
    return found as T;
  };
  return {
    server,
    cwd,
    entry: (path) => find<Entry>(path, (entry) => entry.path === path),
    logged: (text) =>
      find<Readonly<Record<string, unknown>>>(
        text,
        ({ message }) => typeof message === 'string' && message.includes(text),
      ),
  };
}

/** Occupies the only thread until `release` is called, which resolves when the request is answered. */
async function hold({ server, cwd }: Served): Promise<() => Promise<void>> {
  const held = ask(server.port, '/hold');
  await eventually('the thread is busy', () => existsSync(join(cwd, 'held')));
  return async () => {
    writeFileSync(join(cwd, 'release'), '');
    assert.equal((await held).status, 200);
  };
}

/** Waits until a request is in the queue behind the one that is held. */
function untilQueued({ cwd }: Served): Promise<void> {
  return eventually('a request waits', async () => {
    const { value } = await callControl(join(cwd, 'control.sock'), 'GET', '/requests');
    return (value as readonly LiveRequest[]).some(({ where }) => where === 'queue');
  });
}

describe('the access log', { concurrency: 2 }, () => {
  it('says how long a request waited behind a busy thread, and how long Python took', async (t) => {
    const served = await serve(t, 'queue_time = true\n');
    const release = await hold(served);
    const waiting = ask(served.server.port, '/quick');
    await untilQueued(served);
    await new Promise((resolve) => setTimeout(resolve, 600));
    await release();
    const { status, body } = await waiting;
    assert.equal(status, 200);
    const { duration_ms, queue_ms = -1, python_ms = -1, worker = 0, reason } = await served.entry('/quick');
    assert.ok(queue_ms >= 500 && queue_ms <= duration_ms, `queue_ms ${queue_ms} of ${duration_ms}`);
    assert.ok(python_ms >= 0 && python_ms + queue_ms <= duration_ms + 1, `python_ms ${python_ms} of ${duration_ms}`);
    assert.ok(isRunning(worker));
    assert.equal(reason, undefined);
    const told = Number(/, ([\d.]+)\)$/.exec(body)?.[1]);
    assert.ok(told >= 400 && told <= queue_ms + 1, `the application was told ${told} of ${queue_ms} ms`);
    await ask(served.server.port, '/sleep');
    const slow = await served.entry('/sleep');
    assert.ok((slow.python_ms ?? 0) >= 290 && (slow.python_ms ?? 0) <= slow.duration_ms, JSON.stringify(slow));
  });

  it('says it in the format for people', async (t) => {
    const served = await serve(t, '', { 'viaduct.toml': 'access_log = "text"\ncontrol = "control.sock"\n' });
    const release = await hold(served);
    const waiting = ask(served.server.port, '/quick');
    await untilQueued(served);
    await new Promise((resolve) => setTimeout(resolve, 600));
    await release();
    await waiting;
    await eventually('the line is there', () => /GET \/quick .* ms \(queued \d+ ms\)$/m.test(served.server.output()));
  });

  it('has the reason of a 502, and the log names what the dead worker ran', async (t) => {
    const { server, entry, logged } = await serve(t);
    assert.equal((await ask(server.port, '/die')).status, 502);
    const { status, reason, worker, request_id } = await entry('/die');
    assert.deepEqual([status, reason], [502, 'worker died']);
    const death = await logged('The worker died while it ran this request');
    assert.deepEqual([death.request, death.worker, death.request_id], ['GET /die', worker, request_id]);
    assert.match(String((await logged('died of SIGKILL')).message), new RegExp(`pid ${worker}\\)`));
  });

  it('has the reason of a 500, with the same id as the traceback', async (t) => {
    const { server, entry, logged } = await serve(t);
    await ask(server.port, '/raise');
    const { reason, request_id, python_ms } = await entry('/raise');
    assert.equal(reason, 'exception');
    assert.equal(typeof python_ms, 'number');
    assert.equal((await logged('ValueError: on purpose')).request_id, request_id);
  });

  it('has the reason of a 503 when the queue is full, and when a request has waited for too long', async (t) => {
    const full = await serve(t, 'queue_max = 0\nlane_depth_max = 1\n');
    const release = await hold(full);
    assert.equal((await ask(full.server.port, '/full')).status, 503);
    assert.deepEqual([(await full.entry('/full')).status, (await full.entry('/full')).reason], [503, 'queue full']);
    await release();
    const late = await serve(t, 'queue_wait_max_ms = "200ms"\n');
    const releaseLate = await hold(late);
    const { status, headers, body } = await ask(late.server.port, '/late');
    assert.equal(status, 503);
    assert.match(body, /has waited for too long/);
    assert.ok(headers.some(([name]) => name === 'retry-after'));
    const { reason, duration_ms, queue_ms } = await late.entry('/late');
    assert.equal(reason, 'waited too long');
    assert.ok(duration_ms >= 200, `${duration_ms} ms`);
    assert.ok(Number(queue_ms) >= 200, `${queue_ms} ms in the queue`);
    await releaseLate();
  });

  it('has 499 for a client that left while its request waited', async (t) => {
    const served = await serve(t);
    const release = await hold(served);
    const client = await SocketClient.open(served.server.port);
    client.send('GET /left HTTP/1.1\r\nHost: test.example\r\n\r\n');
    await untilQueued(served);
    client.close();
    const { status, reason, queue_ms, python_ms } = await served.entry('/left');
    assert.deepEqual([status, reason, python_ms], [499, 'client left the queue', undefined]);
    assert.ok(Number(queue_ms) > 0, `${queue_ms} ms in the queue`);
    await release();
  });

  it('has the reason of a request that cannot be read', async (t) => {
    const { server, entry } = await serve(t);
    const client = await SocketClient.open(server.port);
    client.send('GET / HTTP/1.1\r\n\r\n');
    assert.equal(await client.untilClosed(), 400);
    const { status, reason, request_id } = await entry('');
    assert.deepEqual([status, reason, request_id], [400, 'Host is missing', undefined]);
  });

  it('has all of it over HTTP/2, and for files and applications in TypeScript only what applies', async (t) => {
    const { server, entry } = await serve(
      t,
      '[[route]]\npath = "/files/*"\nstatic = "files"\n[[route]]\npath = "/ts/*"\napp = "ts"\n[apps.ts]\ntarget = "app.mjs"\n',
      {
        'files/a.txt': 'a',
        'app.mjs': `export default (environ, start) => {
  if (environ.PATH_INFO.endsWith('/raise')) throw new Error('on purpose');
  start('200 OK', [['Content-Type', 'text/plain']]);
  return [Buffer.from('hello')];
};\n`,
      },
    );
    const session = connect(server.url);
    t.after(() => session.destroy());
    for (const path of ['/sleep', '/raise']) {
      const stream = session.request({ ':path': path });
      stream.resume();
      await new Promise((resolve, reject) => stream.on('close', resolve).on('error', reject));
    }
    const slow = await entry('/sleep');
    assert.ok(
      (slow.python_ms ?? 0) >= 290 && (slow.queue_ms ?? -1) >= 0 && (slow.worker ?? 0) > 0,
      JSON.stringify(slow),
    );
    assert.equal((await entry('/raise')).reason, 'exception');
    await ask(server.port, '/files/a.txt');
    await ask(server.port, '/ts/hello');
    await ask(server.port, '/ts/raise');
    for (const path of ['/files/a.txt', '/ts/hello', '/ts/raise']) {
      const { status, worker, queue_ms, python_ms, reason, request_id } = await entry(path);
      const raised = path === '/ts/raise';
      assert.deepEqual([status, reason], raised ? [500, 'exception'] : [200, undefined], path);
      assert.deepEqual([worker, queue_ms, python_ms, typeof request_id], [undefined, undefined, undefined, 'string']);
    }
  });

  it('has the reason if no backend answers', async (t) => {
    const { server, entry } = await serve(
      t,
      `[[route]]\npath = "/api/*"\nproxy = "http://127.0.0.1:${await freePort()}"\n`,
    );
    assert.equal((await ask(server.port, '/api/x')).status, 502);
    assert.equal((await entry('/api/x')).reason, 'backend failed');
  });
});

describe('the id of a request', { concurrency: 2 }, () => {
  it('is that of a trusted proxy, and of nobody else', async (t) => {
    const { server, cwd, entry } = await serve(t, 'request_id = true\ntrusted_proxies = ["127.0.0.2"]\n');
    const send = (path: string, id: string, from: string) =>
      ask(server.port, path, { headers: [['X-Request-ID', id]] }, from).then(({ body }) => body);
    assert.match(await send('/trusted', 'abc/1', '127.0.0.2'), /'abc\/1'/);
    assert.equal((await entry('/trusted')).request_id, 'abc/1');
    for (const [path, id, from] of [
      ['/client', 'abc/1', '127.0.0.3'],
      ['/long', 'x'.repeat(129), '127.0.0.2'],
      ['/spaces', 'a b', '127.0.0.2'],
    ] as const) {
      const body = await send(path, id, from);
      const made = (await entry(path)).request_id ?? '';
      assert.match(made, /^[0-9a-f]{12}-[0-9a-z]+$/);
      assert.ok(body.includes(`'${made}'`), `${body} has ${made}`);
    }
    assert.ok(existsSync(join(cwd, 'app.py')));
  });

  it('is with the lines of wsgi.errors and in the records of logging, unless the application has its own', async (t) => {
    const errors = await serve(t);
    await ask(errors.server.port, '/errors');
    const line = await errors.logged('from the view');
    assert.deepEqual([line.request, line.request_id], ['GET /errors', (await errors.entry('/errors')).request_id]);
    const logging = await serve(t, 'request_id = true\n', {
      'app.py': `import logging
handler = logging.StreamHandler()
form = "%(request_id)s %(viaduct_request_id)s %(message)s"
handler.setFormatter(logging.Formatter(form, defaults={"viaduct_request_id": "-", "request_id": "-"}))
logging.basicConfig(handlers=[handler])
logging.warning("imported")
${LOGGING_APP}`,
    });
    const id = (await ask(logging.server.port, '/')).body;
    await eventually('the record is there', () => logging.server.output().includes(`of the shop ${id} sold`));
    assert.match(logging.server.output(), /^- - imported$/m);
  });
});

describe('Server-Timing', () => {
  it('has the wait, the time in Python and the total, for the clients that may see it', async (t) => {
    const { server } = await serve(t, 'server_timing = { allow = ["127.0.0.2"] }\n');
    const field = async (from: string) =>
      (await ask(server.port, '/sleep', {}, from)).headers.find(([name]) => name === 'server-timing')?.[1];
    const [, queue, app, total] =
      /^queue;dur=([\d.]+), app;dur=([\d.]+), total;dur=([\d.]+)$/.exec((await field('127.0.0.2')) ?? '') ?? [];
    assert.ok(Number(queue) >= 0 && Number(app) >= 290 && Number(total) >= Number(app), `${queue} ${app} ${total}`);
    assert.equal(await field('127.0.0.3'), undefined);
  });
});

/** Starts a server with both logs in files. */
async function serveToFiles(t: TestContext, config: string, ...args: string[]) {
  const cwd = makeProject(t, {
    'app.py': APP,
    'viaduct.toml': `access_log_file = "access.log"\nerror_log_file = "error.log"\n${config}`,
  });
  const server = await startViaduct(t, ['--workers', '1', '--threads', '1', ...args], { cwd });
  const read = (name: string) => readFileSync(join(cwd, name), 'utf8');
  const has = (name: string, text: string) => eventually(`${name} has ${text}`, () => read(name).includes(text));
  return { server, cwd, read, has };
}

const LOGROTATE = ['/usr/sbin/logrotate', '/usr/bin/logrotate'].find((path) => existsSync(path));

describe('log files', { concurrency: 2 }, () => {
  it('have lines in the template, and the error log its entries; the outputs have neither', async (t) => {
    const template = `access_log_format = '%h "%r" %>s %{X-Served-By}o %{Content-Type}o %{reason}n'\n`;
    const { server, read, has } = await serveToFiles(t, template);
    await ask(server.port, '/quick');
    await ask(server.port, '/raise');
    await has('access.log', '/raise');
    assert.equal(
      read('access.log'),
      '127.0.0.1 "GET /quick HTTP/1.1" 200 shop text/plain -\n' +
        '127.0.0.1 "GET /raise HTTP/1.1" 500 - text/plain; charset=utf-8 exception\n',
    );
    await has('error.log', 'ValueError: on purpose');
    assert.doesNotMatch(server.output(), /GET \/|ValueError/);
  });

  it('are refused with the directive that does not exist, before anything starts', async (t) => {
    const cwd = makeProject(t, { 'app.py': APP, 'viaduct.toml': "access_log_format = '%h %Q'\n" });
    const server = await startViaduct(t, [], { cwd, awaitReady: false });
    assert.deepEqual(await server.exited, { code: 2, signal: null });
    assert.match(server.output(), /Cannot use "%Q" in access_log_format: there is no such directive/);
  });

  for (const processes of ['1', '2'])
    it(`are opened again on SIGUSR1, with ${processes} server processes`, async (t) => {
      const { server, cwd, read, has } = await serveToFiles(t, 'access_log = "combined"\n', '--processes', processes);
      await ask(server.port, '/before');
      await has('access.log', '/before');
      renameSync(join(cwd, 'access.log'), join(cwd, 'access.log.1'));
      renameSync(join(cwd, 'error.log'), join(cwd, 'error.log.1'));
      process.kill(server.pid, 'SIGUSR1');
      await eventually('all processes have opened them', () => {
        const entries = existsSync(join(cwd, 'error.log')) ? read('error.log').match(/were opened again/g) : null;
        return entries?.length === (processes === '1' ? 1 : Number(processes) + 1);
      });
      for (let i = 0; i < 8; i += 1) await ask(server.port, `/after${i}`);
      for (let i = 0; i < 8; i += 1) await has('access.log', `/after${i} `);
      assert.doesNotMatch(read('access.log'), /\/before/);
      assert.doesNotMatch(read('access.log.1'), /\/after/);
    });

  if (LOGROTATE !== undefined || process.env.CI !== undefined)
    it('are rotated by logrotate, as the page says and with copytruncate', async (t) => {
      const { server, cwd, read, has } = await serveToFiles(t, 'access_log = "combined"\n');
      const rotate = (rules: string): void => {
        writeFileSync(join(cwd, 'rotate.conf'), `${join(cwd, '*.log')} {\n rotate 4\n missingok\n ${rules}\n}\n`, {
          mode: 0o644,
        });
        const args = ['--force', '--state', join(cwd, 'state'), join(cwd, 'rotate.conf')];
        execFileSync(LOGROTATE ?? 'logrotate', args, { stdio: 'pipe' });
      };
      await ask(server.port, '/first');
      await has('access.log', '/first');
      rotate(`sharedscripts\n postrotate\n kill -USR1 ${server.pid}\n endscript`);
      await has('error.log', 'were opened again');
      await ask(server.port, '/second');
      await has('access.log', '/second');
      assert.match(read('access.log.1'), /\/first /);
      rotate('copytruncate');
      await ask(server.port, '/third');
      await has('access.log', '/third');
      assert.match(read('access.log'), /^127\.0\.0\.1 .*\/third .*\n$/);
      assert.match(read('access.log.1'), /\/second /);
      assert.match(read('access.log.2'), /\/first /);
    });

  if (existsSync('/dev/full'))
    it('do not end the server when the disk is full; the other log says so once', async (t) => {
      const { server, read, has } = await serveToFiles(t, '', '--access-log-file', '/dev/full');
      for (let i = 0; i < 20; i += 1) assert.equal((await ask(server.port, '/quick')).status, 200);
      await has('error.log', 'Cannot write the access log');
      assert.equal((await ask(server.port, '/quick')).status, 200);
      assert.equal(read('error.log').match(/Cannot write the access log/g)?.length, 1);
    });
});
