import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { backendName, parseBackend } from '../../../src/proxy/backend.ts';
import { fileDiscovery } from '../../../src/proxy/discovery/file.ts';
import { eventually } from '../../support/wait.ts';

function follow(t: TestContext, text: string | null) {
  const directory = mkdtempSync(join(tmpdir(), 'viaduct-file-'));
  const path = join(directory, 'backends');
  if (text !== null) writeFileSync(path, text);
  const errors: string[] = [];
  let last: string | null = null;
  const discovery = fileDiscovery({
    path,
    parse: parseBackend,
    pollMs: 50,
    onError: (message) => errors.push(message),
  });
  discovery.start((backends) => {
    last = backends.map((backend) => `${backendName(backend)} ${backend.weight} ${backend.backup}`).join(', ');
  });
  t.after(() => {
    discovery.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  return { directory, path, errors, last: () => last };
}

describe('a file of backends', () => {
  it('contains one backend per line', async (t) => {
    const { last } = follow(t, '# all\nhttp://a:1 weight=5\r\n\n  uwsgi://b:2 backup # last\nunix:/run/c.sock');
    await eventually('the backends are found', () => last() !== null);
    assert.equal(last(), 'http://a:1 5 undefined, uwsgi://b:2 undefined true, unix:/run/c.sock undefined undefined');
  });

  it('is read again when it is written, replaced, or becomes a link to another file', async (t) => {
    const { directory, path, last } = follow(t, null);
    writeFileSync(path, 'http://a');
    await eventually('the first backend is found', () => last() === 'http://a undefined undefined');
    writeFileSync(`${path}.new`, 'http://b');
    renameSync(`${path}.new`, path);
    await eventually('the replacement is found', () => last() === 'http://b undefined undefined');
    mkdirSync(join(directory, 'data'));
    writeFileSync(join(directory, 'data/backends'), 'http://c');
    unlinkSync(path);
    symlinkSync('data/backends', path);
    await eventually('the link is followed', () => last() === 'http://c undefined undefined');
  });

  it('keeps the last backends and reports one error while it is invalid', async (t) => {
    const { path, errors, last } = follow(t, 'http://a');
    await eventually('the backends are found', () => last() !== null);
    writeFileSync(path, 'http://b\nnonsense');
    await eventually('the error is reported', () => errors.length === 1);
    assert.match(errors[0] ?? '', /^Cannot read backends from ".*backends": line 2: "nonsense" is not a backend$/);
    assert.equal(last(), 'http://a undefined undefined');
    writeFileSync(path, 'http://b weight=0');
    writeFileSync(path, '');
    await eventually('the backends are removed', () => last() === '');
    assert.equal(errors.length, 1);
  });
});
