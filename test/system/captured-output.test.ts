import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ask } from '../support/http-client.ts';
import { makeProject } from '../support/project.ts';
import { startViaduct } from '../support/viaduct.ts';
import { eventually } from '../support/wait.ts';

/** The handler of `logging` is made while the application is imported. */
const APP = `
import contextlib, io, logging, sys, threading, traceback
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
print("imported", flush=True)

class Blocks:
    def __init__(self, path):
        self.path = path
    def __iter__(self):
        print("block of " + self.path)
        yield b"ok"
        print("end of " + self.path, end="")
    def close(self):
        print(", close of " + self.path)

def application(environ, start_response):
    path = environ["PATH_INFO"]
    print("print in", path)
    print("error in", path, file=sys.stderr)
    logging.info("logged in %s", path)
    try:
        1 / 0
    except ZeroDivisionError:
        traceback.print_exc()
    with contextlib.redirect_stdout(io.StringIO()) as kept:
        print("kept")
    assert kept.getvalue() == "kept\\n"
    thread = threading.Thread(target=lambda: print(f"thread of {path}.", flush=True))
    thread.start()
    thread.join()
    sys.stdout.buffer.write(b"bytes of " + path.encode() + b".\\n")
    sys.stdout.flush()
    start_response("200 OK", [])
    return Blocks(path)
`;

interface Entry {
  readonly message: string;
  readonly stream?: string;
  readonly request?: string;
  readonly request_id?: string;
  readonly worker?: number;
}

describe('what a view prints', { concurrency: 2 }, () => {
  for (const preload of [true, false]) {
    it(`goes to the server's log with the id of its request, ${preload ? 'with' : 'without'} preload`, async (t) => {
      const cwd = makeProject(t, { 'app.py': APP });
      const log = join(cwd, 'error.log');
      const flags = ['--capture-output', '--error-log-file', log, preload ? '--preload' : '--no-preload'];
      const server = await startViaduct(t, ['app:application', '--workers', '1', '--access-log', 'json', ...flags], {
        cwd,
      });
      const answers = ['a', 'b', 'c', 'd'].map((id) =>
        ask(server.port, `/${id}`, { headers: [['X-Request-ID', `id-${id}`]] }),
      );
      for (const { status } of await Promise.all(answers)) assert.equal(status, 200);
      const entries = () =>
        readFileSync(log, 'utf8')
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line) as Entry)
          .filter(({ stream }) => stream !== undefined);
      await eventually(
        'all lines are there',
        () => entries().filter(({ message }) => /close of/.test(message)).length === 4,
      );
      for (const id of ['a', 'b', 'c', 'd']) {
        const own = entries().filter(({ request_id }) => request_id === `id-${id}`);
        const plain = own.filter(({ message }) => message.endsWith(`/${id}`));
        assert.deepEqual(
          plain.map(({ stream, message, request }) => [stream, message, request]),
          [
            ['stdout', `print in /${id}`, `GET /${id}`],
            ['stderr', `error in /${id}`, `GET /${id}`],
            ['stderr', `INFO logged in /${id}`, `GET /${id}`],
            ['stdout', `block of /${id}`, `GET /${id}`],
            ['stdout', `end of /${id}, close of /${id}`, `GET /${id}`],
          ],
        );
        const traceback = own.map(({ message }) => message).join('\n');
        assert.match(traceback, /Traceback[\s\S]*ZeroDivisionError: division by zero/);
        const output = server.output();
        assert.ok(output.includes(`thread of /${id}.`) && output.includes(`bytes of /${id}.`), output);
        assert.ok(!output.includes(`print in /${id}`));
      }
      assert.ok(server.output().includes('imported\n'));
    });
  }
});
