import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ROOT } from '../support/viaduct.ts';
import { eventually, isRunning } from '../support/wait.ts';

const APPLICATION = `export function application(environ, startResponse) {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  return [Buffer.from(String(process.pid))];
}
`;
/** A compiler and a server start in a second, on a busy machine in many. */
const PATIENCE_MS = 120_000;
const WORKER = join(ROOT, 'python/viaduct_worker/worker.py');

describe('npm run dev', () => {
  it('serves, restarts after a change with one line, and ends with everything that it started', async (t) => {
    const dev = start(t, [application(t), '--listen', '127.0.0.1:0']);
    const [, url = ''] = await dev.says(/^Viaduct \S+ serves .+ on (\S+)$/m);
    assert.match(dev.output(), /^- built in [\d.]+ s$/m);
    const server = Number(await (await fetch(url)).text());
    const before = dev.output().length;
    utimesSync(WORKER, new Date(), new Date());
    await dev.says(/^- python\/viaduct_worker\/worker\.py changed, restarted$/m);
    assert.equal(isRunning(server), false);
    const started = descendants(dev.child.pid as number);
    assert.ok(started.length >= 1, `${started}`);
    dev.child.kill('SIGINT');
    assert.equal(await dev.exited, 0, dev.output());
    for (const pid of started) await eventually(`${pid} has ended`, () => !isRunning(pid));
    const later = dev.output().slice(before).split('\n');
    assert.deepEqual(
      later.filter(
        (line) => line !== '' && !line.startsWith('{') && !/ serves |^The requests are shown on /.test(line),
      ),
      ['- python/viaduct_worker/worker.py changed, restarted'],
    );
  });

  it('ends with the exit code of a server that cannot start', async (t) => {
    const dev = start(t, [application(t), '--listen', 'nowhere']);
    assert.equal(await dev.exited, 2, dev.output());
    assert.match(dev.output(), /Cannot use --listen "nowhere"/);
  });
});

function application(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'viaduct-dev-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, 'app.mjs'), APPLICATION);
  return join(directory, 'app.mjs');
}

function start(t: TestContext, args: readonly string[]) {
  const script = join(ROOT, 'scripts/dev.mjs');
  const child: ChildProcess = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGTERM'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (block) => (output += block));
  return {
    child,
    output: () => output,
    exited: once(child, 'close').then(([code]) => code as number | null),
    /** Waits until the output has a match. */
    says: async (pattern: RegExp): Promise<RegExpExecArray> => {
      const end = performance.now() + PATIENCE_MS;
      for (;;) {
        const match = pattern.exec(output);
        if (match !== null) return match;
        if (performance.now() > end) throw new Error(`${pattern} is not in the output: ${output}`);
        await delay(20);
      }
    },
  };
}

/** All processes that one has started, as the system lists them. */
function descendants(pid: number): readonly number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const pairs = lines.map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  const below = (parent: number): number[] =>
    pairs.filter(([, of]) => of === parent).flatMap(([child]) => [child, ...below(child)]);
  return below(pid);
}
