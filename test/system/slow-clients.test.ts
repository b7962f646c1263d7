import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { before, describe, it, type TestContext } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { ask } from '../support/http-client.ts';
import { suiteLifetime } from '../support/lifetime.ts';
import { SocketClient } from '../support/socket-client.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { ROOT, startViaduct, type Viaduct } from '../support/viaduct.ts';

const isInstalled = (process.env.PATH ?? '').split(delimiter).some((path) => existsSync(join(path, 'slowhttptest')));
const NO_SLOWHTTPTEST = isInstalled ? false : 'slowhttptest is not installed';

const ATTACKERS = 200;
const FLOOD = 2000;
/** The attack ends after this time. A server that resists has closed its connections long before. */
const ATTACK_SECONDS = 20;

/** The modes of `slowhttptest`, each with its arguments. They send or read about a byte each second. */
const ATTACKS: readonly [string, readonly string[]][] = [
  ['heads that never end', ['-H', '-i', '1', '-x', '8', '-u', '/blocks?hello']],
  ['content that trickles', ['-B', '-i', '1', '-x', '8', '-s', '8192', '-u', '/digests']],
  [
    'responses that are hardly read',
    ['-X', '-n', '1', '-z', '1024', '-w', '64', '-y', '128', '-u', '/assets/large.bin'],
  ],
];

describe('slow clients', () => {
  const suite = suiteLifetime();
  let viaduct: Viaduct;

  before(async () => {
    const directory = temporaryDirectory(suite);
    // Much more than the kernel buffers for a client that reads nothing.
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
    viaduct = await startViaduct(suite, [
      ...app,
      ...limits,
      '--static',
      `/assets/=${directory}`,
      '--access-log',
      'off',
    ]);
  });

  for (const [name, args] of ATTACKS) {
    it(`are cut off while others are served: ${name}`, { skip: NO_SLOWHTTPTEST }, async (t) => {
      const start = performance.now();
      const attack = slowhttptest(args);
      const waits = await serveOrdinaryClients(attack.ended);
      const result = await attack.ended;
      const seconds = (performance.now() - start) / 1000;
      report(t, `${ATTACKERS} attackers gone after ${seconds.toFixed(1)} s;`, waits);
      assert.match(result, /Exit status:\s+No open connections left/, result);
      assert.doesNotMatch(result, /service available:\s+NO/);
    });
  }

  it('do not keep others from being served when 2,000 of them come at once', async (t) => {
    const clients: SocketClient[] = [];
    try {
      for (let i = 0; i < FLOOD; i += 100) {
        clients.push(...(await Promise.all(Array.from({ length: 100 }, () => SocketClient.open(viaduct.port)))));
      }
      for (const client of clients) client.send('GET /blocks?hello HTTP/1.1\r\nHost: a\r\nX-Slow: ');
      const start = performance.now();
      const closed = Promise.all(clients.map((client) => client.untilClosed()));
      const waits = await serveOrdinaryClients(closed);
      const statuses = new Set(await closed);
      report(t, `${FLOOD} connections gone after ${((performance.now() - start) / 1000).toFixed(1)} s;`, waits);
      assert.deepEqual([...statuses], [408]);
    } finally {
      for (const client of clients) client.close();
    }
  });

  /** Requests one page after another until `until` settles. Returns the milliseconds that each took. */
  async function serveOrdinaryClients(until: Promise<unknown>): Promise<number[]> {
    let over = false;
    const end = () => {
      over = true;
    };
    until.then(end, end);
    const waits: number[] = [];
    while (!over) {
      const start = performance.now();
      const answer = await ask(viaduct.port, '/blocks?hello');
      waits.push(performance.now() - start);
      assert.equal(answer.body, 'hello');
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(waits.length > 0, 'no ordinary client was served');
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

function report(t: TestContext, summary: string, waits: readonly number[]): void {
  const sorted = waits.toSorted((a, b) => a - b);
  const at = (part: number) => (sorted[Math.floor(part * (sorted.length - 1))] ?? 0).toFixed(1);
  t.diagnostic(
    `${summary} ${waits.length} ordinary requests meanwhile, median ${at(0.5)} ms, 99% within ${at(0.99)} ms`,
  );
}
