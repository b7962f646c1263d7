import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { KNOWS_RESIDENT_MEMORY } from '../../src/workers/resident-memory.ts';
import { ask, openRequest, Pipeline } from '../support/http-client.ts';
import { eachTestLifetime } from '../support/lifetime.ts';
import { type MarkedViaduct, startMarked } from '../support/marks.ts';
import { makeProject } from '../support/project.ts';
import { startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually, isRunning } from '../support/wait.ts';

/**
 * Answers with the pid of its worker. `/leak/N` keeps N MiB, `/thread` and `/executor` leave work behind them, `/open` waits, and
 * marks that it does. `/lock` waits for ever in C code.
 */
const APP = `
import os, threading, time
from concurrent.futures import ThreadPoolExecutor

if os.path.exists("broken"):
    raise RuntimeError("broken meanwhile")
leaks = []
executor = ThreadPoolExecutor(1)
lock = threading.Lock()

def work(name):
    time.sleep(1)
    with open(name, "w") as file:
        file.write(str(os.getpid()))

def application(environ, start_response):
    _, action, *rest = environ["PATH_INFO"].split("/")
    if action == "leak":
        leaks.append(b"x" * (int(rest[0]) * 1048576))
    elif action == "thread":
        threading.Thread(target=work, args=("thread",)).start()
    elif action == "executor":
        executor.submit(work, "executor")
    elif action == "lock":
        for _ in range(2):
            lock.acquire()
    elif action == "open":
        open(f"open-{os.getpid()}", "w").close()
        while not os.path.exists("closed"):
            time.sleep(0.005)
    body = str(os.getpid()).encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
`;

/** The replacements in the log so far, in order. */
function replacements(server: Viaduct): { old: number; successor: number; requests: number; reason: string }[] {
  const lines = server
    .output()
    .matchAll(/worker \d+ \(pid (\d+)\) replaces worker \d+ \(pid (\d+)\) after (\d+) requests?: ([^"\n]*)/g);
  return [...lines].map(([, successor, old, requests, reason = '']) => ({
    old: Number(old),
    successor: Number(successor),
    requests: Number(requests),
    reason,
  }));
}

describe('workers are recycled', () => {
  const eachTest = eachTestLifetime();

  const serve = async (...args: string[]): Promise<{ server: Viaduct; project: string }> => {
    const project = makeProject(eachTest, { 'app.py': APP });
    const fixed = ['serve', project, '--access-log', 'off'];
    return { server: await startViaduct(eachTest, [...fixed, ...args], { cwd: project }), project };
  };
  const pidOf = async (server: Viaduct, path = '/'): Promise<number> => {
    const { status, body } = await ask(server.port, path);
    assert.equal(status, 200);
    return Number(body);
  };

  /** Sends requests on 6 connections until `isOver`, every fifth a POST. Returns the ids of all; each was answered with 200. */
  async function load({ port }: MarkedViaduct, isOver: () => boolean): Promise<string[]> {
    const clients = Array.from({ length: 6 }, async (_, client) => {
      const ids: string[] = [];
      const pipeline = await Pipeline.open(port);
      for (let i = 0; i < 20_000 && !isOver(); i += 1) {
        const batch = [0, 1, 2].map((number) => `${client}-${i}-${number}`);
        const [a, b, c] = batch.map((id) => `/run/${id}/${i % 7}`);
        const get = (target = ''): string => `GET ${target} HTTP/1.1\r\nHost: test.example\r\n\r\n`;
        const post = `POST ${c} HTTP/1.1\r\nHost: test.example\r\nContent-Length: 3\r\n\r\nabc`;
        const answers = await pipeline.send([get(a), get(b), post]);
        assert.deepEqual(
          answers.map(({ status }) => status),
          [200, 200, 200],
        );
        ids.push(...batch);
      }
      pipeline.close();
      return ids;
    });
    return (await Promise.all(clients)).flat();
  }

  /** Each request started once and ended once. */
  function assertOnce({ starts, marks }: MarkedViaduct, ids: readonly string[]): void {
    assert.deepEqual([...starts().keys()].sort(), [...ids].sort());
    assert.deepEqual(
      [...starts()].filter(([, count]) => count !== 1),
      [],
      'started more than once',
    );
    assert.equal(marks().filter(({ kind }) => kind === 'end').length, ids.length);
  }

  it('after max_requests under load, one at a time, and no request fails or runs twice', async () => {
    const site = await startMarked(eachTest, ['--workers', '2', '--threads', '2', '--max-requests', '50']);
    const { viaduct } = site;
    const ids = await load(site, () => replacements(viaduct).length >= 12);
    assertOnce(site, ids);
    const all = replacements(viaduct);
    assert.ok(
      all.every(({ requests, reason }) => requests >= 50 && reason === 'it has done as many as max_requests allows'),
    );
    // Each successor takes the place of a worker that served until then, so there were always two.
    const serving = new Set(all.map(({ old }) => old).filter((pid) => !all.some(({ successor }) => successor === pid)));
    assert.equal(serving.size, 2);
    for (const { old, successor } of all) {
      assert.ok(serving.delete(old), `${old} served`);
      serving.add(successor);
    }
    await eventually('all old ones have ended', () => all.every(({ old }) => !isRunning(old)));
    assert.doesNotMatch(viaduct.output(), /died|killed/);
  });

  it('after a number of requests that max_requests_jitter makes different', async () => {
    const { server } = await serve('--workers', '1', '--max-requests', '5', '--max-requests-jitter', '1000000000');
    const pid = await pidOf(server);
    for (let i = 0; i < 20; i += 1) assert.equal(await pidOf(server), pid);
  });

  it('at max_lifetime_ms, also without requests', async () => {
    const { server } = await serve('--workers', '2', '--max-lifetime-ms', '1s');
    await eventually('both have been replaced', () => replacements(server).length >= 2);
    for (const { reason } of replacements(server)) assert.equal(reason, 'it is as old as max_lifetime_ms allows');
    await pidOf(server);
  });

  if (KNOWS_RESIDENT_MEMORY)
    it('above max_rss_bytes, and those below are not', async () => {
      const { server } = await serve('--workers', '1', '--max-rss-bytes', '150MiB');
      const pid = await pidOf(server);
      assert.equal(await pidOf(server, '/leak/200'), pid);
      await eventually('it has been replaced', () => replacements(server).length >= 1);
      const [first] = replacements(server);
      assert.equal(first?.old, pid);
      assert.match(first?.reason ?? '', /^its 2\d\d MiB of memory are more than max_rss_bytes allows$/);
      const next = await pidOf(server);
      assert.equal(next, first?.successor);
      await eventually('the large one has ended', () => !isRunning(pid));
      assert.equal(await pidOf(server), next);
    });

  it('and one whose successor cannot import serves on until it can', async () => {
    const { server, project } = await serve('--workers', '1', '--no-preload', '--max-requests', '3');
    const pid = await pidOf(server);
    writeFileSync(join(project, 'broken'), '');
    for (let i = 0; i < 5; i += 1) assert.equal(await pidOf(server), pid);
    await eventually('it is said', () =>
      /died .* at its start; worker \d+ \(pid \d+\) serves on/.test(server.output()),
    );
    assert.match(server.output(), /RuntimeError: broken meanwhile/);
    for (let i = 0; i < 5; i += 1) assert.equal(await pidOf(server), pid);
    rmSync(join(project, 'broken'));
    await eventually('it has been replaced', () => replacements(server).length > 0);
    assert.notEqual(await pidOf(server), pid);
  });

  it('while one dies, and no request runs twice', async () => {
    const site = await startMarked(eachTest, ['--workers', '2', '--threads', '1', '--max-requests', '20']);
    const { viaduct } = site;
    const killed: number[] = [];
    let answered = 0;
    const client = await Pipeline.open(site.port);
    for (let i = 0; i < 20_000 && killed.length < 3; i += 1) {
      const [answer] = await client.get(`/run/${i}`);
      answered += answer?.status === 200 ? 1 : 0;
      const newest = replacements(viaduct).at(-1)?.successor;
      if (newest === undefined || killed.includes(newest)) continue;
      process.kill(newest, 'SIGKILL');
      killed.push(newest);
    }
    client.close();
    assert.equal(killed.length, 3);
    assert.ok(answered > 3 * 10);
    assert.deepEqual(
      [...site.starts().values()].filter((count) => count > 1),
      [],
    );
    await eventually('the next one answers', async () => (await ask(site.port, '/run/last')).status === 200);
  });

  it('while the server reloads, and the new release has its workers', async () => {
    const site = await startMarked(eachTest, ['--workers', '2', '--threads', '2', '--max-requests', '40']);
    const { viaduct } = site;
    const reloads = (): number => viaduct.output().split('Reloaded in').length - 1;
    let asked = 0;
    const over = eventually('three reloads are over', () => {
      if (replacements(viaduct).length > asked * 3 && reloads() === asked && asked < 3) {
        process.kill(viaduct.pid, 'SIGHUP');
        asked += 1;
      }
      return reloads() === 3;
    });
    let isOver = false;
    const stopped = over.finally(() => {
      isOver = true;
    });
    const [ids] = await Promise.all([load(site, () => isOver), stopped]);
    assertOnce(site, ids);
    assert.doesNotMatch(viaduct.output(), /died|killed/);
  });

  it('when a thread is stuck, before the others, and another worker is ready before it leaves', async () => {
    const { server } = await serve(
      ...['--workers', '1', '--threads', '2', '--max-lifetime-ms', '1h'],
      ...['--request-timeout-ms', '300ms', '--request-grace-ms', '200ms'],
    );
    const pid = await pidOf(server);
    assert.equal((await ask(server.port, '/lock')).status, 504);
    await eventually('it has been replaced', () => replacements(server).length === 1);
    const [first] = replacements(server);
    assert.deepEqual([first?.old, first?.reason], [pid, 'a thread did not end a request that took too long']);
    assert.equal(await pidOf(server), first?.successor);
    await eventually('it has ended', () => !isRunning(pid));
    assert.doesNotMatch(server.output(), /died/);
  });

  it('and their threads and executors finish within graceful_timeout_ms', async () => {
    const { server, project } = await serve('--workers', '1', '--max-requests', '2', '--graceful-timeout-ms', '20s');
    const pid = await pidOf(server, '/thread');
    assert.equal(await pidOf(server, '/executor'), pid);
    await eventually('it has been replaced', () => replacements(server).length > 0);
    await eventually('it has ended', () => !isRunning(pid));
    for (const name of ['thread', 'executor']) assert.equal(readFileSync(join(project, name), 'utf8'), `${pid}`);
    assert.doesNotMatch(server.output(), /died|killed/);
  });

  it('and finish their requests first, also when the server stops meanwhile', async () => {
    const { server, project } = await serve('--workers', '1', '--threads', '2', '--max-requests', '1');
    const open = openRequest('HTTP/1.1', server.port, 'GET', '/open');
    open.upload.end();
    const answer = open.answer();
    await eventually('it has been replaced', async () => {
      await pidOf(server);
      return replacements(server).length > 0;
    });
    const pid = replacements(server)[0]?.old;
    process.kill(server.pid, 'SIGTERM');
    writeFileSync(join(project, 'closed'), '');
    const { status, body } = await answer;
    assert.equal(status, 200);
    const blocks: Buffer[] = [];
    for await (const block of body) blocks.push(block as Buffer);
    assert.equal(Buffer.concat(blocks).toString(), `${pid}`);
    assert.equal((await server.exited).code, 0);
  });
});

describe('the number of workers', () => {
  const eachTest = eachTestLifetime();
  /** The marks of the workers that run `/open`, or did. */
  const open = (project: string): string[] => readdirSync(project).filter((name) => name.startsWith('open-'));

  it('follows the load between min and max, and dead ones are replaced', async () => {
    const project = makeProject(eachTest, {
      'app.py': APP,
      'viaduct.toml': 'workers = { min = 1, max = 3 }\nthreads = 1\nworkers_idle_ms = "1s"\naccess_log = "off"\n',
    });
    const server = await startViaduct(eachTest, ['serve', project], { cwd: project });
    const changes = (): string[] =>
      [...server.output().matchAll(/Workers: (\d+ instead of \d+), because/g)].map(([, change = '']) => change);
    const waiting = Array.from({ length: 12 }, () => ask(server.port, '/open'));
    await eventually('three run one each', () => open(project).length === 3);
    assert.deepEqual(changes(), ['2 instead of 1', '3 instead of 2']);
    writeFileSync(join(project, 'closed'), '');
    const answers = await Promise.all(waiting);
    assert.ok(answers.every(({ status }) => status === 200));
    const pids = new Set(answers.map(({ body }) => body));
    assert.equal(pids.size, 3);
    await eventually('there is one again', () => changes().length >= 4);
    assert.deepEqual(changes().slice(2), ['2 instead of 3', '1 instead of 2']);
    await eventually('two have ended', () => [...pids].filter((pid) => isRunning(Number(pid))).length === 1);
    assert.doesNotMatch(server.output(), /died|killed/);
    const last = Number((await ask(server.port, '/')).body);
    process.kill(last, 'SIGKILL');
    await eventually('another one answers', async () => Number((await ask(server.port, '/')).body) !== last);
    assert.equal(changes().length, 4);
  });

  it('stays when a reload comes', async () => {
    const project = makeProject(eachTest, { 'app.py': APP });
    const args = ['--workers', '2', '--workers-min', '1', '--threads', '1', '--access-log', 'off'];
    const server = await startViaduct(eachTest, ['serve', project, ...args], { cwd: project });
    const waiting = Array.from({ length: 4 }, () => ask(server.port, '/open'));
    await eventually('there are two', () => /Workers: 2 instead of 1, because requests wait/.test(server.output()));
    writeFileSync(join(project, 'closed'), '');
    for (const { status } of await Promise.all(waiting)) assert.equal(status, 200);
    process.kill(server.pid, 'SIGHUP');
    await eventually('the reload is over', () => /Reloaded in/.test(server.output()));
    rmSync(join(project, 'closed'));
    const before = open(project).length;
    const both = Array.from({ length: 2 }, () => ask(server.port, '/open'));
    await eventually('two workers run one each', () => open(project).length === before + 2);
    writeFileSync(join(project, 'closed'), '');
    for (const { status } of await Promise.all(both)) assert.equal(status, 200);
    assert.equal(server.output().split('Workers: ').length, 2);
  });
});
