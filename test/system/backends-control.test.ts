import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { startBackend } from '../support/backend.ts';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { runViaduct, startViaduct, type Viaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

interface Running {
  readonly server: Viaduct;
  readonly cwd: string;
  /** URLs of the backends, which answer with `a` and `b`. */
  readonly urls: readonly [string, string];
  readonly get: () => Promise<string>;
  readonly command: (...words: string[]) => ReturnType<typeof runViaduct>;
}

async function start(t: TestContext, processes: number): Promise<Running> {
  const backends = await Promise.all(
    ['a', 'b'].map((name) => startBackend(t, () => `HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${name}`)),
  );
  const urls = backends.map(({ url }) => url) as [string, string];
  const cwd = makeProject(t, {
    'viaduct.toml': `control = "control.sock"\nprocesses = ${processes}\naccess_log = "off"
[[route]]
name = "shop"
proxy = ["${urls[0]}", { url = "${urls[1]}", weight = 2 }]
`,
  });
  const server = await startViaduct(t, [], { cwd });
  const get = async () => (await ask(server.port, '/')).body;
  return { server, cwd, urls, get, command: (...words) => runViaduct(cwd, 'backends', ...words) };
}

describe('viaduct backends', { concurrency: 2 }, () => {
  for (const processes of [1, 2]) {
    it(`lists, drains, enables and weighs backends with ${processes === 1 ? 'one server process' : 'several server processes'}`, async (t) => {
      const { server, cwd, urls, get, command } = await start(t, processes);
      assert.equal(statSync(join(cwd, 'control.sock')).mode & 0o777, 0o600);
      const { code, output } = await command();
      assert.equal(code, 0, output);
      assert.match(output, /^shop\n {2}http:\S+ +up +weight 1 +0 active\n {2}http:\S+ +up +weight 2 +0 active\n$/);
      assert.deepEqual(await command('drain', urls[0]), { code: 0, output: '' });
      for (let i = 0; i < 6; i += 1) assert.equal(await get(), 'b');
      assert.match((await command('list')).output, /draining +weight 1/);
      process.kill(server.pid, 'SIGHUP');
      await eventually('the server has reloaded', () => /reload/i.test(server.output()));
      for (let i = 0; i < 6; i += 1) assert.equal(await get(), 'b');
      await command('enable', urls[0]);
      await command('weight', urls[0], '7');
      assert.match((await command()).output, /up +weight 7/);
      const answers = await Promise.all(Array.from({ length: 18 }, get));
      assert.ok(answers.filter((answer) => answer === 'a').length > 9, answers.join(''));
      await command('weight', urls[0], 'configured');
      assert.match((await command()).output, /up +weight 1 /);
    });
  }

  it('changes nothing when the command, the backend or the weight is wrong', async (t) => {
    const { urls, command } = await start(t, 1);
    for (const [words, message] of [
      [['drain', 'http://nowhere'], /Cannot change the backend: There is no backend "http:\/\/nowhere"/],
      [['weight', urls[0], '0'], /The weight must be a whole number from 1 to 100/],
      [['weight', urls[0]], /Cannot use "backends weight .*": unknown arguments\nWrite viaduct backends/],
      [['stop'], /Cannot use "backends stop"/],
    ] as const) {
      const { code, output } = await command(...words);
      assert.notEqual(code, 0);
      assert.match(output, message);
    }
  });

  it('fails with a reason when no server runs', async (t) => {
    const cwd = makeProject(t, { 'other.toml': '' });
    const none = await runViaduct(cwd, 'backends', '--chdir', cwd);
    assert.match(none.output, /Cannot reach the server: none of this user is there/);
    const gone = await runViaduct(cwd, 'backends', '--control', 'gone.sock');
    assert.match(gone.output, /Cannot reach the server at ".*gone\.sock": the socket does not exist/);
    assert.deepEqual([none.code !== 0, gone.code !== 0], [true, true]);
  });
});
