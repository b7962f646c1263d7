import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makeProject } from '../support/project.ts';
import { runViaduct } from '../support/viaduct.ts';

/** Options of a route's backends, the keys that the message names, and what they need. */
const PROXY: readonly (readonly [options: string, key: string, needed: string])[] = [
  ['hash_by = "path"', 'hash_by', 'balance = "hash"'],
  ['queue_max = 5', 'queue_max', 'connections_max'],
  ['queue_timeout_ms = "1s"', 'queue_timeout_ms', 'connections_max'],
  ['retry_after_ms = 0, retry_after_ms_max = "2min"', 'retry_after_ms_max', 'retry_after_ms above 0'],
  ['retries = 0, retry_on = ["timeout"]', 'retry_on', 'retries above 0'],
  ['retries = 0, retry_budget = 0.5', 'retry_budget', 'retries above 0'],
  ['buffer_memory_bytes_max = 1', 'buffer_memory_bytes_max', 'buffer_request or buffer_response'],
  ['buffer_request = true, buffer_file_bytes_max = 1', 'buffer_file_bytes_max', 'buffer_response'],
  ['keep_alive_max = 0, keep_alive_timeout_ms = "9s"', 'keep_alive_timeout_ms', 'keep_alive_max above 0'],
  ['params = { A = "b" }', 'params', 'a backend with uwsgi, fastcgi or scgi'],
  ['tls_verify = false', 'tls_verify', 'a backend with https or h2'],
  ['tls_server_name = "a"', 'tls_server_name', 'a backend with https or h2'],
];

const USED = [
  ['http://127.0.0.1:9', 'balance = "hash", hash_by = "path", connections_max = 1, queue_max = 5, retry_budget = 0.5'],
  ['https://127.0.0.1:9', 'tls_verify = false, buffer_response = true, buffer_file_bytes_max = 1'],
  ['uwsgi://127.0.0.1:9', 'params = { A = "b" }'],
  ['http://127.0.0.1:9', 'hash_by = "address"'],
];

describe('a setting without effect', () => {
  it('is refused with what it needs', async (t) => {
    const routes = PROXY.map(
      ([options], index) =>
        `[[route]]\npath = "/${index}"\nproxy = "http://127.0.0.1:9"\nproxy_options = { ${options} }\n`,
    );
    const others = [
      '[[route]]\npath = "/a"\nrespond = {}\nproxy_options = { retries = 0 }\n',
      '[[route]]\npath = "/b"\nrespond = {}\nstatic_options = { listing = true }\n',
      '[[route]]\npath = "/c/*"\nstatic = "."\nstatic_options = { fallback_for = "all" }\n',
    ];
    const project = makeProject(t, { 'viaduct.toml': [...routes, ...others].join('\n') });
    const { code, output } = await runViaduct(project, 'check');
    assert.equal(code, 2);
    const refusals = output.split('\n').filter((line) => line.includes('it has no effect without'));
    const wanted = [
      ...PROXY.map(([, key, needed]) => [`proxy_options.${key}`, needed]),
      ['proxy_options', 'proxy, the backends of the route'],
      ['static_options', 'static, the directories of the route'],
      ['static_options.fallback_for', 'fallback'],
    ];
    assert.equal(refusals.length, wanted.length, output);
    for (const [index, [key = '', needed = '']] of wanted.entries()) {
      assert.ok(refusals[index]?.includes(`route[${index + 1}].${key} `), refusals[index]);
      assert.ok(refusals[index]?.endsWith(`without ${needed}`), refusals[index]);
    }
  });

  it('is not one that has an effect, or has its default', async (t) => {
    const routes = USED.map(
      ([url, options], index) => `[[route]]\npath = "/${index}"\nproxy = "${url}"\nproxy_options = { ${options} }\n`,
    );
    const { output } = await runViaduct(makeProject(t, { 'viaduct.toml': routes.join('\n') }), 'check');
    assert.doesNotMatch(output, /no effect/);
  });
});
