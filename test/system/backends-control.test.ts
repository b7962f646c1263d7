import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { RawBackend } from '../support/raw-backend.ts';
import { runViaduct } from '../support/run-viaduct.ts';
import { eventually } from '../support/socket-client.ts';
import { startViaduct, type Viaduct } from '../support/viaduct.ts';

interface Running {
  readonly server: Viaduct;
  readonly cwd: string;
  /** URLs of the backends, which answer `a` and `b`. */
  readonly urls: readonly [string, string];
  readonly get: () => Promise<string>;
  readonly command: (...words: string[]) => ReturnType<typeof runViaduct>;
}

async function start(t: TestContext, fronts: number): Promise<Running> {
  const backends = await Promise.all(
    ['a', 'b'].map((name) => RawBackend.answering(() => `HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${name}`)),
  );
  for (const backend of backends) t.after(() => backend.stop());
  const urls = backends.map(({ backend: { port } }) => `http://127.0.0.1:${port}`) as [string, string];
  const cwd = makeProject(t, {
    'viaduct.toml': `control = "control.sock"\nfronts = ${fronts}\naccess_log = "off"
[[route]]
name = "shop"
proxy = ["${urls[0]}", { url = "${urls[1]}", weight = 2 }]
`,
  });
  const server = await startViaduct({ cwd, args: [] });
  t.after(() => server.stop());
  const get = async () => (await ask(server.port, '/')).body;
  return { server, cwd, urls, get, command: (...words) => runViaduct(cwd, 'backends', ...words) };
}

describe('the backends of a running server', { concurrency: 2 }, () => {
  for (const fronts of [1, 2]) {
    it(`are listed, drained, enabled and weighed with ${fronts === 1 ? 'one front' : 'several fronts'}`, async (t) => {
      const { server, cwd, urls, get, command } = await start(t, fronts);
      assert.equal(statSync(join(cwd, 'control.sock')).mode & 0o777, 0o600);
      const { code, output } = await command();
      assert.equal(code, 0, output);
      assert.match(output, /^shop\n {2}http:\S+ +up +weight 1 +0 active\n {2}http:\S+ +up +weight 2 +0 active\n$/);
      assert.deepEqual(await command('drain', urls[0]), { code: 0, output: '' });
      for (let i = 0; i < 6; i += 1) assert.equal(await get(), 'b');
      assert.match((await command('list')).output, /draining +weight 1/);
      process.kill(server.pid, 'SIGHUP');
      await eventually('it has reloaded', () => /reload/i.test(server.output()));
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

  it('are not changed by what is no command, no backend or no weight', async (t) => {
    const { urls, command } = await start(t, 1);
    for (const [words, message] of [
      [['drain', 'http://nowhere'], /Cannot change the backend: There is no backend "http:\/\/nowhere"/],
      [['weight', urls[0], '0'], /The weight must be a whole number from 1 to 100/],
      [['weight', urls[0]], /Cannot use "backends weight .*": there is no such form\nWrite viaduct backends/],
      [['stop'], /Cannot use "backends stop"/],
    ] as const) {
      const { code, output } = await command(...words);
      assert.notEqual(code, 0);
      assert.match(output, message);
    }
  });

  it('cannot be reached when no server runs, or no setting says where', async (t) => {
    const cwd = makeProject(t, { 'other.toml': '' });
    const none = await runViaduct(cwd, 'backends');
    assert.match(none.output, /Cannot reach the server: no setting says where its control socket is/);
    const gone = await runViaduct(cwd, 'backends', '--control', 'gone.sock');
    assert.match(gone.output, /Cannot reach the server at ".*gone\.sock": there is no such socket/);
    assert.deepEqual([none.code !== 0, gone.code !== 0], [true, true]);
  });
});
