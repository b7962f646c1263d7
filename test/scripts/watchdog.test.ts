import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { ROOT } from '../support/viaduct.ts';
import { PATIENCE_MS, within } from '../support/wait.ts';

/** Runs a file with this text as `npm test` does, with two seconds of patience. */
async function runTest(
  t: TestContext,
  text: string,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const file = join(temporaryDirectory(t), 'hanging.test.mjs');
  writeFileSync(file, `import { it } from 'node:test';\n${text}`);
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const args = ['--import=./scripts/watchdog.mjs', '--test', '--test-reporter=./scripts/failure-reporter.mjs'];
  const child = spawn(process.execPath, [...args, '--test-reporter-destination=stdout', file], {
    cwd: ROOT,
    env: { ...env, VIADUCT_QUIET_SECONDS: '2' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (block: Buffer) => (output += block));
  const [code] = (await within(PATIENCE_MS, 'the end of the run', () => once(child, 'close'))) as [number | null];
  return { code, output };
}

describe('the watchdog of the tests', () => {
  it('ends a test that hangs, and the processes that it has started, and names both', async (t) => {
    const { code, output } = await runTest(
      t,
      `import { spawn } from 'node:child_process';
it('is quick', () => {});
it('waits for a program', async () => {
  const child = spawn('sleep', ['3600']);
  await new Promise(() => child);
});
it('comes later', () => {});`,
    );
    assert.equal(code, 1, output);
    assert.match(
      output,
      /^hung: nothing happened for 2 s in \S+hanging\.test\.mjs: "waits for a program"; still open: /m,
    );
    if (process.platform === 'linux') assert.match(output, /process "sleep 3600"/);
  });

  it('ends a process that does not end after its tests', async (t) => {
    const { code, output } = await runTest(t, `it('leaves a timer', () => void setInterval(() => {}, 1000));`);
    assert.equal(code, 1, output);
    assert.match(output, /^hung: .*: no test runs; still open: .*Timeout × 1/m);
  });
});
