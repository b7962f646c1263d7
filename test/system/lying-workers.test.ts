import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { COMPLETE, HEAD } from '../../src/workers/frames.ts';
import { ask } from '../support/http-client.ts';
import { frame } from '../support/lane.ts';
import { makeProject } from '../support/project.ts';
import { chooseSeed, createRandom, noise } from '../support/random.ts';
import { SocketClient } from '../support/socket-client.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { APPS, startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually, isRunning } from '../support/wait.ts';

/** The id of the request, which `test/apps/lies.py` replaces. */
const ID = 'IIIIIIII';

const message = (text: string, length = text.length): string => {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(length);
  return head.toString('hex') + Buffer.from(text).toString('hex');
};
const ofRequest = (bytes: Buffer): string => ID + bytes.toString('hex').slice(8);

const LIES: readonly (readonly [title: string, target: string, reason: RegExp])[] = [
  ['text on a lane', `/lane?${Buffer.from('x'.repeat(1000)).toString('hex')}`, /is killed: it announced/],
  [
    'two responses',
    `/lane?${ofRequest(frame({ kind: COMPLETE, body: 'a' })).repeat(2)}`,
    /is killed: it answered a request that it was not running/,
  ],
  [
    'half a block and then nothing',
    `/silent?${ofRequest(frame({ kind: HEAD, body: 'a'.repeat(10), bodyLength: 100_000 }))}`,
    /is killed: it does not respond/,
  ],
  [
    'text on its control connection',
    `/control?${Buffer.from('GET / HTTP/1.1').toString('hex')}`,
    /is killed: it announced/,
  ],
  ['what is not JSON', `/control?${message('{"kind"')}`, /is killed: it sent something that is not a message/],
  ['a message without its fields', `/control?${message('{"kind":"log","text":7}')}`, /that is not a message/],
  [
    'a message of the zygote',
    `/control?${message('{"kind":"forked","worker":1,"pid":2}')}`,
    /forked.{1,2} at the wrong time/,
  ],
  [
    'a scoreboard of noise, and dies',
    `/scoreboard?${Buffer.from('noise'.repeat(100)).toString('hex')}`,
    /died of SIGKILL/,
  ],
];

describe('a worker that lies', { concurrency: 2 }, () => {
  const start = (t: TestContext): Promise<Viaduct> =>
    startViaduct(t, ['serve', 'lies:application', '--chdir', APPS, '--workers', '1', '--worker-timeout-ms', '1s']);

  for (const [title, target, reason] of LIES) {
    it(`is replaced, and the server goes on, when it sends ${title}`, async (t) => {
      const server = await start(t);
      const { body: liar } = await ask(server.port, '/');
      const client = await SocketClient.open(server.port);
      client.send(`GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      await client.untilClosed();
      await eventually('another worker answers', async () => (await ask(server.port, '/')).body !== liar);
      assert.match(server.output(), reason);
      assert.ok(isRunning(server.pid));
    });
  }

  it('is replaced, and the server goes on, when it sends random bytes', async (t) => {
    const server = await start(t);
    const seed = chooseSeed();
    t.diagnostic(`VIADUCT_TEST_SEED=${seed}`);
    const random = createRandom(seed);
    for (let round = 0; round < 4; round += 1) {
      const { body: liar } = await ask(server.port, '/');
      const where = round % 2 === 0 ? 'lane' : 'control';
      const client = await SocketClient.open(server.port);
      const bytes = noise(random, 500 + Math.floor(random() * 2000));
      client.send(`GET /${where}?${bytes.toString('hex')} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      await client.untilClosed();
      await eventually('another worker answers', async () => (await ask(server.port, '/')).body !== liar);
    }
  });
});

describe('a worker whose connections outlive it', () => {
  it('gets 502 for its request, though a process that it forked in C holds them', async (t) => {
    const project = makeProject(t, {
      'app.py': `
import ctypes, os, time
def application(environ, start_response):
    if environ['PATH_INFO'] == '/clone':
        pid = ctypes.CDLL(None).fork()
        if pid == 0:
            while True: time.sleep(1)
        with open('clone', 'w') as file: file.write(str(pid))
        os.kill(os.getpid(), 9)
    start_response('200 OK', [])
    return [str(os.getpid()).encode()]
`,
    });
    const server = await startViaduct(t, ['serve', project, '--workers', '1', '--threads', '2']);
    const before = (await ask(server.port, '/')).body;
    assert.equal((await ask(server.port, '/clone')).status, 502);
    process.kill(Number(readFileSync(join(project, 'clone'), 'utf8')), 'SIGKILL');
    const after = await ask(server.port, '/');
    assert.equal(after.status, 200);
    assert.notEqual(after.body, before);
  });
});

describe('a zygote that lies', () => {
  const app = (lie: string): string => `
import os, sys, threading, time
def find():
    frame = sys._getframe()
    while 'channel' not in frame.f_locals:
        frame = frame.f_back
    return frame.f_locals['channel']
CHANNEL = find()
def later():
    while not os.path.exists('lie'):
        time.sleep(.01)
    os.unlink('lie')
    CHANNEL.socket.sendall(bytes.fromhex('${lie}'))
threading.Thread(target=later, daemon=True).start()
def application(environ, start_response):
    if environ['PATH_INFO'] == '/lie':
        open('lie', 'w').close()
    start_response('200 OK', [])
    return [str(os.getppid()).encode()]
`;
  for (const [title, lie] of [
    ['text', Buffer.from('GET / HTTP/1.1').toString('hex')],
    ['that it has loaded again', message('{"kind":"loaded"}')],
    ['that its import was unsafe after all', message('{"kind":"unsafe","findings":["thread x"]}')],
    ['that a hook has ended, which does not run', message('{"kind":"hooked","hook":"on_ready","code":0,"report":""}')],
    [
      'that a hook has ended, which it does not run',
      message('{"kind":"hooked","hook":"after_fork","code":0,"report":""}'),
    ],
    ['that a worker has ended, which runs', message('{"kind":"exited","worker":1,"code":0}')],
    ['that process 1 is its worker', message('{"kind":"forked","worker":1,"pid":1}')],
  ] as const) {
    it(`is replaced with its workers when it sends ${title}`, async (t) => {
      const project = makeProject(t, { 'app.py': app(lie) });
      const server = await startViaduct(t, ['serve', project, '--workers', '1', '--preload']);
      const { body: liar } = await ask(server.port, '/lie');
      await eventually('another zygote has forked', async () => {
        const { status, body } = await ask(server.port, '/');
        return status === 200 && body !== liar;
      });
      assert.match(server.output(), /The zygote is killed: it /);
    });
  }
});

describe("the workers' socket", () => {
  it('closes connections of strangers, and the server goes on', async (t) => {
    const runtime = temporaryDirectory(t);
    const args = ['serve', 'lies:application', '--chdir', APPS, '--workers', '1', '--control', 'off'];
    const server = await startViaduct(t, args, { env: { RUNTIME_DIRECTORY: runtime } });
    const worker = (await ask(server.port, '/')).body;
    const [directory] = readdirSync(runtime) as [string];
    const path = join(runtime, directory, 'server.sock');
    const strangers = [
      'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
      Buffer.from(message('', 0xffffffff), 'hex'),
      Buffer.from(message('[]'), 'hex'),
      Buffer.from(message('null'), 'hex'),
      Buffer.from(message('{"kind":"loaded"}'), 'hex'),
      Buffer.from(message('{"kind":"__proto__"}'), 'hex'),
      Buffer.from(message('{"kind":"zygote","release":1,"pid":7,"version":"3"}'), 'hex'),
      Buffer.from(message('{"kind":"zygote","release":99,"pid":7,"version":"3"}'), 'hex'),
      Buffer.from(message('{"kind":"lane","release":99,"worker":1,"index":0}'), 'hex'),
      Buffer.from(message('{"kind":"lane","release":1,"worker":99,"index":-1}'), 'hex'),
    ];
    for (const bytes of strangers) {
      const stranger = await SocketClient.open(path);
      stranger.send(bytes.toString('latin1'));
      await stranger.untilClosed();
    }
    assert.equal((await ask(server.port, '/')).body, worker);
    const impostor = await SocketClient.open(path);
    impostor.send(Buffer.from(message('{"kind":"lane","release":1,"worker":1,"index":9}'), 'hex').toString('latin1'));
    await impostor.untilClosed();
    await eventually('the worker that it named is replaced', async () => (await ask(server.port, '/')).body !== worker);
    assert.match(server.output(), /it opened a lane that it may not have/);
  });
});
