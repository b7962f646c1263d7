import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { type Host, Network, NO_HOSTS } from '../support/hosts.ts';
import { missing, type Peer } from '../support/peer.ts';
import { makeProject } from '../support/project.ts';
import { BIN, ROOT, runViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const SKIP = NO_HOSTS || missing('dnsmasq');
const PORT = 8000;

/** An application server on a host, and the log of its application. */
interface AppHost {
  readonly host: Host;
  readonly name: string;
  readonly log: string;
  readonly program: Peer;
}

/** Clients that send requests until they are stopped, and the outcomes of these requests. */
class Load {
  readonly answers = new Map<number, string>();
  readonly failures: { readonly id: number; readonly method: string; readonly why: string }[] = [];
  #next = 0;
  #stopped = false;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 24 });
  readonly #clients: Promise<void>[];

  /** Half of the requests can be retried (GET), the others cannot (POST). */
  constructor(address: string) {
    this.#clients = Array.from({ length: 24 }, () => this.#client(address));
  }

  get count(): number {
    return this.answers.size + this.failures.length;
  }

  /** The names of the hosts that answered the last `count` requests. */
  last(count: number): Set<string> {
    return new Set([...this.answers.values()].slice(-count));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#clients);
    this.#agent.destroy();
  }

  /** Stops at once, even in the middle of requests. */
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

async function startApp(t: TestContext, host: Host, cwd: string): Promise<AppHost> {
  const name = `host-${host.address.split('.').at(-1)}`;
  const log = join(cwd, `${name}.log`);
  const env = { HOST_NAME: name, HOST_LOG: log };
  const args = [BIN, 'app', join(ROOT, 'test/apps/hosts.py'), '--listen', `${host.address}:${PORT}`, '--workers', '1'];
  const options = { env, cwd: ROOT, ready: serves };
  const program = await host.start(t, process.execPath, [...args, '--threads', '8', '--access-log', 'off'], options);
  return { host, name, log, program };
}

function serves({ output }: Peer): boolean {
  return /Viaduct \S+ serves/.test(output());
}

describe('one web server, several application servers and DNS, each on its own host', { skip: SKIP }, () => {
  it('lose only requests at a host that is killed or disconnected, and start no request twice', async (t) => {
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
    const flags = [
      '--keep-in-foreground',
      '--no-resolv',
      '--no-hosts',
      '--bind-interfaces',
      '--local-ttl=1',
      '--user=root',
      '--pid-file=',
    ];
    const named = await dns.start(t, 'dnsmasq', [
      ...flags,
      `--listen-address=${dns.address}`,
      `--addn-hosts=${records}`,
      `--conf-file=${join(cwd, 'empty.conf')}`,
    ]);
    const apps = await Promise.all([a, b, c].map((host) => startApp(t, host, cwd)));
    await web.start(t, process.execPath, [BIN, 'web', '--listen', `${web.address}:${PORT}`], { cwd, ready: serves });
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

    // A host is drained, stopped and started again.
    await command('drain', urlOf(a));
    await eventually('it has no requests left', async () =>
      /11:8000 +draining +weight 1 +0 active/.test((await command()).output),
    );
    await appA.program.stop();
    await answered(300);
    assert.deepEqual([load.last(200), load.failures], [new Set(['host-12', 'host-13']), []]);
    await startApp(t, a, cwd);
    await command('enable', urlOf(a));
    await eventually('it receives requests again', () => load.last(60).has('host-11'));
    assert.deepEqual(load.failures, []);

    // A host is added to DNS.
    const appD = await startApp(t, d, cwd);
    setRecords(a, b, c, d);
    // This signal makes dnsmasq read its records again. `ip netns exec` has become dnsmasq.
    named.process.kill('SIGHUP');
    await eventually('it receives requests', () => load.last(60).has('host-14'));
    assert.deepEqual(load.failures, []);

    // A host is killed: only its requests can be lost, and of these only the POSTs.
    const startedBefore = idsOf(appB);
    await appB.program.stop();
    await answered(300);
    const killed = load.failures.splice(0);
    // The killed host may not have started what it had received. No other host has.
    const startedElsewhere = new Set([...apps.filter((app) => app !== appB), appD].flatMap(idsOf));
    for (const { id, method, why } of killed) {
      assert.deepEqual([method, why, startedElsewhere.has(id)], ['POST', '502', false], `request ${id}`);
    }
    assert.ok(killed.length <= 24, `${killed.length} were lost of ${startedBefore.length}`);
    assert.equal(load.last(100).has('host-12'), false);

    // A host is disconnected and comes back.
    c.setCable(false);
    await eventually('the web server notices', async () =>
      /13:8000 +(?:unhealthy|down)/.test((await command()).output),
    );
    await answered(300);
    c.setCable(true);
    await eventually('it receives requests again', () => load.last(60).has('host-13'));
    await answered(100);
    await load.stop();
    for (const { method, why } of load.failures) assert.deepEqual([method, why], ['POST', '504']);
    assert.ok(load.failures.length <= 24, `${load.failures.length} were lost`);

    // Each POST was started at most once, whatever happened.
    const started = [...apps, appD].flatMap(idsOf).filter((id) => id % 2 === 1);
    assert.equal(new Set(started).size, started.length);
    for (const id of load.answers.keys())
      if (id % 2 === 1) assert.ok(started.includes(id), `request ${id} was answered but not started`);
    const { length } = started;
    t.diagnostic(
      `${load.answers.size} answered, ${killed.length} lost with the killed host, ${load.failures.length} with the disconnected one; ${length} POSTs, none started twice`,
    );
  });
});

/** The numbers of the requests that the application has started. */
function idsOf({ log }: AppHost): number[] {
  return readFileSync(log, 'utf8').trim().split('\n').map(Number);
}
