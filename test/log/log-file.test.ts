import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { LogFile } from '../../src/log/log-file.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

describe('a log file', () => {
  it('is created for its owner and group alone, and appended to', (t) => {
    const path = join(temporaryDirectory(t), 'access.log');
    new LogFile('server', path, null).write('one\n');
    new LogFile('server', path, null).write('two\n');
    assert.equal(readFileSync(path, 'utf8'), 'one\ntwo\n');
    assert.equal(statSync(path).mode & 0o027, 0);
  });

  it('goes on in a new file after it was renamed and opened again', (t) => {
    const path = join(temporaryDirectory(t), 'access.log');
    const file = new LogFile('server', path, null);
    file.write('one\n');
    renameSync(path, `${path}.1`);
    file.write('two\n');
    assert.equal(file.reopen(), '');
    file.write('three\n');
    assert.equal(readFileSync(`${path}.1`, 'utf8'), 'one\ntwo\n');
    assert.equal(readFileSync(path, 'utf8'), 'three\n');
  });

  it('goes on at the beginning after it was truncated', (t) => {
    const path = join(temporaryDirectory(t), 'access.log');
    const file = new LogFile('server', path, null);
    file.write('one\n');
    truncateSync(path);
    file.write('two\n');
    assert.equal(readFileSync(path, 'utf8'), 'two\n');
  });

  it('stays with the renamed file if it cannot be opened again, and says why', (t) => {
    const directory = join(temporaryDirectory(t), 'logs');
    mkdirSync(directory);
    const path = join(directory, 'access.log');
    const file = new LogFile('server', path, null);
    const moved = `${directory}-moved`;
    renameSync(directory, moved);
    assert.match(file.reopen(), /^Cannot open the log file ".*access\.log" again: its directory does not exist$/);
    file.write('one\n');
    assert.equal(readFileSync(join(moved, 'access.log'), 'utf8'), 'one\n');
    rmSync(moved, { recursive: true });
  });

  it('is an error with advice if its directory does not exist', (t) => {
    const path = join(temporaryDirectory(t), 'no', 'access.log');
    assert.throws(() => new LogFile('server', path, null), {
      code: 'USAGE',
      message: /^Cannot open the log file ".*": its directory does not exist$/,
    });
  });

  it('counts what a full file does not take, and says so once', { skip: !existsSync('/dev/full') }, () => {
    const file = new LogFile('server', '/dev/full', null);
    const failures: string[] = [];
    file.events = { onFailed: (reason) => failures.push(reason), onRecovered: () => assert.fail() };
    for (let i = 0; i < 3; i += 1) file.write('line\n');
    assert.equal(failures.length, 1);
    assert.match(failures[0] ?? '', /^ENOSPC/);
  });

  it('does not wait for the reader of a FIFO: there must be one, and lines that it does not take are lost', (t) => {
    const path = join(temporaryDirectory(t), 'fifo');
    execFileSync('mkfifo', [path]);
    chmodSync(path, 0o600);
    assert.throws(() => new LogFile('server', path, null), { code: 'USAGE', message: /ENXIO/ });
  });
});
