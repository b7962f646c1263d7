import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { ask } from '../support/http-client.ts';
import { SocketClient } from '../support/socket-client.ts';
import { ROOT, startViaduct, type Viaduct } from '../support/viaduct.ts';

const isInstalled = (process.env.PATH ?? '').split(delimiter).some((path) => existsSync(join(path, 'slowhttptest')));
const NO_SLOWHTTPTEST = isInstalled ? false : 'slowhttptest is not installed';

const ATTACKERS = 200;
const FLOOD = 2000;
/** The attack gives up then; a server that holds out has ended it long before. */
const ATTACK_SECONDS = 20;

/** How `slowhttptest` attacks, a byte or so each second: which of its modes, and what it needs besides. */
const ATTACKS: readonly [string, readonly string[]][] = [
  ['heads that never end', ['-H', '-i', '1', '-x', '8', '-u', '/blocks?hello']],
  ['content that trickles', ['-B', '-i', '1', '-x', '8', '-s', '8192', '-u', '/digests']],
  [
    'responses that are hardly read',
    ['-X', '-n', '1', '-z', '1024', '-w', '64', '-y', '128', '-u', '/assets/large.bin'],
  ],
];

describe('slow clients', () => {
  let directory: string;
  let viaduct: Viaduct;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'viaduct-slow-'));
    // Much more than the kernel takes for a client that reads nothing.
    writeFileSync(join(directory, 'large.bin'), Buffer.alloc(64 * 1024 * 1024, 'x'));
    const limits = [
      '--header-timeout-ms',
      '2000',
      '--body-timeout-ms',
      '2000',
      '--write-timeout-ms',
      '2000',
      '--write-rate-bytes-min',
      '4096',
    ];
    const app = [
      'serve',
      'gallery:application',
      '--chdir',
      join(ROOT, 'test/apps'),
      '--workers',
      '1',
      '--threads',
      '2',
    ];
    viaduct = await startViaduct({
      args: [...app, ...limits, '--static', `/assets/=${directory}`, '--access-log', 'off'],
    });
  });

  after(async () => {
    await viaduct?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  for (const [what, args] of ATTACKS) {
    it(`are cut off while others are served: ${what}`, { skip: NO_SLOWHTTPTEST }, async (t) => {
      const begin = performance.now();
      const attack = slowhttptest(args);
      const waits = await serveOrdinaryClients(attack.ended);
      const report = await attack.ended;
      const seconds = (performance.now() - begin) / 1000;
      tell(t, `${ATTACKERS} attackers gone after ${seconds.toFixed(1)} s;`, waits);
      assert.match(report, /Exit status:\s+No open connections left/, report);
      assert.doesNotMatch(report, /service available:\s+NO/);
    });
  }

  it('do not keep others from being served when 2,000 of them come at once', async (t) => {
    const clients: SocketClient[] = [];
    try {
      for (let i = 0; i < FLOOD; i += 100) {
        clients.push(...(await Promise.all(Array.from({ length: 100 }, () => SocketClient.open(viaduct.port)))));
      }
      for (const client of clients) client.send('GET /blocks?hello HTTP/1.1\r\nHost: a\r\nX-Slow: ');
      const begin = performance.now();
      const closed = Promise.all(clients.map((client) => client.untilClosed()));
      const waits = await serveOrdinaryClients(closed);
      const statuses = new Set(await closed);
      tell(t, `${FLOOD} connections gone after ${((performance.now() - begin) / 1000).toFixed(1)} s;`, waits);
      assert.deepEqual([...statuses], [408]);
    } finally {
      for (const client of clients) client.close();
    }
  });

  /** Asks for one page after another until `until`, and returns how long each took, in milliseconds. */
  async function serveOrdinaryClients(until: Promise<unknown>): Promise<number[]> {
    let over = false;
    const end = () => {
      over = true;
    };
    until.then(end, end);
    const waits: number[] = [];
    while (!over) {
      const begin = performance.now();
      const answer = await ask(viaduct.port, '/blocks?hello');
      waits.push(performance.now() - begin);
      assert.equal(answer.body, 'hello');
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(waits.length > 0, 'nobody was served');
    return waits;
  }

  function slowhttptest(args: readonly string[]): { readonly ended: Promise<string> } {
    const target = `http://127.0.0.1:${viaduct.port}${args.at(-1)}`;
    const counts = ['-c', `${ATTACKERS}`, '-r', `${ATTACKERS}`, '-l', `${ATTACK_SECONDS}`, '-p', '5', '-v', '1'];
    const child = spawn('slowhttptest', [...args.slice(0, -1), target, ...counts], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const take = (block: Buffer) => {
      output += block.toString('latin1');
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const ended = new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', () => resolve(stripVTControlCharacters(output)));
    });
    return { ended };
  }
});

function tell(t: TestContext, what: string, waits: readonly number[]): void {
  const sorted = waits.toSorted((a, b) => a - b);
  const at = (part: number) => (sorted[Math.floor(part * (sorted.length - 1))] ?? 0).toFixed(1);
  t.diagnostic(`${what} ${waits.length} ordinary requests meanwhile, median ${at(0.5)} ms, 99% within ${at(0.99)} ms`);
}
