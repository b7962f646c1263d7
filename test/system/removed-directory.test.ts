import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { BIN, startViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

const APP = `
import os

def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain')])
    return [str(os.getppid()).encode()]
`;

describe('a project whose directory is removed', () => {
  it('is served on, is named when it has to be imported again, and comes back', async (t) => {
    const project = makeProject(t, { 'app.py': APP });
    const server = await startViaduct(t, ['serve', project, '--workers', '1']);
    const zygote = Number((await ask(server.port, '/')).body);
    renameSync(project, `${project}-away`);
    assert.equal((await ask(server.port, '/')).body, String(zygote));
    process.kill(zygote, 'SIGKILL');
    const gone = `Cannot start the application: its directory \\"${project}\\" is gone`;
    await eventually('the reason is reported', () => server.output().includes(gone));
    renameSync(`${project}-away`, project);
    const { status, body } = await ask(server.port, '/');
    assert.equal(status, 200);
    assert.notEqual(body, String(zygote));
  });
});

describe('a working directory that is removed', () => {
  /** Runs `viaduct ARGS` in a directory after `commands`. */
  const run = (directory: string, commands: string, ...args: string[]) =>
    spawnSync(
      'sh',
      ['-c', `cd "$1" && ${commands}; shift; exec "$0" "$@"`, process.execPath, directory, BIN, ...args],
      {
        encoding: 'utf8',
        timeout: 60_000,
      },
    );

  for (const args of [['serve'], ['check'], ['exec', 'true'], ['web', '--static', '/=.']]) {
    it(`is named: ${args.join(' ')}`, (t) => {
      const directory = join(temporaryDirectory(t), 'gone');
      for (const commands of ['rmdir "$1"', 'rmdir "$1"; unset PWD']) {
        mkdirSync(directory);
        const { status, stderr } = run(directory, commands, ...args);
        assert.equal(status, 2, stderr);
        assert.match(stderr, /^viaduct: Cannot use the working directory ".*": .*\nMake this directory or link again/m);
      }
    });
  }

  it('is used when it was made again', (t) => {
    const project = makeProject(t, { 'app.py': APP });
    const commands = 'mv "$1" "$1-old" && mkdir "$1" && mv "$1-old/app.py" "$1" && rm -r "$1-old"';
    const { status, stderr } = run(project, commands, 'check');
    assert.equal(status, 0, stderr);
  });
});
