import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type Host, Network, NO_HOSTS } from '../support/hosts.ts';
import { missing, type Program } from '../support/peer.ts';
import { makeProject } from '../support/project.ts';
import { runViaduct } from '../support/run-viaduct.ts';
import { eventually } from '../support/socket-client.ts';
import { BIN, ROOT } from '../support/viaduct.ts';

const SKIP = NO_HOSTS || missing('dnsmasq');
const PORT = 8000;

/** An application server on a host, and what it wrote down. */
interface AppHost {
  readonly host: Host;
  readonly name: string;
  readonly log: string;
  program: Program;
}

/** What became of the requests of a load that goes on until it is stopped. */
class Load {
  readonly answers = new Map<number, string>();
  readonly failures: { readonly id: number; readonly method: string; readonly why: string }[] = [];
  #next = 0;
  #stopped = false;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 24 });
  readonly #clients: Promise<void>[];

  /** Half of the requests can be repeated, the others cannot. */
  constructor(address: string) {
    this.#clients = Array.from({ length: 24 }, () => this.#client(address));
  }

  get count(): number {
    return this.answers.size + this.failures.length;
  }

  /** Names of the hosts that answered the last `count` requests. */
  last(count: number): Set<string> {
    return new Set([...this.answers.values()].slice(-count));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#clients);
    this.#agent.destroy();
  }

  /** Ends at once, whatever is under way. */
  abort(): void {
    this.#stopped = true;
    this.#agent.destroy();
  }

  async #client(address: string): Promise<void> {
    while (!this.#stopped) {
      const id = this.#next;
      this.#next += 1;
      const method = id % 2 === 0 ? 'GET' : 'POST';
      try {
        this.answers.set(id, await this.#ask(address, method, id));
      } catch (error) {
        this.failures.push({ id, method, why: (error as Error).message });
      }
    }
  }

  #ask(address: string, method: string, id: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const options = { host: address, port: PORT, path: `/?${id}`, method, agent: this.#agent };
      const asking = request(options, (response) => {
        let body = '';
        response.on('data', (block: Buffer) => {
          body += block.toString();
        });
        response.on('end', () =>
          response.statusCode === 200 ? resolve(body) : reject(new Error(`${response.statusCode}`)),
        );
        response.on('error', reject);
      });
      asking.on('error', reject);
      asking.end(method === 'POST' ? 'content' : undefined);
    });
  }
}

function startApp(t: TestContext, host: Host, cwd: string): AppHost {
  const name = `host-${host.address.split('.').at(-1)}`;
  const log = join(cwd, `${name}.log`);
  const env = { HOST_NAME: name, HOST_LOG: log };
  const args = [BIN, 'app', join(ROOT, 'test/apps/hosts.py'), '--listen', `${host.address}:${PORT}`, '--workers', '1'];
  const run = (): Program =>
    host.start(process.execPath, [...args, '--threads', '8', '--access-log', 'off'], { env, cwd: ROOT });
  const app = { host, name, log, program: run() };
  t.after(() => app.program.stop());
  return app;
}

async function isUp({ program }: AppHost): Promise<void> {
  await eventually('the application is served', () => /Viaduct \S+ serves/.test(program.output()));
}

describe('one web server, several application servers and DNS, each on a host of its own', { skip: SKIP }, () => {
  it('lose no request but those that are with a host which is killed or cut off, and begin none twice', async (t) => {
    const network = new Network(t);
    const [dns, web, ...hosts] = [53, 80, 11, 12, 13, 14].map((number) => network.host(number)) as [
      Host,
      Host,
      ...Host[],
    ];
    const cwd = makeProject(t, {
      'viaduct.toml': `control = "control.sock"
access_log = "off"
[[route]]
name = "app"
proxy = "dns+http://app.test:${PORT}"
[route.proxy_options]
balance = "least-connections"
connect_timeout_ms = 1000
response_timeout_ms = 4000
retries = 3
retry_on = ["error", "timeout"]
retry_budget = 1
[route.proxy_options.discovery]
dns_servers = "${dns.address}"
ttl_ms_min = 100
[route.proxy_options.health]
path = "/health"
interval_ms = 200
timeout_ms = 1500
healthy_after = 1
unhealthy_after = 2
`,
      'empty.conf': '',
    });
    const records = join(cwd, 'records');
    const setRecords = (...named: Host[]): void =>
      writeFileSync(records, named.map(({ address }) => `${address} app.test\n`).join(''));
    const [a, b, c, d] = hosts as [Host, Host, Host, Host];
    setRecords(a, b, c);
    const own = [
      '--keep-in-foreground',
      '--no-resolv',
      '--no-hosts',
      '--bind-interfaces',
      '--local-ttl=1',
      '--user=root',
      '--pid-file=',
    ];
    const named = dns.start('dnsmasq', [
      ...own,
      `--listen-address=${dns.address}`,
      `--addn-hosts=${records}`,
      `--conf-file=${join(cwd, 'empty.conf')}`,
    ]);
    t.after(() => named.stop());
    const apps = [a, b, c].map((host) => startApp(t, host, cwd));
    await Promise.all(apps.map(isUp));
    const server = web.start(process.execPath, [BIN, 'web', '--listen', `${web.address}:${PORT}`], { cwd });
    t.after(() => server.stop());
    await eventually('the web server listens', () => /Viaduct \S+ serves/.test(server.output()));
    const command = (...words: string[]) => runViaduct(cwd, 'backends', ...words);
    const urlOf = ({ address }: Host): string => `http://${address}:${PORT}`;
    const load = new Load(web.address);
    t.after(() => load.abort());
    const answered = async (more: number): Promise<void> => {
      const goal = load.count + more;
      await eventually(`${more} more are answered`, () => load.count >= goal);
    };
    const [appA, appB] = apps as [AppHost, AppHost, AppHost];

    await answered(300);
    assert.deepEqual([load.last(200), load.failures], [new Set(['host-11', 'host-12', 'host-13']), []]);

    // A host is drained, stopped and started anew.
    await command('drain', urlOf(a));
    await eventually('it has nothing left', async () =>
      /11:8000 +draining +weight 1 +0 active/.test((await command()).output),
    );
    await appA.program.stop();
    await answered(300);
    assert.deepEqual([load.last(200), load.failures], [new Set(['host-12', 'host-13']), []]);
    const again = startApp(t, a, cwd);
    await isUp(again);
    await command('enable', urlOf(a));
    await eventually('it has requests again', () => load.last(60).has('host-11'));
    assert.deepEqual(load.failures, []);

    // A host is added to DNS.
    const appD = startApp(t, d, cwd);
    await isUp(appD);
    setRecords(a, b, c, d);
    // It reads its records again; in the namespace it is the process that entered it.
    named.process.kill('SIGHUP');
    await eventually('it has requests', () => load.last(60).has('host-14'));
    assert.deepEqual(load.failures, []);

    // A host is killed: only what it had can be lost, and of that only what cannot be repeated.
    const begunBefore = idsOf(appB);
    await appB.program.stop();
    await answered(300);
    const killed = load.failures.splice(0);
    // What it had received it need not have begun; nobody else has.
    const begunElsewhere = new Set([...apps.filter((app) => app !== appB), appD].flatMap(idsOf));
    for (const { id, method, why } of killed) {
      assert.deepEqual([method, why, begunElsewhere.has(id)], ['POST', '502', false], `request ${id}`);
    }
    assert.ok(killed.length <= 24, `${killed.length} were lost of ${begunBefore.length}`);
    assert.equal(load.last(100).has('host-12'), false);

    // A host is cut off and comes back.
    c.setCable(false);
    await eventually('it is found out', async () => /13:8000 +(?:unhealthy|resting)/.test((await command()).output));
    await answered(300);
    c.setCable(true);
    await eventually('it has requests again', () => load.last(60).has('host-13'));
    await answered(100);
    await load.stop();
    for (const { method, why } of load.failures) assert.deepEqual([method, why], ['POST', '504']);
    assert.ok(load.failures.length <= 24, `${load.failures.length} were lost`);

    // What cannot be repeated was begun once at most, whatever happened.
    const begun = [...apps, appD].flatMap(idsOf).filter((id) => id % 2 === 1);
    assert.equal(new Set(begun).size, begun.length);
    for (const id of load.answers.keys())
      if (id % 2 === 1) assert.ok(begun.includes(id), `request ${id} was answered by nobody`);
    const { length } = begun;
    t.diagnostic(
      `${load.answers.size} answered, ${killed.length} lost with the killed host, ${load.failures.length} with the cut one; ${length} that cannot be repeated, none begun twice`,
    );
  });
});

/** Requests that the application has begun, by number. */
function idsOf({ log }: AppHost): number[] {
  return readFileSync(log, 'utf8').trim().split('\n').map(Number);
}
