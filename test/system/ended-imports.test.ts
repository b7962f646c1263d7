import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makeProject, WSGI_APP } from '../support/project.ts';
import { runViaduct } from '../support/viaduct.ts';

describe('an import that ends Python', { concurrency: 2 }, () => {
  for (const [what, code, args, patterns] of [
    [
      'by itself',
      'import os\nos._exit(3)\n',
      [],
      [/^viaduct: Cannot import "app:application": Python ended during the import: exit code 3$/m, /os\._exit\(\)/],
    ],
    [
      'in a worker',
      'import os\nos._exit(3)\n',
      ['--no-preload'],
      [/^viaduct: Cannot start a worker: it died with exit code 3$/m],
    ],
    [
      'and goes on in another process',
      'import os\nif os.fork():\n    os._exit(0)\n',
      [],
      [
        /^viaduct: Cannot import "app:application": Python ended during the import: exit code 0$/m,
        /only the first one/,
      ],
    ],
  ] as const) {
    it(`is reported as such: ${what}`, async (t) => {
      const project = makeProject(t, { 'app.py': code + WSGI_APP });
      const result = await runViaduct(project, 'serve', '--listen', '127.0.0.1:0', '--workers', '1', ...args);
      assert.equal(result.code, 1, result.output);
      for (const pattern of patterns) assert.match(result.output, pattern);
      assert.doesNotMatch(result.output, /Traceback/);
    });
  }
});
