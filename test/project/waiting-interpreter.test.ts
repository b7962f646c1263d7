import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { WaitingInterpreter } from '../../src/project/waiting-interpreter.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { eventually } from '../support/wait.ts';

it('ends a Python that hangs before it runs anything of the package', async (t) => {
  const directory = temporaryDirectory(t);
  const python = join(directory, 'python');
  writeFileSync(python, '#!/bin/sh\nexec sleep 600\n');
  chmodSync(python, 0o755);
  const children: ChildProcess[] = [];
  t.after(() => children[0]?.kill('SIGKILL'));
  const waiting = new WaitingInterpreter(['inherit', 'inherit'], (child) => children.push(child));
  assert.equal(await waiting.inspect(python, directory, {}, 100), null);
  await eventually('it has ended', () => children[0]?.signalCode === 'SIGTERM');
});
