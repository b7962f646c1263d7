import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask, Pipeline } from '../support/http-client.ts';
import { eachTestLifetime } from '../support/lifetime.ts';
import { type MarkedViaduct, startMarked } from '../support/marks.ts';
import { chooseSeed, createRandom } from '../support/random.ts';
import { SocketClient } from '../support/socket-client.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { eventually, isRunning } from '../support/wait.ts';

const THREADS = 2;
const STAYING_CLIENTS = 24;
const LEAVING_CLIENTS = 6;

describe('no request starts twice, and none is lost', () => {
  // The server waits longer before it replaces each worker that dies young, so more kills would only make the test longer.
  for (const { title, args, weather } of [
    { title: 'when workers are killed and clients leave', args: [], weather: { requests: 6000, kills: 6 } },
    {
      title: 'when workers import the application themselves',
      args: ['--no-preload'],
      weather: { requests: 2500, kills: 3 },
    },
    { title: 'when new releases take over meanwhile', args: [], weather: { requests: 3000, kills: 3, reloads: 2 } },
    {
      title: 'when workers are recycled, killed and counted anew, and new releases take over meanwhile',
      args: ['--max-requests', '60', '--max-requests-jitter', '30', '--workers-min', '1'],
      weather: { requests: 5000, kills: 3, reloads: 2 },
    },
    {
      title:
        'when requests exceed their deadlines, workers are recycled, killed and scaled, and new releases take over meanwhile',
      args: ['--max-requests', '100', '--max-requests-jitter', '50', '--request-grace-ms', '200ms'],
      weather: { requests: 4000, kills: 3, reloads: 2, scales: 8, late: 40 },
    },
  ]) {
    it(title, { timeout: 120_000 }, async (t) => {
      // On a busy machine, clients that leave can fill a queue of the default length before the server gets its turn, and requests wait
      // for longer than a second.
      const queue = ['--queue-max', '100000', '--queue-delay-ms', '0'];
      const counts = ['--workers', '3', '--threads', `${THREADS}`, ...queue];
      const directory = temporaryDirectory(t);
      const config = join(directory, 'viaduct.toml');
      const control = join(directory, 'control.sock');
      writeFileSync(config, LATE_ROUTE);
      const server = await startMarked(t, [...counts, '--config', config, '--control', control, ...args]);
      await new Stress(server, control, t, weather).run();
    });
  }
});

interface Weather {
  readonly requests: number;
  readonly kills: number;
  readonly reloads?: number;
  /** How often the number of workers changes. */
  readonly scales?: number;
  /** How many requests exceed their deadline. */
  readonly late?: number;
}

/** Only requests that are late on purpose have a deadline. */
const LATE_ROUTE = '[[route]]\npath = "/late/*"\nrequest_timeout_ms = 300\n';

const WAYS_TO_BE_LATE = ['computes', 'computes', 'yields', 'sleeps'] as const;

/** One run: its clients, the killer of workers, and the accounts that are checked at the end. */
class Stress {
  readonly #server: MarkedViaduct;
  readonly #control: string;
  readonly #random: () => number;
  readonly #weather: Weather;
  /** Statuses of the requests whose clients waited for the answer. */
  readonly #answers = new Map<string, number>();
  readonly #errors: string[] = [];
  /** Pids of the workers that answered recently. */
  readonly #pids: number[] = [];
  readonly #killed = new Set<number>();
  #sent = 0;
  #done = 0;
  #left = 0;
  #late = 0;

  constructor(server: MarkedViaduct, control: string, context: TestContext, weather: Weather) {
    this.#server = server;
    this.#control = control;
    this.#weather = weather;
    const seed = chooseSeed();
    context.diagnostic(`VIADUCT_TEST_SEED=${seed}`);
    this.#random = createRandom(seed);
  }

  async run(): Promise<void> {
    const staying = Array.from({ length: STAYING_CLIENTS }, (_, index) => this.#stay(index % 3 === 0 ? 1 : 8));
    const leaving = Array.from({ length: LEAVING_CLIENTS }, () => this.#leave());
    await Promise.all([...staying, ...leaving, this.#kill(), this.#reload(), this.#scale()]);
    await this.#settle();
    this.#checkAccounts();
  }

  /** A client that waits for every answer. It pipelines up to `depth` requests. */
  async #stay(depth: number): Promise<void> {
    const client = await Pipeline.open(this.#server.port);
    while (this.#sent < this.#weather.requests) {
      const ids = Array.from({ length: 1 + Math.floor(this.#random() * depth) }, () => this.#nextId());
      try {
        const answers = await client.get(...ids.map((id) => this.#target(id)));
        answers.forEach(({ status, body }, index) => {
          this.#note(ids[index] as string, status, body);
        });
      } catch (error) {
        this.#errors.push(`${ids.join(' ')}: ${String(error)}`);
        return;
      }
    }
    if (client.excess !== '') this.#errors.push(`answers without a request: ${client.excess}`);
    client.close();
  }

  #note(id: string, status: number, body: string): void {
    this.#done += 1;
    if (this.#answers.has(id)) this.#errors.push(`${id} was answered twice`);
    this.#answers.set(id, status);
    if (status === 502) return;
    if (id.startsWith('late-')) {
      if (status !== 504 && status !== 503) this.#errors.push(`${id} was answered ${status} ${body}`);
      return;
    }
    const [answered, pid] = body.split(' ');
    if (status !== 200 || answered !== id) this.#errors.push(`${id} was answered ${status} ${body}`);
    else if (this.#pids.push(Number(pid)) > 50) this.#pids.shift();
  }

  /** Clients that leave at any time: at once, while they wait, in the middle of an answer. */
  async #leave(): Promise<void> {
    while (this.#sent < this.#weather.requests && this.#errors.length === 0) {
      const client = await SocketClient.open(this.#server.port);
      const count = 1 + Math.floor(this.#random() * 4);
      for (let i = 0; i < count; i += 1)
        client.send(`GET ${this.#target(`left-${this.#nextLeftId()}`)} HTTP/1.1\r\nHost: a\r\n\r\n`);
      const waits = Math.floor(this.#random() * 4);
      for (let i = 0; i < waits; i += 1) await new Promise((resolve) => setTimeout(resolve, this.#random() * 8));
      client.close();
    }
  }

  async #kill(): Promise<void> {
    const { kills, requests } = this.#weather;
    for (let kill = 1; kill <= kills; kill += 1) {
      const due = (kill * requests * 0.9) / (kills + 1);
      await eventually('it is time for the next kill', () => this.#done >= due || this.#errors.length > 0);
      const alive = this.#pids.filter((pid) => !this.#killed.has(pid) && isRunning(pid));
      const victim = alive[Math.floor(this.#random() * alive.length)];
      if (victim === undefined) continue; // the workers that answered recently are already dead
      this.#killed.add(victim);
      process.kill(victim, 'SIGKILL');
    }
  }

  async #reload(): Promise<void> {
    const { reloads = 0, requests } = this.#weather;
    for (let reload = 1; reload <= reloads; reload += 1) {
      const due = (reload * requests) / (reloads + 1);
      await eventually('it is time for the next reload', () => this.#done >= due || this.#errors.length > 0);
      process.kill(this.#server.viaduct.pid, 'SIGHUP');
    }
  }

  /** Changes the number of workers. While a release starts, the server refuses that. */
  async #scale(): Promise<void> {
    const { scales = 0, requests } = this.#weather;
    for (let scale = 1; scale <= scales; scale += 1) {
      const due = (scale * requests) / (scales + 1);
      await eventually('it is time to scale', () => this.#done >= due || this.#errors.length > 0);
      const workers = 1 + Math.floor(this.#random() * 5);
      const { status, body } = await ask(this.#control, `/scale?workers=${workers}`, { method: 'POST' });
      if (status !== 200 && status !== 409) this.#errors.push(`scale: ${status} ${body}`);
    }
  }

  /** Waits until the requests of clients that have left are finished too. */
  async #settle(): Promise<void> {
    let before = -1;
    await eventually('no request runs any more', async () => {
      const now = this.#server.marks().length;
      const still = now === before;
      before = now;
      await new Promise((resolve) => setTimeout(resolve, 250));
      return still;
    });
  }

  #checkAccounts(): void {
    assert.deepEqual(this.#errors, []);
    const marks = this.#server.marks();
    const starters = new Map<string, number>();
    const twice: string[] = [];
    for (const { kind, id, pid } of marks) {
      if (kind === 'end') continue;
      if (starters.has(id)) twice.push(id);
      starters.set(id, pid);
    }
    assert.deepEqual(twice, [], 'started twice');
    const answered = [...this.#answers];
    assert.ok(answered.length >= this.#weather.requests, `only ${answered.length} requests had clients that stayed`);
    const lost = answered.filter(([id, status]) => status === 200 && !starters.has(id));
    assert.deepEqual(lost, [], 'answered without having run');
    const failed = answered.filter(([, status]) => status === 502).map(([id]) => id);
    const waited = answered.filter(([id, status]) => status === 503 && starters.has(id));
    assert.deepEqual(waited, [], '503 although it had started');
    const innocent = failed.filter((id) => starters.has(id) && !this.#killed.has(starters.get(id) ?? 0));
    assert.deepEqual(innocent, [], '502 although the worker that had started it was not killed');
    // A worker may be killed after it reports that it takes a request, and before the application makes its mark.
    const unmarked = failed.filter((id) => !starters.has(id));
    assert.ok(unmarked.length <= this.#killed.size, `502 although no worker had started them: ${unmarked.join(' ')}`);
    this.#checkVictims(failed, starters);
    const { late = 0 } = this.#weather;
    const overdue = answered.filter(([id, status]) => id.startsWith('late-') && status === 504);
    assert.ok(overdue.length >= late / 2, `only ${overdue.length} of ${this.#late} requests exceeded their deadline`);
    assert.ok(this.#killed.size >= this.#weather.kills / 2, `only ${this.#killed.size} workers were killed`);
  }

  /** Asserts that a killed worker lost only the one request that each of its threads was running. */
  #checkVictims(failed: readonly string[], starters: ReadonlyMap<string, number>): void {
    for (const pid of this.#killed) {
      const victims = failed.filter((id) => starters.get(id) === pid);
      assert.ok(victims.length <= THREADS, `worker ${pid} ran ${victims.join(' ')} at once`);
    }
  }

  #nextId(): string {
    this.#sent += 1;
    const { late = 0, requests } = this.#weather;
    if (this.#sent < (this.#late + 1) * (requests / (late + 1))) return `${this.#sent}`;
    this.#late += 1;
    return `late-${this.#late}`;
  }

  #nextLeftId(): number {
    this.#left += 1;
    return this.#left;
  }

  /** The target of a request: nine of ten are fast, some take milliseconds, a few are slow. */
  #target(id: string): string {
    const dice = this.#random();
    if (id.startsWith('late-')) return `/late/${id}/${WAYS_TO_BE_LATE[Math.floor(dice * WAYS_TO_BE_LATE.length)]}`;
    if (dice < 0.9) return `/run/${id}/0`;
    if (dice < 0.96) return `/run/${id}/${1 + Math.floor(this.#random() * 5)}`;
    if (dice < 0.98) return `/busy/${id}/${1 + Math.floor(this.#random() * 10)}`;
    return `/run/${id}/${30 + Math.floor(this.#random() * 120)}`;
  }
}

describe('a full queue', () => {
  it('answers 503 with Retry-After, never starts these requests, and loses none of the others', async (t) => {
    const server = await startMarked(t, ['--workers', '1', '--threads', '1', '--queue-max', '4']);
    const held = await Pipeline.open(server.port);
    const holding = held.get('/hold/held');
    await eventually('the worker is busy', () => server.starts().has('held'));
    const names = Array.from({ length: 12 }, (_, index) => `queued-${index}`);
    const clients = await Promise.all(names.map(() => Pipeline.open(server.port)));
    let answered = 0;
    const asking = names.map(async (name, index) => {
      const post = `POST /run/${name} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx`;
      const get = `GET /run/${name} HTTP/1.1\r\nHost: a\r\n\r\n`;
      const [answer] = await (clients[index] as Pipeline).send([index % 2 === 0 ? get : post]);
      answered += 1;
      return { name, status: answer?.status, head: answer?.head ?? '' };
    });
    await eventually('eight are refused', () => answered === 8);
    server.release();
    const answers = await Promise.all(asking);
    assert.equal((await holding)[0]?.status, 200);
    const refused = answers.filter(({ status }) => status === 503);
    assert.equal(refused.length, 8);
    for (const { head } of refused) assert.match(head, /^Retry-After: \d+$/im);
    const served = answers.filter(({ status }) => status === 200).map(({ name }) => name);
    assert.deepEqual([...server.starts().keys()].sort(), ['held', ...served].sort());
    assert.equal(served.length, 4);
    for (const client of [held, ...clients]) client.close();
  });

  it('refuses no request while a thread is idle and its length is 0', async (t) => {
    const server = await startMarked(t, ['--workers', '1', '--threads', '1', '--queue-max', '0']);
    const client = await Pipeline.open(server.port);
    const [get] = await client.get('/run/get');
    const [post] = await client.send(['POST /run/post HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc']);
    assert.deepEqual([get?.status, post?.status], [200, 200]);
    client.close();
  });
});

describe('a request whose worker died', () => {
  const eachTest = eachTestLifetime();

  const start = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const server = await startMarked(eachTest, args, env);
    const client = await Pipeline.open(server.port);
    eachTest.after(() => client.close());
    return { server, client };
  };
  const withRetries = (retries: boolean) =>
    start(['--workers', '2', '--threads', '1'], retries ? { VIADUCT_RETRY_IDEMPOTENT: 'true' } : {});

  it('gets 502 and is never started again, whatever its method, by default', async () => {
    const { server, client } = await withRetries(false);
    for (const method of ['GET', 'POST', 'DELETE']) {
      const [answer] = await client.send([`${method} /die/${method}/1 HTTP/1.1\r\nHost: a\r\n\r\n`]);
      assert.equal(answer?.status, 502);
      assert.equal(server.starts().get(method), 1);
    }
  });

  it('is started once more with its content when retries are on and its method is idempotent', async () => {
    const { server, client } = await withRetries(true);
    const content = 'x'.repeat(400_000);
    const [get] = await client.send(['GET /die/GET/1 HTTP/1.1\r\nHost: a\r\n\r\n']);
    assert.equal(get?.status, 200);
    const [put] = await client.send([`PUT /die/PUT/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 400000\r\n\r\n${content}`]);
    assert.equal(put?.status, 200);
    assert.match(put?.body ?? '', /^PUT \d+ 400000$/);
    assert.deepEqual([...server.starts().values()], [2, 2]);
  });

  it('gets 502 when its second worker dies too', async () => {
    const { server, client } = await withRetries(true);
    const [answer] = await client.get('/die/deadly/9');
    assert.equal(answer?.status, 502);
    assert.equal(server.starts().get('deadly'), 2);
  });

  it('does not lose the answers of other requests in its batch', async () => {
    const { server, client } = await start(['--workers', '1', '--threads', '1']);
    for (let i = 0; i < 50; i += 1) await client.get(`/run/warm-${i}/0`);
    const clients = await Promise.all(Array.from({ length: 40 }, () => Pipeline.open(server.port)));
    for (let round = 1; round <= 3; round += 1) {
      const answers = await Promise.all(
        clients.map((each, index) => each.get(index === 30 ? `/die/killer-${round}/1` : `/run/${round}-${index}/0`)),
      );
      const failed = answers.flatMap(([answer], index) => (answer?.status === 200 ? [] : [index]));
      assert.deepEqual(failed, [30]);
    }
    for (const each of clients) each.close();
    assert.ok([...server.starts().values()].every((starts) => starts === 1));
  });

  for (const method of ['POST', 'PATCH']) {
    it(`is never started again when its method is ${method}`, async () => {
      const { server, client } = await withRetries(true);
      const [answer] = await client.send([
        `${method} /die/${method}/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx`,
      ]);
      assert.equal(answer?.status, 502);
      assert.equal(server.starts().get(method), 1);
    });
  }

  it('is not started again when its response had started: the client sees it break off', async () => {
    const { server } = await withRetries(true);
    const raw = await SocketClient.open(server.port);
    raw.send('GET /stream/started/1 HTTP/1.1\r\nHost: a\r\n\r\n');
    await raw.untilClosed();
    assert.doesNotMatch(raw.received, /and ended|\r\n0\r\n\r\n/);
    assert.equal(server.starts().get('started'), 1);
  });
});
