import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import type { Log } from '../../../src/log/log.ts';
import type { ControlledServer } from '../../../src/server/control/control-api.ts';
import { startControl, startFoundControl } from '../../../src/server/control/control-socket.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

it('a control socket that nobody asked for only warns when it cannot be opened', async (t) => {
  const names = ['RUNTIME_DIRECTORY', 'XDG_RUNTIME_DIR', 'TMPDIR'] as const;
  const before = names.map((name) => [name, process.env[name]] as const);
  t.after(() => {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
  for (const name of names) process.env[name] = '/no/such/directory';
  const warnings: string[] = [];
  const log = { warn: (message: string) => warnings.push(message) } as unknown as Log;
  assert.equal(await startFoundControl({} as ControlledServer, log), null);
  assert.deepEqual(
    warnings.map((warning) => warning.replace(/: Cannot.*/, '')),
    ['The control socket is missing, so commands such as viaduct status do not find this server'],
  );
});

it('a path of the setting control that cannot be used is refused with the name of this setting', async (t) => {
  const path = join(temporaryDirectory(t), 'file');
  writeFileSync(path, '');
  await assert.rejects(startControl(path, {} as ControlledServer, {} as Log), {
    message: /^Cannot listen on "unix:.*file": a file that is not a socket exists there/,
    advice: 'Remove that file, or choose another path with --control.',
  });
});
