import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { NO_POSTGRES, type Postgres, startPostgres } from '../support/postgres.ts';
import { djangoFiles, makeProject } from '../support/project.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { NO_PACKAGES, runViaduct, startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually, isRunning } from '../support/wait.ts';

const WORKERS = 2;
const THREADS = 2;

/**
 * Persistent connections, and views that are ended in the middle of a transaction. `/` answers with the process, the process of PostgreSQL, and
 * whether the connection was in a transaction before.
 */
const URLS = `
import os, time
from django.db import connection, transaction
from django.http import HttpResponse
from django.urls import path

def note(text):
    with connection.cursor() as cursor:
        cursor.execute('INSERT INTO notes VALUES (%s)', [text])

def which(request):
    before = connection.in_atomic_block
    with connection.cursor() as cursor:
        cursor.execute('SELECT pg_backend_pid(), pg_sleep(0.002)')
        backend = cursor.fetchone()[0]
    return HttpResponse(f'{os.getpid()} {backend} {before}')

def write(request, text):
    with transaction.atomic():
        note(text)
    return HttpResponse(str(os.getpid()))

def compute(request):
    with transaction.atomic():
        note('never')
        while True:
            pass

def query(request):
    with transaction.atomic():
        note('never')
        with connection.cursor() as cursor:
            cursor.execute('SELECT pg_sleep(60)')

def hold(request):
    with transaction.atomic():
        note('never')
        open('held', 'w').write(str(os.getpid()))
        time.sleep(60)

def many(request):
    while True:
        with transaction.atomic():
            note('one of many')

urlpatterns = [
    path('', which), path('write/<str:text>', write), path('compute', compute), path('query', query),
    path('hold', hold), path('many', many),
]
`;

const settingsFor = ({ directory }: Postgres, name: string): string => `
DATABASES = {'default': {
    'ENGINE': 'django.db.backends.postgresql', 'NAME': 'test', 'USER': 'test', 'HOST': '${directory}',
    'CONN_MAX_AGE': None, 'OPTIONS': {'application_name': '${name}', 'options': '-c client_connection_check_interval=200'},
}}
`;

/** Only requests that are late on purpose have a deadline. */
const DEADLINES = ['/compute', '/query', '/many']
  .map((path) => `[[route]]\npath = "${path}"\nrequest_timeout_ms = 300\n`)
  .join('');

interface Shop {
  readonly server: Viaduct;
  readonly project: string;
  /** The connections of the application. */
  connections(): ReturnType<Postgres['connections']>;
}

describe('persistent connections to PostgreSQL', { concurrency: 2, skip: NO_POSTGRES || NO_PACKAGES }, () => {
  const suite = suiteLifetime();
  let postgres: Postgres;
  let shops = 0;

  before(async () => {
    postgres = await startPostgres(suite);
    postgres.query('CREATE TABLE notes (text text)');
  });

  async function start(t: TestContext, ...args: string[]): Promise<Shop> {
    shops += 1;
    const name = `shop-${shops}`;
    const files = { ...djangoFiles(settingsFor(postgres, name)), 'mysite/urls.py': URLS, 'viaduct.toml': DEADLINES };
    const project = makeProject(t, files, { venv: '.venv' });
    const counts = ['--workers', `${WORKERS}`, '--threads', `${THREADS}`, '--access-log', 'off'];
    const server = await startViaduct(t, ['serve', project, ...counts, ...args]);
    return { server, project, connections: () => postgres.connections(name) };
  }

  /** Uses every thread. Asserts that no request found the transaction of another one. */
  async function use({ server }: Shop, requests = 60): Promise<void> {
    const answers = await Promise.all(Array.from({ length: requests }, () => ask(server.port, '/')));
    for (const { status, body } of answers) assert.deepEqual([status, body.split(' ')[2]], [200, 'False'], body);
    // A connection belongs to one process.
    const owners = new Map<string, string>();
    for (const { body } of answers) {
      const [pid = '', backend = ''] = body.split(' ');
      assert.equal(owners.get(backend) ?? pid, pid);
      owners.set(backend, pid);
    }
  }

  /** Waits until no more connections are there than threads, and asserts that none of them has an open transaction. */
  async function settled({ connections }: Shop, workers = WORKERS): Promise<void> {
    await eventually(`there are at most ${workers * THREADS} connections, and all are idle`, () => {
      const now = connections();
      return now.length <= workers * THREADS && now.every(({ state }) => state === 'idle');
    });
  }

  const written = (text: string): number =>
    Number(postgres.query(`SELECT count(*) FROM notes WHERE text = '${text}'`)[0]?.[0]);

  it('are as many as threads, and end with their workers at a reload and at the stop', async (t) => {
    const shop = await start(t);
    await use(shop);
    const first = shop.connections().map(({ backend }) => backend);
    assert.ok(first.length > 0 && first.length <= WORKERS * THREADS, `${first.length}`);
    for (let reload = 2; reload < 3; reload += 1) {
      process.kill(shop.server.pid, 'SIGHUP');
      await eventually('it has reloaded', () => shop.server.output().split('Reloaded in').length === reload);
      await use(shop);
    }
    await settled(shop);
    assert.ok(shop.connections().every(({ backend }) => !first.includes(backend)));
    await shop.server.stop();
    await eventually('all are closed', () => shop.connections().length === 0);
  });

  it('end with workers that are recycled', async (t) => {
    const shop = await start(t, '--max-requests', '20');
    for (let round = 0; round < 2; round += 1) await use(shop);
    await settled(shop);
    assert.ok(shop.server.output().includes('it has done as many as max_requests allows'));
  });

  it('follow the number of workers up and down', async (t) => {
    const control = ['--control', join(temporaryDirectory(t), 'control.sock')];
    const shop = await start(t, ...control);
    for (const workers of [4, 1, 3]) {
      const { code, output } = await runViaduct(shop.project, 'scale', `${workers}`, ...control);
      assert.equal(code, 0, output);
      await use(shop);
      await settled(shop, workers);
    }
  });

  it('end with a worker that is killed in a transaction, which is rolled back', async (t) => {
    const shop = await start(t);
    await use(shop);
    const before = written('never');
    const answer = ask(shop.server.port, '/hold');
    await eventually('it is in its transaction', () => existsSync(`${shop.project}/held`));
    process.kill(Number(readFileSync(`${shop.project}/held`, 'utf8')), 'SIGKILL');
    assert.equal((await answer).status, 502);
    await eventually('a new worker follows', () => shop.server.output().includes('a new one follows'));
    await use(shop);
    await settled(shop);
    assert.equal(written('never'), before);
  });

  for (const [path, what] of [
    ['/compute', 'while Python computes in a transaction'],
    ['/query', 'while a statement of a transaction runs'],
  ] as const) {
    it(`are closed or clean after a deadline ${what}`, async (t) => {
      const shop = await start(t, '--request-grace-ms', '300ms');
      await use(shop);
      const before = written('never');
      const answers = await Promise.all(Array.from({ length: 3 }, () => ask(shop.server.port, path)));
      assert.deepEqual(
        answers.map(({ status }) => status),
        [504, 504, 504],
      );
      await use(shop);
      await settled(shop);
      await use(shop);
      assert.equal(written('never'), before);
    });
  }

  /** What the recipes of docs/hooks.md have in common: it answers with its process and that of PostgreSQL. */
  const recipe = (name: string, code: string): string => `
import os
DSN = 'host=${postgres.directory} dbname=test user=test application_name=${name}'
${code}
def application(environ, start_response):
    backend = ask()
    start_response('200 OK', [])
    return [b'%d %d False' % (os.getpid(), backend)]
`;
  const POOL = `
from psycopg_pool import ConnectionPool
import viaduct
pool = ConnectionPool(DSN, min_size=1, max_size=2, open=False)
viaduct.postfork(pool.open)
viaduct.before_exit(pool.close)
def ask():
    with pool.connection() as connection:
        return connection.execute('SELECT pg_backend_pid(), pg_sleep(0.002)').fetchone()[0]
`;
  const ENGINE = `
from sqlalchemy import create_engine, text
import psycopg
engine = create_engine('postgresql+psycopg://', creator=lambda: psycopg.connect(DSN), pool_size=2, max_overflow=0)
def ask():
    with engine.connect() as connection:
        return connection.execute(text('SELECT pg_backend_pid(), pg_sleep(0.002)')).scalar()
`;
  for (const { title, code, args, finds } of [
    { title: 'a pool of psycopg that each worker opens', code: POOL, args: [], finds: false },
    {
      title: 'an engine that the import has used and disposed of',
      code: `${ENGINE}ask()\nengine.dispose()\n`,
      args: [],
      finds: false,
    },
    {
      title: 'an engine that the import has used and that each worker forgets',
      code: `${ENGINE}ask()\nimport viaduct\nviaduct.postfork(lambda: engine.dispose(close=False))\n`,
      args: ['--preload'],
      finds: true,
    },
    { title: 'an engine that the import has used, which is told', code: `${ENGINE}ask()\n`, args: [], finds: true },
  ]) {
    it(`are those of one worker each, and end with it, with ${title}`, async (t) => {
      shops += 1;
      const name = `shop-${shops}`;
      const project = makeProject(t, { 'app.py': recipe(name, code) }, { venv: '.venv' });
      const counts = [
        '--workers',
        `${WORKERS}`,
        '--threads',
        `${THREADS}`,
        '--access-log',
        'off',
        '--max-requests',
        '50',
      ];
      const server = await startViaduct(t, ['serve', project, ...counts, ...args]);
      const shop = { server, project, connections: () => postgres.connections(name) };
      assert.equal(/cannot share: a connection to /.test(server.output()), finds, server.output());
      await use(shop);
      process.kill(server.pid, 'SIGHUP');
      await eventually('it has reloaded', () => server.output().includes('Reloaded in'));
      await use(shop);
      const imported = args.length > 0 ? 1 : 0; // the connection of the import, which the zygote keeps
      await eventually('there are not too many', () => shop.connections().length <= WORKERS * THREADS + imported);
      await server.stop();
      await eventually('all are closed', () => shop.connections().length === 0);
      assert.doesNotMatch(server.output(), /Traceback/);
    });
  }

  it('never keep the transaction of a request that was interrupted between its statements', async (t) => {
    const shop = await start(t, '--request-grace-ms', '10s');
    for (let round = 1; round <= 3; round += 1) {
      const answers = await Promise.all(Array.from({ length: 3 }, () => ask(shop.server.port, '/many')));
      assert.deepEqual(
        answers.map(({ status }) => status),
        [504, 504, 504],
      );
      const texts = Array.from({ length: 12 }, (_, index) => `round-${shops}-${round}-${index}`);
      const writes = await Promise.all(texts.map((text) => ask(shop.server.port, `/write/${text}`)));
      for (const { status, body } of writes) assert.equal(status, 200, `${body}\n${shop.server.output().slice(-6000)}`);
      assert.deepEqual(
        texts.filter((text) => written(text) !== 1),
        [],
        'answered with 200, and not in the database',
      );
      await use(shop);
    }
    await settled(shop);
    assert.ok(isRunning(shop.server.pid));
  });
});
